"""A schedule that starts jobs: each due time makes one job, and runs it."""

import pytest
from django.contrib.auth.models import Permission

from jobs.intents import open_action
from jobs.local.serializers import CommandJobSerializer
from jobs.models import Job
from jobs.schedules.due import write_all_due
from jobs.schedules.editing import ScheduleInvalid, ScheduleNotAllowed, change_schedule, delete_schedule, run_now
from jobs.schedules.starting import start_jobs
from jobs.status import Status
from jobs.transitions import Change, transition

pytestmark = pytest.mark.django_db

COMMAND = {"job_type": "COMMAND", "job_values": {"command": ["true"]}}


@pytest.fixture
def night(time, every):
    """A schedule that starts a command every hour."""
    return every("every 1 hours", name="night", **COMMAND)


def end(job: Job) -> None:
    transition([Change(job.pk, job.attempt, Status.COMPLETE)], source="test")


def test_a_due_time_makes_one_job_that_is_run(time, night, monitor):
    time.move(3601)
    for _ in range(3):
        monitor()
    [execution] = night.executions.all()
    assert execution.word == "ran"
    assert execution.job.name == f"night {execution.due:%Y-%m-%d %H:%M:%S}"
    assert execution.job.user == night.user
    assert open_action(execution.job.pk) == "run"
    assert Job.objects.count() == 1


def test_while_the_job_before_is_not_over_a_due_time_is_skipped(time, night, monitor):
    time.move(3601)
    monitor()
    time.move(3600)
    monitor()
    first, second = night.executions.order_by("due")
    assert (second.word, first.job.name in second.reason) == ("skipped", True)
    end(first.job)
    time.move(3600)
    monitor()
    assert [one.word for one in night.executions.order_by("due")] == ["ran", "skipped", "ran"]


def test_beside_the_one_before_where_that_is_wanted(time, every, monitor):
    schedule = every("every 1 hours", overlap="run", **COMMAND)
    for _ in range(2):
        time.move(3600)
        monitor()
    assert [one.word for one in schedule.executions.all()] == ["ran", "ran"]


@pytest.mark.parametrize(("missed", "words"), [("once", ["missed", "missed", "ran"]), ("none", ["missed"] * 3)])
def test_what_passed_while_no_monitor_ran_is_run_once_or_not_at_all(time, every, monitor, missed, words):
    schedule = every("every 1 hours", missed=missed, **COMMAND)
    time.move(3 * 3600 + 1800)
    monitor()
    assert [one.word for one in schedule.executions.order_by("due")] == words
    assert Job.objects.count() == words.count("ran")


def test_run_now_makes_a_job_beside_the_due_times(time, night, monitor):
    run_now(night)
    monitor()
    run_now(night)
    time.move(1)
    run_now(night)
    monitor()
    assert [one.word for one in night.executions.all()].count("ran") == 2
    assert Job.objects.count() == 2


def test_a_job_that_cannot_be_made_any_more_is_a_failure_that_says_why(time, night, monitor):
    night.user.user_permissions.clear()
    time.move(3601)
    monitor()
    [execution] = night.executions.all()
    assert execution.word == "failed"
    assert "may not make jobs of the type COMMAND" in execution.reason


def test_a_bug_of_one_type_of_job_keeps_no_other_schedule_from_its_jobs(time, night, every, monitor, monkeypatch):
    other = every("every 1 hours", name="other", job_type="BASIC", job_values={})

    def break_down(serializer, values):
        raise ZeroDivisionError("no such thing")

    monkeypatch.setattr(CommandJobSerializer, "create", break_down)
    time.move(3601)
    monitor()
    [failed] = night.executions.all()
    assert (failed.word, "ZeroDivisionError: no such thing" in failed.reason) == ("failed", True)
    assert [one.word for one in other.executions.all()] == ["ran"]


def test_thousands_that_were_missed_are_settled_in_few_statements(time, every, django_assert_max_num_queries):
    schedule = every("every 1 seconds", keep=3000, **COMMAND)
    time.move(4000)
    write_all_due()
    with django_assert_max_num_queries(3 * 31):  # of those that are in time two or three each, of the others none
        start_jobs()
    words = [one.word for one in schedule.executions.order_by("due")]
    # Of 2,969 that are late the last is run; those of the last half minute are skipped, for its job is not over.
    assert (words.count("missed"), words.count("ran"), words.count("skipped")) == (2968, 1, 31)


def test_what_was_due_of_a_schedule_that_starts_no_jobs_any_more_is_given_up(time, night, monitor):
    time.move(3601)
    write_all_due()
    change_schedule(night, job_type="", job_values={}, argv=["true"], on_tags=["none"])
    monitor()
    assert [one.word for one in night.executions.all()] == ["missed"]


def test_two_monitors_make_one_job(time, night):
    time.move(3601)
    write_all_due()
    write_all_due()
    start_jobs()
    start_jobs()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"job_type": "COMMAND", "job_values": {}}, "job_values"),
        ({"job_type": "COMMAND", "job_values": {"command": ["true"], "name": "x"}}, "job_values"),
        ({"job_type": "COMMAND", "job_values": {"command": ["true"], "colour": "red"}}, "job_values"),
        ({"job_type": "COMMAND", "job_values": ["true"]}, "job_values"),
        ({"job_type": "NOTHING", "job_values": {}}, "job_type"),
    ],
)
def test_what_is_wrong_with_the_job_is_said_when_the_schedule_is_made(every, values, field):
    with pytest.raises(ScheduleInvalid) as caught:
        every(**values)
    assert list(caught.value.errors) == [field]


def test_who_may_not_run_commands_can_schedule_none(every, ann):
    ann.user_permissions.remove(Permission.objects.get(codename="run_commands"))
    ann = type(ann).objects.get(pk=ann.pk)
    with pytest.raises(ScheduleNotAllowed):
        every(user=ann, **COMMAND)
    with pytest.raises(ScheduleNotAllowed):
        every(user=ann)


def test_the_jobs_stay_when_their_schedule_is_deleted(time, night, monitor):
    time.move(3601)
    monitor()
    delete_schedule(night)
    assert Job.objects.count() == 1
