"""Every due time has its row: it ran, was skipped, was missed, or is waited for; never is there nothing, never two."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.due import write_all_due
from jobs.schedules.editing import change_schedule, pause, resume, run_now
from jobs.schedules.enrolment import change_agent, remove_agent
from jobs.schedules.models import Execution
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def words(schedule) -> list[str]:
    return [one.word for one in schedule.executions.order_by("due", "agent__name")]


def test_due_times_are_written_for_each_agent_when_their_time_comes(time, agent, every, monitor):
    other = Spoken("node2")
    schedule = every("every 30 seconds")
    monitor()
    assert words(schedule) == []
    time.move(61)
    monitor()
    dues = {(one.agent.name, (one.due - schedule.start).total_seconds()) for one in schedule.executions.all()}
    assert dues == {("node1", 30), ("node1", 60), ("node2", 30), ("node2", 60)}
    monitor()
    assert schedule.executions.count() == 4
    assert {one.agent_id for one in schedule.executions.all()} == {agent.row.pk, other.row.pk}


def test_an_execution_that_is_told_before_its_row_was_written_is_one(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    due = microseconds(schedule.start) + 30_000_000
    assert agent.report(agent.ran(schedule, due))["refused"] == {}
    monitor()
    assert words(schedule) == ["ran"]


def test_after_a_time_without_a_monitor_so_many_are_written_as_are_kept(time, agent, every, monitor):
    schedule = every("every 1 seconds", keep=50)
    time.move(86_400)
    monitor()
    assert schedule.executions.count() == 50
    last = schedule.executions.order_by("-due").first()
    assert last.due == schedule.start + timedelta(days=1)


def test_an_agent_that_comes_later_is_due_from_then_on(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(45)
    monitor()
    late = Spoken("node2")
    time.move(30)
    monitor()
    dues = schedule.executions.filter(agent=late.row).values_list("due", flat=True)
    assert [(due - schedule.start).total_seconds() for due in dues] == [60]


def test_what_is_not_heard_of_is_late_and_after_a_day_missed_until_its_agent_speaks(time, agent, every, monitor):
    schedule = every("every 24 hours")
    time.move(86_400 + 1)
    monitor()
    assert words(schedule) == ["due"]
    time.move(60)
    assert words(schedule) == ["late"]
    pause(schedule)
    time.move(26 * 3600)
    monitor()
    [missed] = schedule.executions.all()
    assert (missed.word, missed.assumed) == ("missed", True)
    assert "no word" in missed.reason
    agent.report(agent.ran(schedule, microseconds(missed.due)))
    assert words(schedule) == ["ran"]


def test_what_was_paused_before_its_agent_asked_is_given_up_with_the_reason(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    pause(schedule)
    monitor()
    assert words(schedule) == ["due"]
    agent.sync()
    time.move(90)
    agent.sync()
    agent.sync()
    monitor()
    [given_up] = schedule.executions.all()
    assert given_up.word == "missed"
    assert "paused" in given_up.reason


def test_a_paused_schedule_is_not_due_and_goes_on_on_its_grid(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    pause(schedule)
    assert agent.sync()["schedules"] == []
    time.move(100)
    monitor()
    assert words(schedule) == []
    resume(schedule)
    time.move(25)
    monitor()
    assert [(one.due - schedule.start).total_seconds() for one in schedule.executions.all()] == [120]


def test_a_change_holds_from_now_on_and_the_agent_hears_of_it(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    [before] = agent.sync()["schedules"]
    time.move(70)
    change_schedule(schedule, frequency="every 1 hours")
    assert schedule.executions.count() == 2
    [after] = agent.sync()["schedules"]
    assert (before["version"], after["version"]) == (1, 2)
    assert after["since"] == microseconds(time.time)
    time.move(70)
    monitor()
    assert schedule.executions.count() == 2


def test_more_executions_than_are_kept_are_forgotten_but_not_what_runs(time, agent, every, monitor):
    schedule = every("every 1 seconds", keep=3)
    start = microseconds(schedule.start)
    time.move(10)
    monitor()
    agent.report(agent.ran(schedule, start + 1_000_000, state="running"))
    agent.report(*(agent.ran(schedule, start + number * 1_000_000) for number in range(2, 11)))
    monitor()
    kept = [(one.due - schedule.start).total_seconds() for one in schedule.executions.order_by("due")]
    assert kept == [1, 8, 9, 10]


def test_fifty_schedules_take_as_many_statements_as_one(time, agent, every):
    counts = []
    for number in (1, 49):
        for _ in range(number):
            every("every 10 seconds")
        time.move(11)
        with CaptureQueriesContext(connection) as found:
            write_all_due()
        counts.append(len(found))
    assert counts[0] == counts[1]
    assert Execution.objects.count() == 51


def test_where_nothing_is_due_nothing_is_written(time, agent, every):
    every("every 10 seconds")
    with CaptureQueriesContext(connection) as found:
        write_all_due()
    assert [one["sql"].split()[0] for one in found.captured_queries] == ["SELECT"]


def test_what_an_agent_ran_and_does_not_know_any_more_is_given_up(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000, state="running")
    agent.report(item)
    time.move(11)
    agent.sync(running={item["id"]: str(schedule.uuid)})
    time.move(11)
    agent.sync(unsent=1)
    assert words(schedule) == ["running"]
    time.move(11)
    agent.sync()
    [given_up] = schedule.executions.all()
    assert (given_up.word, "knows nothing of it" in given_up.reason) == ("missed", True)
    agent.report(item | {"state": "ran"})
    assert words(schedule) == ["ran"]


def test_run_now_is_told_to_the_agent_until_it_speaks_of_it(time, agent, every):
    schedule = every("every 1 hours")
    pause(schedule)
    [execution] = run_now(schedule)
    for _ in range(2):
        [order] = agent.sync()["run"]
        assert order["id"] == str(execution.pk)
        assert order["schedule"]["argv"] == ["echo", "hello world"]
    agent.report(agent.ran(schedule, order["due"], state="running"))
    assert agent.sync()["run"] == []


def test_what_an_agent_had_open_when_it_was_removed_is_missed(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    remove_agent(agent.row)
    [execution] = schedule.executions.all()
    assert (execution.word, "removed" in execution.reason) == ("missed", True)
    time.move(60)
    monitor()
    assert Execution.objects.count() == 1


def test_what_was_due_on_an_agent_before_it_lost_the_schedule_has_its_row(time, agent, every, monitor):
    schedule = every("every 30 seconds", on_all=False, on_tags=["gpu"])
    change_agent(agent.row, tags=["gpu"])
    time.move(91)  # no monitor ran
    change_agent(agent.row, tags=[])
    time.move(60)
    monitor()
    assert schedule.executions.count() == 3


def test_between_the_old_due_times_and_the_new_ones_is_no_gap(time, agent, every, monkeypatch):
    schedule = every("every 10 seconds")

    def slow(schedule):
        time.move(10)  # the change takes its time

    monkeypatch.setattr("jobs.schedules.editing._check", slow)
    time.move(25)
    change_schedule(schedule, name="another name")
    monkeypatch.undo()
    time.move(5)
    write_all_due()
    dues = [(one.due - schedule.start).total_seconds() for one in schedule.executions.order_by("due")]
    assert dues == [10, 20, 30, 40]


def test_what_runs_on_an_agent_that_is_never_heard_again_is_given_up(time, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000, state="running")
    agent.report(item)
    pause(schedule)
    time.move(24 * 3600)
    monitor()
    assert words(schedule) == ["running"]
    time.move(2 * 3600)
    monitor()
    [given_up] = schedule.executions.all()
    assert (given_up.word, given_up.reason) == ("missed", "outcome unknown: nothing was heard of its agent for a day")
    agent.report(item | {"state": "ran"})
    assert words(schedule) == ["ran"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London", "Asia/Singapore"])
def test_a_start_in_any_time_zone_is_the_moment_that_it_says(time, agent, every, zone):
    time.time = datetime(2026, 7, 1, 9, 59, tzinfo=UTC)
    start = datetime(2026, 7, 1, 10, tzinfo=UTC)
    schedule = every("every 10 minutes", start=start.astimezone(ZoneInfo(zone)))
    assert schedule.next_due == start + timedelta(minutes=10)
