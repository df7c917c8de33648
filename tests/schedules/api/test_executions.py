"""Executions over REST: what became of each due time, the outputs, and ending one."""

from uuid import uuid4

import pytest

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Execution, Schedule
from jobs.schedules.starting import start_jobs
from tests.api.conftest import Caller
from tests.schedules.api.conftest import executions, problem, results
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_a_list_has_them_without_outputs_the_latest_first(anns, made, ran):
    schedule = made()
    newest, oldest = ran(schedule)
    found = results(anns.get(f"schedules/{schedule['id']}/executions/"))
    assert [one["id"] for one in found] == [newest, oldest]
    assert (found[0]["agent"], found[0]["state"], found[0]["exit_code"]) == ("node1", "ran", 0)
    assert (found[0]["stdout_size"], found[0]["seconds"]) == (9, 0.5)
    assert "stdout" not in found[0]


def test_one_has_its_outputs(anns, made, ran):
    execution = anns.get(f"schedules/executions/{ran(made())[0]}/").json()
    assert (execution["stdout"], execution["stderr"], execution["stdout_size"]) == ("output 2\n", "", 9)


def test_of_a_long_output_the_true_size_is_said(anns, made, agent, time, monitor):
    schedule = Schedule.objects.get(uuid=made()["id"])
    agent.sync()
    time.move(31)
    monitor()
    due = schedule.executions.get().due
    agent.report(agent.ran(schedule, microseconds(due), stdout="cut", stdout_size=10**9, exit_code=3, reason="ended"))
    (execution,) = results(anns.get(f"schedules/{schedule.uuid}/latest/"))
    assert (execution["stdout_size"], execution["outcome"], execution["reason"]) == (10**9, "failed", "ended")


def test_the_latest_outputs_are_those_of_each_agent(anns, made, ran):
    schedule = made()
    newest, _ = ran(schedule)
    Spoken("node2").sync()
    found = results(anns.get(f"schedules/{schedule['id']}/latest/"))
    assert [(one["id"], one["agent"], one["stdout"]) for one in found] == [(newest, "node1", "output 2\n")]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("agent=node1", 2),
        ("agent=node", 0),
        ("state=ran", 2),
        ("state=due,missed", 0),
        ("state=due&state=ran", 2),
        ("since=2100-01-01T00:00:00Z", 0),
        ("until=2000-01-01T00:00:00%2B02:00", 0),
        ("since=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z", 2),
    ],
)
def test_the_list_is_filtered(anns, made, ran, query, count):
    schedule = made()
    ran(schedule)
    assert len(results(anns.get(f"schedules/{schedule['id']}/executions/?{query}"))) == count


def test_pages_lead_there_and_back_also_where_many_are_due_at_once(anns, made, time, monitor):
    for number in range(3):
        Spoken(f"node{number}")
    schedule = made()
    time.move(91)
    monitor()
    path = f"schedules/{schedule['id']}/executions/?page_size=2"
    page = anns.get(path).json()
    assert page["previous"] is None
    seen, pages = [one["id"] for one in page["results"]], [page]
    while page["next"]:
        page = anns.client.get(page["next"], headers=anns.headers).json()
        seen += [one["id"] for one in page["results"]]
        pages.append(page)
    everything = [str(one) for one in Execution.objects.order_by("-due", "-pk").values_list("pk", flat=True)]
    assert seen == everything
    assert len(seen) == 9
    for before in reversed(pages[1:-1]):
        page = anns.client.get(page["previous"], headers=anns.headers).json()
        assert page["results"] == before["results"]
    first = anns.client.get(page["previous"], headers=anns.headers).json()
    assert first["results"] == pages[0]["results"]


def test_beyond_the_end_there_is_the_way_back(anns, made, ran):
    schedule = made()
    ids = ran(schedule)
    page = anns.get(f"schedules/{schedule['id']}/executions/?before=1-{uuid4().hex}").json()
    assert (page["results"], page["next"]) == ([], None)
    back = anns.client.get(page["previous"], headers=anns.headers)
    assert [one["id"] for one in results(back)] == ids


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("output=x", "output"),
        ("state=gone", "state"),
        ("state=ran,%00", "state"),
        ("agent=%00", "agent"),
        ("since=soon", "since"),
        ("since=%00", "since"),
        ("until=2026-01-31T14:00:00", "until"),
        ("until=0001-01-01T00:00:00%2B14:00", "until"),
        ("before=7", "before"),
        ("before=99999999999999999999-0123456789abcdef0123456789abcdef", "before"),
        (f"after={'9' * 5000}-x", "after"),
        ("page_size=-1", "page_size"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(anns, made, query, field):
    answer = anns.get(f"schedules/{made()['id']}/executions/?{query}")
    assert list(problem(answer)["fields"]) == [field]


def test_a_running_one_is_ended(anns, made, agent):
    schedule = Schedule.objects.get(uuid=made()["id"])
    agent.sync()
    (one,) = executions(anns.post(f"schedules/{schedule.uuid}/run-now/"))
    path = f"schedules/executions/{one}/stop/"
    stopped = anns.post(path)
    assert stopped.status_code == 202
    assert stopped.json()["stop_wanted"]
    assert agent.sync(running={one: str(schedule.uuid)})["stop"] == [one]
    assert "already" in problem(anns.post(path), 409)["message"]


def test_what_is_over_cannot_be_ended(anns, made, ran):
    assert "over (ran)" in problem(anns.post(f"schedules/executions/{ran(made())[0]}/stop/"), 409)["message"]


def test_an_execution_that_started_a_job_names_it(anns, made):
    schedule = made(argv=[], job_type="COMMAND", job_values={"command": ["true"]})
    (one,) = executions(anns.post(f"schedules/{schedule['id']}/run-now/"))
    path = f"schedules/executions/{one}/"
    assert "in a moment" in problem(anns.post(f"{path}stop/"), 409)["message"]
    start_jobs()
    execution = anns.get(path).json()
    assert anns.get(f"jobs/{execution['job']}/").json()["type"] == "COMMAND"
    assert execution["job"] in problem(anns.post(f"{path}stop/"), 409)["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "stop/")])
def test_anothers_execution_answers_exactly_as_one_that_is_not_there(bobs, staffs, nobodys, made, ran, method, path):
    one = ran(made())[0]
    theirs = bobs(method, f"schedules/executions/{one}/{path}")
    none = bobs(method, f"schedules/executions/{uuid4()}/{path}")
    assert problem(theirs, 404) == problem(none, 404)
    assert nobodys(method, f"schedules/executions/{one}/{path}").status_code == 401
    assert staffs(method, f"schedules/executions/{one}/{path}").status_code in (200, 409)


def test_ending_needs_the_scope_write(ann, made, ran):
    path = f"schedules/executions/{ran(made())[0]}/"
    assert "needs write" in problem(Caller(ann, ["read", "submit"]).post(f"{path}stop/"), 403)["message"]
    assert "needs read" in problem(Caller(ann, ["write"]).get(path), 403)["message"]
