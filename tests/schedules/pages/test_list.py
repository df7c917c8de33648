"""The list of schedules: what a person sees there."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Execution
from tests.schedules.pages.asking import HTMX, LIST, logged_in, text
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_without_schedules_the_page_teaches_how_to_make_one(anns):
    page = text(anns, LIST)
    assert "No schedules yet" in page
    assert "create_schedule(" in page


def test_a_schedule_has_its_next_run_last_outcome_and_strip(time, anns, agent, every, monitor):
    schedule = every("every 30 seconds", name="disk")
    time.move(65)
    monitor()
    start = microseconds(schedule.start)
    agent.report(agent.ran(schedule, start + 30_000_000), agent.ran(schedule, start + 60_000_000, exit_code=1))
    page = text(anns, LIST)
    assert "in 25 s" in page
    assert "Last executions: 1 ran, 1 failed" in page
    assert page.count('<span class="jd-COM" title=') == 1
    assert page.count('<span class="jd-ERR" title=') == 1


def test_the_list_is_sent_again_only_when_something_changed(time, anns, agent, every, monitor):
    schedule = every("every 30 seconds")
    page = text(anns, LIST, **HTMX)
    version = page.partition('name="version" value="')[2].partition('"')[0]
    assert anns.get(f"{LIST}?version={version}", headers=HTMX).status_code == 204
    time.move(31)
    monitor()
    assert "Last executions: 1 due" in text(anns, f"{LIST}?version={version}", **HTMX)
    assert schedule.name in page


def test_fifty_schedules_take_as_many_queries_as_five(time, anns, agent, every, monitor):
    counts = []
    for number in (5, 45):
        for _ in range(number):
            every("every 10 seconds")
        time.move(31)
        monitor()
        text(anns, LIST)
        with CaptureQueriesContext(connection) as found:
            text(anns, LIST)
        counts.append(len(found))
        assert not any('"stdout"' in one["sql"] for one in found.captured_queries)
    assert counts[0] == counts[1]


def test_one_failure_among_many_agents_is_the_last_outcome(time, anns, agent, every, monitor):
    others = [Spoken(f"other{number}") for number in range(3)]
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    due = microseconds(schedule.start) + 30_000_000
    agent.report(agent.ran(schedule, due))
    assert "on 1 of 4 agents" in text(anns, LIST)  # of the others nothing was heard yet
    for other in others:
        other.report(other.ran(schedule, due, exit_code=int(other is others[0])))
    page = text(anns, LIST)
    assert '<span class="jd-word">Failed</span>' in page
    assert "on 1 of 4 agents" in page
    assert "on other0: Failed" in page
    Execution.objects.filter(exit_code=1).update(exit_code=0)
    assert "on all 4 agents" in text(anns, LIST)


def test_marks_of_one_due_time_stand_in_the_order_of_the_agents_names(time, anns, agent, every, monitor):
    for name in ("b", "c", "a"):
        Spoken(name)
    every("every 30 seconds")
    time.move(61)
    monitor()
    assert re.findall(r'title="[^"]* on (\w+): ', text(anns, LIST)) == ["a", "b", "c", "node1"] * 2


def test_an_overdue_schedule_says_that_the_monitor_does_not_run(time, anns, every):
    every("every 30 seconds")
    time.move(45)
    assert "overdue" not in text(anns, LIST)
    time.move(20)
    assert "the monitor does not run" in text(anns, LIST)


def test_staff_may_look_at_their_own_only(staff, every):
    every(name="anns plan")
    client = logged_in(staff)
    assert "anns plan" not in text(client, f"{LIST}?whose=mine")
    assert "You have no schedules" in text(client, f"{LIST}?whose=mine")
    assert "anns plan" in text(client, f"{LIST}?text=ann")


def test_people_see_their_own_and_staff_all(anns, bobs, staff, every):
    every(name="anns secret plan")
    assert "anns secret plan" in text(anns, LIST)
    assert "anns secret plan" not in text(bobs, LIST)
    assert "anns secret plan" in text(logged_in(staff), LIST)


def test_schedules_are_found_by_name_and_come_in_pages(anns, every):
    for number in range(51):
        every(name=f"s{number:02}")
    assert "s50" not in text(anns, LIST)
    assert "s50" in text(anns, f"{LIST}?page=2")
    assert "s50" in text(anns, f"{LIST}?text=S50")
    assert "No schedule is called so" in text(anns, f"{LIST}?text=nothing%00")
