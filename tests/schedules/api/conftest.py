"""People who call the REST API of schedules, each by a token of theirs, and an agent that has run something."""

import pytest

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Execution, Schedule
from tests.api.conftest import Caller, _no_memory, anns, bobs, nobodys, staffs  # noqa: F401 fixtures

COMMAND = {"name": "disk space", "argv": ["df", "-h"], "frequency": "every 30 seconds", "on_all": True}
"""A schedule as a script says it."""


def problem(answer, status: int = 400) -> dict:
    """The error of an answer of that status."""
    assert answer.status_code == status, answer.content
    return answer.json()["error"]


def results(answer, status: int = 200) -> list[dict]:
    """What a list has."""
    assert answer.status_code == status, answer.content
    return answer.json()["results"]


def executions(answer) -> list[str]:
    """The ids of what runs now."""
    assert answer.status_code == 202, answer.content
    return answer.json()["executions"]


@pytest.fixture
def made(anns):  # noqa: F811
    """Makes a schedule of Ann's over REST; answers what the site says of it."""

    def make(**values) -> dict:
        answer = anns.post("schedules/", COMMAND | values)
        assert answer.status_code == 201, answer.content
        return answer.json()

    return make


@pytest.fixture
def strangers(django_user_model) -> Caller:
    """Somebody calls who may not run commands."""
    return Caller(django_user_model.objects.create_user("carl", password="carl"))


@pytest.fixture
def ran(agent, time, monitor):
    """Has the schedule with this document run twice on node1, with an output each; answers the executions' ids, newest first."""

    def run(document: dict) -> list[str]:
        schedule = Schedule.objects.get(uuid=document["id"])
        agent.sync()
        time.move(61)
        monitor()
        dues = [microseconds(one) for one in schedule.executions.order_by("due").values_list("due", flat=True)]
        agent.report(
            *(agent.ran(schedule, due, stdout=f"output {n}\n", stdout_size=9) for n, due in enumerate(dues, 1))
        )
        return [
            str(one)
            for one in Execution.objects.filter(schedule=schedule).order_by("-due").values_list("pk", flat=True)
        ]

    return run
