"""Schedules that are run now, over REST."""

import pytest

from jobs.schedules.models import Execution
from tests.schedules.api.conftest import executions, problem
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_it_runs_now_on_all_or_on_some(anns, made, agent):
    Spoken("node2")
    path = f"schedules/{made()['id']}/run-now/"
    assert len(executions(anns.post(path))) == 2
    (one,) = executions(anns.post(path, {"agents": ["node1"]}))
    said = anns.get(f"schedules/executions/{one}/").json()
    assert (said["agent"], said["state"], said["asked"]) == ("node1", "due", True)
    assert one in [asked["id"] for asked in agent.sync()["run"]]


def test_without_a_body_it_runs_on_all(anns, made, agent):
    answer = anns("POST", f"schedules/{made()['id']}/run-now/")
    assert len(executions(answer)) == 1


def test_a_schedule_of_jobs_runs_now_on_the_site(anns, made):
    path = f"schedules/{made(argv=[], job_type='COMMAND', job_values={'command': ['true']})['id']}/run-now/"
    (one,) = executions(anns.post(path))
    assert anns.get(f"schedules/executions/{one}/").json()["agent"] is None
    assert list(problem(anns.post(path, {"agents": ["node1"]}))["fields"]) == ["agents"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"agents": ["nobody"]}, "agents"),
        ({"agents": []}, "agents"),
        ({"agents": "node1"}, "agents"),
        ({"agents": [7]}, "agents.0"),
        ({"agents": ["x"] * 1001}, "agents"),
        ({"agents": None}, "agents"),
        ({"hosts": ["node1"]}, "hosts"),
    ],
)
def test_where_it_cannot_run_is_named(anns, made, agent, said, field):
    assert list(problem(anns.post(f"schedules/{made()['id']}/run-now/", said))["fields"]) == [field]
    assert not Execution.objects.exists()


def test_whoever_may_not_run_commands_any_more_does_not_run_it_now(anns, ann, made, agent):
    path = f"schedules/{made()['id']}/run-now/"
    ann.user_permissions.clear()
    assert "any more" in problem(anns.post(path), 403)["message"]
