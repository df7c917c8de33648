"""What agents say of executions is written once, as far as it makes sense."""

import pytest

from jobs.schedules.agent.output import Kept
from jobs.schedules.agent.timetable import execution_id, microseconds
from jobs.schedules.editing import delete_schedule, run_now, stop_execution
from jobs.schedules.latest import latest_executions
from jobs.schedules.reporting import complete_bare
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(time, every, agent, monitor):
    """A schedule, and a due time of it that has come."""
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    return schedule, microseconds(schedule.start) + 30_000_000


def only(schedule):
    [execution] = schedule.executions.all()
    return execution


def test_an_end_is_written_with_times_and_output(agent, due):
    schedule, moment = due
    item = agent.ran(schedule, moment, exit_code=3, stderr="oh\n", stderr_size=3)
    assert agent.report(item) == {"accepted": [item["id"]], "refused": {}}
    execution = only(schedule)
    assert (execution.word, execution.exit_code, execution.stdout, execution.stderr) == (
        "failed",
        3,
        "hello world\n",
        "oh\n",
    )
    assert (microseconds(execution.started), microseconds(execution.completed)) == (moment, moment + 500_000)


def test_an_end_stands_whatever_is_said_again(agent, due):
    schedule, moment = due
    agent.report(agent.ran(schedule, moment))
    for later in ({"stdout": "other\n"}, {"state": "running"}, {"state": "missed", "reason": "no"}, {"exit_code": 1}):
        item = agent.ran(schedule, moment, **later)
        assert agent.report(item)["accepted"] == [item["id"]]
    execution = only(schedule)
    assert (execution.word, execution.exit_code, execution.stdout) == ("ran", 0, "hello world\n")


def test_what_runs_is_shown_and_then_its_end(agent, due):
    schedule, moment = due
    agent.report(agent.ran(schedule, moment, state="running"))
    assert (only(schedule).word, only(schedule).completed) == ("running", None)
    agent.report(agent.ran(schedule, moment))
    assert only(schedule).word == "ran"


def test_the_same_end_twice_in_one_report_is_one(agent, due):
    schedule, moment = due
    agent.report(agent.ran(schedule, moment), agent.ran(schedule, moment))
    assert only(schedule).word == "ran"


def test_an_end_stands_above_what_the_same_report_says_of_its_running(agent, due):
    schedule, moment = due
    ended, running = agent.ran(schedule, moment), agent.ran(schedule, moment, state="running")
    agent.report(ended, running)
    assert only(schedule).word == "ran"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"due": 10**15}, "does not follow"),
        ({"schedule": "x"}, "UUID"),
        ({"state": "done"}, "state"),
        ({"state": ["ran"]}, "state"),
        ({"exit_code": 2**31}, "exit_code"),
        ({"exit_code": "0"}, "exit_code"),
        ({"started": -1}, "started"),
        ({"completed": 1e20}, "completed"),
        ({"stdout": 7}, "stdout"),
        ({"stdout_size": -1}, "stdout_size"),
    ],
)
def test_one_that_makes_no_sense_is_refused_and_the_others_are_taken(agent, due, said, why):
    schedule, moment = due
    good = agent.ran(schedule, moment)
    bad = agent.ran(schedule, moment - 30_000_000) | said
    answer = agent.report(bad, good)
    assert why in answer["refused"][bad["id"]]
    assert answer["accepted"] == [good["id"]]


def test_what_lies_in_the_future_is_refused(agent, due):
    schedule, moment = due
    item = agent.ran(schedule, moment + 3600 * 1_000_000)
    assert "future" in agent.report(item)["refused"][item["id"]]


@pytest.mark.parametrize("executions", [7, ["x"], [{"id": 7}], [{"id": "x" * 100}], [{"id": "x"}] * 501])
def test_a_report_that_is_none_is_a_bad_request(agent, executions):
    assert agent.ask("report", executions=executions).status_code == 400


def test_outputs_are_cut_and_their_true_size_is_known(agent, due):
    schedule, moment = due
    text = "a" * 50_000 + "b" * 50_000
    agent.report(agent.ran(schedule, moment, stdout=text, stdout_size=10**9))
    execution = only(schedule)
    assert execution.stdout_size == 10**9
    assert len(execution.stdout) < 66_000
    assert (execution.stdout[:3], execution.stdout[-3:]) == ("aaa", "bbb")
    assert "34,464 bytes left out" in execution.stdout


def test_what_its_agent_has_cut_is_not_cut_once_more(agent, due):
    schedule, moment = due
    kept = Kept(65_536)
    for piece in (b"a" * 50_000, b"b" * 50_000, b"c" * 50_000):
        kept.add(piece)
    agent.report(agent.ran(schedule, moment, stdout=kept.text(), stdout_size=kept.size))
    assert only(schedule).stdout == kept.text()
    assert kept.text().count("left out") == 1


def test_outputs_may_hold_what_no_database_takes(agent, due):
    schedule, moment = due
    agent.report(agent.ran(schedule, moment, stdout="a\0b \ud800 ☃"))
    assert only(schedule).stdout == "ab ? ☃"


def test_the_latest_output_of_each_agent(time, agent, every, monitor):
    other = Spoken("node2")
    schedule = every("every 30 seconds")
    start = microseconds(schedule.start)
    time.move(95)
    monitor()
    agent.report(*(agent.ran(schedule, start + number * 30_000_000, stdout=f"{number}") for number in (1, 2)))
    other.report(other.ran(schedule, start + 90_000_000, stdout="other"))
    agent.report(agent.ran(schedule, start + 90_000_000, state="running"))
    assert [(one.agent.name, one.stdout) for one in latest_executions(schedule)] == [("node1", "2"), ("node2", "other")]


def test_a_bare_word_closes_the_oldest_that_is_open(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(95)
    monitor()
    closed = [complete_bare(schedule, agent.row, stdout=f"{number}") for number in range(4)]
    assert [one and (one.due - schedule.start).total_seconds() for one in closed] == [30, 60, 90, None]
    assert [one.stdout for one in schedule.executions.order_by("due")] == ["0", "1", "2"]


def test_a_running_one_is_ended_when_somebody_wants_it_or_its_schedule_is_deleted(agent, due):
    schedule, moment = due
    item = agent.ran(schedule, moment, state="running")
    agent.report(item)
    running = {item["id"]: str(schedule.uuid)}
    assert agent.sync(running=running)["stop"] == []
    assert stop_execution(only(schedule))
    assert agent.sync(running=running)["stop"] == [item["id"]]
    delete_schedule(schedule)
    assert agent.sync(running=running)["stop"] == [item["id"]]
    assert "no such schedule" in agent.report(agent.ran(schedule, moment))["refused"][item["id"]]


def test_one_whose_row_is_not_written_yet_is_not_ended(time, agent, every):
    schedule = every("every 30 seconds")
    young = str(execution_id(schedule.uuid, agent.row.uuid, microseconds(schedule.start) + 30_000_000))
    assert agent.sync(running={young: str(schedule.uuid)})["stop"] == []


def test_an_execution_that_was_asked_for_on_another_agent_is_taken(time, agent, every):
    schedule = every("every 1 hours", on_all=False, on_names=["elsewhere"])
    [execution] = run_now(schedule, [agent.row])
    agent.report(agent.ran(schedule, microseconds(execution.due)))
    assert only(schedule).word == "ran"


def test_what_has_its_row_is_no_future_whatever_the_clock_of_the_site_says(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(600)
    monitor()
    time.move(-400)
    item = agent.ran(schedule, microseconds(schedule.start) + 600_000_000)
    assert agent.report(item) == {"accepted": [item["id"]], "refused": {}}
    assert schedule.executions.get(pk=item["id"]).word == "ran"


def test_the_longest_outputs_of_the_oddest_signs_go_into_one_report(agent, due, settings):
    settings.JOBS = {**settings.JOBS, "EXECUTION_OUTPUT_LIMIT": 10**6}
    limit = agent.sync()["output_limit"]
    schedule, moment = due
    agent.report(agent.ran(schedule, moment, stdout="\x01" * limit, stderr="\x02" * limit))
    assert len(only(schedule).stderr) == limit
