"""Schedules made and changed: what is wrong is named, and agents hear of what is right."""

from datetime import timedelta

import pytest

from jobs.schedules.assigning import reconcile
from jobs.schedules.editing import (
    ScheduleInvalid,
    ScheduleNotAllowed,
    change_schedule,
    create_schedule,
    delete_schedule,
    pause,
    resume,
    run_now,
)
from jobs.schedules.enrolment import change_agent
from jobs.schedules.models import Assignment, Execution, Schedule
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"argv": []}, "argv"),
        ({"argv": "echo"}, "argv"),
        ({"argv": [""]}, "argv"),
        ({"argv": ["echo", 7]}, "argv"),
        ({"argv": ["echo", "a\0b"]}, "argv"),
        ({"argv": ["echo", "\ud800"]}, "argv"),
        ({"argv": ["x" * 100_001]}, "argv"),
        ({"shell": "true"}, "argv"),
        ({"frequency": ""}, "frequency"),
        ({"frequency": "every second"}, "frequency"),
        ({"frequency": "every 0 seconds"}, "frequency"),
        ({"frequency": "every 99999999 hours"}, "frequency"),
        ({"frequency": "every 1 days"}, "frequency"),
        ({"frequency": "* * * *"}, "frequency"),
        ({"frequency": "0 0 30 2 *"}, "frequency"),
        ({"frequency": "99 * * * *"}, "frequency"),
        ({"frequency": 7}, "frequency"),
        ({"frequency": "0 3 * * *", "zone": "Mars/Olympus"}, "zone"),
        ({"frequency": "0 3 * * *", "zone": "../../etc/passwd"}, "zone"),
        ({"on_all": False}, "on_all"),
        ({"on_all": False, "on_names": ["a b"]}, "on_names"),
        ({"on_all": False, "on_tags": "gpu"}, "on_tags"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 1e9}, "timeout"),
        ({"keep": 0}, "keep"),
        ({"keep": 10**6}, "keep"),
        ({"overlap": "queue"}, "overlap"),
        ({"missed": "all"}, "missed"),
        ({"end": "tomorrow"}, "end"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(every, values, field):
    with pytest.raises(ScheduleInvalid) as caught:
        every(**values)
    assert list(caught.value.errors) == [field]
    assert not Schedule.objects.exists()


def test_the_end_comes_after_the_start(time, every):
    with pytest.raises(ScheduleInvalid) as caught:
        every(start=time.time, end=time.time)
    assert list(caught.value.errors) == ["end"]
    schedule = every("every 30 seconds", start=time.time, end=time.time + timedelta(seconds=60))
    assert schedule.next_due == time.time + timedelta(seconds=30)


def test_a_name_is_a_persons_own(every, ann, bob):
    every(name="backup")
    with pytest.raises(ScheduleInvalid) as caught:
        every(name="backup")
    assert "already" in caught.value.errors["name"]
    assert every(name="backup", user=bob)


def test_a_change_that_is_wrong_changes_nothing(every):
    schedule = every("every 30 seconds")
    with pytest.raises(ScheduleInvalid):
        change_schedule(schedule, frequency="never")
    assert Schedule.objects.get().frequency == "every 30 seconds"
    assert Schedule.objects.get().version == 1


def test_who_may_not_run_commands_any_more_can_pause_what_they_have(every, ann):
    schedule = every()
    ann.user_permissions.clear()
    assert not pause(schedule).enabled
    assert Schedule.objects.get().next_due is None
    with pytest.raises(ScheduleNotAllowed):
        resume(Schedule.objects.get())


def names(schedule) -> list[str]:
    return sorted(Assignment.objects.standing().filter(schedule=schedule).values_list("agent__name", flat=True))


def test_agents_are_chosen_by_name_by_tag_or_all(every):
    for name, tags in (("a", ("gpu",)), ("b", ()), ("c", ("gpu", "fast"))):
        Spoken(name, tags)
    assert names(every()) == ["a", "b", "c"]
    assert names(every(on_all=False, on_names=["b"])) == ["b"]
    assert names(every(on_all=False, on_tags=["gpu"])) == ["a", "c"]
    assert names(every(on_all=False, on_names=["b"], on_tags=["fast"])) == ["b", "c"]


def test_schedules_follow_when_an_agents_tags_change(every):
    agent = Spoken("a")
    schedule = every(on_all=False, on_tags=["gpu"])
    agent.sync()
    assert names(schedule) == []
    change_agent(agent.row, tags=["gpu"])
    assert names(schedule) == ["a"]
    assert [one["id"] for one in agent.sync()["schedules"]] == [str(schedule.uuid)]
    change_agent(agent.row, tags=[])
    assert agent.sync()["schedules"] == []


def test_what_two_changes_at_once_left_out_is_mended(every):
    agent = Spoken("a")
    schedule = every()
    agent.sync()
    Assignment.objects.all().delete()
    reconcile()
    assert names(schedule) == ["a"]
    assert len(agent.sync()["schedules"]) == 1


def test_of_who_may_not_run_commands_any_more_nothing_runs_any_more(every, ann):
    agent = Spoken("a")
    every()
    assert len(agent.sync()["schedules"]) == 1
    ann.user_permissions.clear()
    reconcile()
    assert agent.sync()["schedules"] == []


def test_an_agent_asks_only_when_there_is_something_new(every):
    agent = Spoken("a")
    every()
    assert len(agent.sync()["schedules"]) == 1
    assert "schedules" not in agent.sync()


def test_a_deleted_schedule_is_gone_with_its_executions(every, time, monitor):
    agent = Spoken("a")
    schedule = every("every 30 seconds")
    agent.sync()
    time.move(65)
    monitor()
    delete_schedule(schedule)
    assert not Execution.objects.exists()
    assert agent.sync()["schedules"] == []


def test_where_no_agent_is_there_is_nothing_to_run_now(every):
    schedule = every()
    with pytest.raises(ScheduleInvalid) as caught:
        run_now(schedule)
    assert list(caught.value.errors) == ["agents"]


def test_app_code_makes_one_in_a_line(ann):
    schedule = create_schedule(ann, name="nightly", shell="du /srv | sort", frequency="0 3 * * *", on_tags=["gpu"])
    assert schedule.next_due is not None


def test_what_anothers_schedule_runs_is_changed_only_by_whoever_may_run_that(every, staff):
    schedule = every()
    staff.user_permissions.clear()
    assert change_schedule(schedule, by=staff, name="other", argv=schedule.argv).name == "other"
    with pytest.raises(ScheduleNotAllowed):
        change_schedule(schedule, by=staff, argv=["id"])
    assert Schedule.objects.get().argv == ["echo", "hello world"]


def test_whose_author_may_not_run_commands_any_more_is_not_run_nor_resumed_but_can_be_paused(every, agent, ann):
    schedule = every()
    ann.user_permissions.clear()
    schedule = Schedule.objects.get(pk=schedule.pk)
    for act in (run_now, resume):
        with pytest.raises(ScheduleNotAllowed):
            act(schedule)
    assert pause(schedule).next_due is None


def test_one_in_a_time_zone_that_is_gone_can_be_paused_and_mended(every, time):
    schedule = every("0 3 * * *")
    Schedule.objects.update(zone="Atlantis/Capital")
    assert pause(schedule).enabled is False
    with pytest.raises(ScheduleInvalid, match="Atlantis"):
        resume(schedule)
    assert change_schedule(schedule, zone="UTC", enabled=True).next_due is not None


def test_one_of_a_job_type_that_is_gone_can_be_paused_but_not_run(every):
    schedule = every("0 3 * * *", job_type="COMMAND", job_values={"command": ["date"]})
    Schedule.objects.update(job_type="GONE")
    schedule.refresh_from_db()
    with pytest.raises(ScheduleNotAllowed):
        run_now(schedule)
    with pytest.raises(ScheduleInvalid, match="GONE"):
        resume(schedule)
    assert pause(schedule).enabled is False
