"""The page of one schedule: outputs side by side, and its history."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Execution
from jobs.schedules.pages import one as one_page
from tests.schedules.pages.asking import HTMX, LIST, parts_of, text, version_of
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_outputs_stand_side_by_side_and_are_only_text(time, anns, agent, every, monitor):
    other = Spoken("node2")
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    due = microseconds(schedule.start) + 30_000_000
    agent.report(agent.ran(schedule, due, stdout="<script>alert(1)</script>"))
    page = text(anns, f"{LIST}{schedule.pk}/")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert 'aria-label="node2"' in page
    assert "It has not run there yet." in page
    assert other.row.is_silent


def test_the_history_comes_in_pages_and_by_outcome(time, anns, agent, every, monitor):
    schedule = every("every 1 seconds", keep=1000)
    time.move(60)
    monitor()
    agent.report(agent.ran(schedule, microseconds(schedule.start) + 1_000_000, exit_code=7))
    page = text(anns, f"{LIST}{schedule.pk}/")
    older = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "exit code 7" in text(anns, older)
    failed = text(anns, f"{LIST}{schedule.pk}/?outcome=failed")
    assert failed.count("<tr>") == 2
    for strange in ("?before=x", "?before=9_9", "?outcome=x", "?agent=%00", "?before=99999999999999999999999_x"):
        text(anns, f"{LIST}{schedule.pk}/{strange}")


def test_the_history_is_of_one_agent_where_that_is_asked_for(time, anns, agent, every, monitor):
    Spoken("node2")
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    page = text(anns, f"{LIST}{schedule.pk}/")
    assert page.count("<tr>") == 3
    assert "?agent=node2#jd-history" in page
    page = text(anns, f"{LIST}{schedule.pk}/?agent=node2")
    assert page.count("<tr>") == 2
    assert "?outcome=failed&amp;agent=node2" in page
    assert "None like that" in text(anns, f"{LIST}{schedule.pk}/?agent=node2&outcome=failed")


def test_only_what_changed_of_a_page_is_sent_and_outputs_are_not_read_for_nothing(time, anns, agent, every, monitor):
    other = Spoken("node2")
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    due = microseconds(schedule.start) + 30_000_000
    agent.report(agent.ran(schedule, due))
    url = f"{LIST}{schedule.pk}/"
    page = text(anns, url)
    assert parts_of(page) == {"head", "now", "facts", "latest", "history"}
    version = version_of(page)
    with CaptureQueriesContext(connection) as found:
        assert anns.get(f"{url}?version={version}", headers=HTMX).status_code == 204
    assert not any('"stdout"' in one["sql"] for one in found.captured_queries)
    other.sync()  # it is not silent any more, as stands beside its output
    assert parts_of(text(anns, f"{url}?version={version}", **HTMX)) == {"latest"}
    version = version_of(text(anns, url))
    other.report(other.ran(schedule, due, state="running"))
    changed = text(anns, f"{url}?version={version}", **HTMX)
    assert parts_of(changed) == {"now", "history"}
    other.report(other.ran(schedule, due, stdout="<b>done</b>"))
    changed = text(anns, f"{url}?version={version_of(changed)}", **HTMX)
    assert parts_of(changed) == {"now", "latest", "history"}
    assert "&lt;b&gt;done" in changed
    anns.post(f"{url}pause/")
    assert "head" in parts_of(text(anns, f"{url}?version={version_of(changed)}", **HTMX))


def test_an_agent_that_falls_silent_is_marked_beside_its_output_within_a_minute(time, anns, agent, every, monitor):
    schedule = every("every 1 hours")
    agent.sync()
    url = f"{LIST}{schedule.pk}/"
    page = text(anns, url)
    assert "silent" not in page
    time.move(31)
    assert "silent" in text(anns, f"{url}?version={version_of(page)}", **HTMX)
    anns.post(f"{url}run-now/")
    agent.row.__class__.objects.update(removed=time.time)
    assert "silent" not in text(anns, url)


def test_outputs_of_very_many_agents_are_shown_when_they_are_asked_for(anns, every, monkeypatch):
    monkeypatch.setattr(one_page, "MOST_COLUMNS", 2)
    for number in range(3):
        Spoken(f"node{number}")
    schedule = every()
    page = text(anns, f"{LIST}{schedule.pk}/")
    assert 'aria-label="node2"' not in page
    assert "1 more agent:" in page
    assert 'aria-label="node2"' in text(anns, f"{LIST}{schedule.pk}/?outputs=all")


def test_long_outputs_lead_to_the_whole(time, anns, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000, stdout="x" * 5000 + "y", stdout_size=9000)
    agent.report(item)
    page = text(anns, f"{LIST}{schedule.pk}/")
    assert "see all that is kept" in page
    assert "x" * 4000 not in page
    page = text(anns, f"{LIST}executions/{item['id']}/")
    assert "x" * 5000 + "y" in page
    assert "of which the beginning and the end are kept" in page


def test_a_schedule_of_jobs_leads_to_its_jobs(time, anns, every, monitor):
    schedule = every("every 1 hours", job_type="COMMAND", job_values={"command": ["true"]})
    time.move(3601)
    monitor()
    job = Execution.objects.get().job
    assert f"/jobs/{job.pk}/" in text(anns, f"{LIST}{schedule.pk}/")


def test_a_job_that_fails_later_changes_list_and_page(time, anns, every, monitor):
    schedule = every("every 1 hours", job_type="COMMAND", job_values={"command": ["true"]})
    time.move(3601)
    monitor()
    lists = version_of(text(anns, LIST, **HTMX))
    pages = version_of(text(anns, f"{LIST}{schedule.pk}/"))
    job = Execution.objects.get().job
    Job.objects.filter(pk=job.pk).update(status_code="ERR", status_message="no such file")
    assert "Last executions: 1 error" in text(anns, f"{LIST}?version={lists}", **HTMX)
    changed = text(anns, f"{LIST}{schedule.pk}/?version={pages}", **HTMX)
    assert parts_of(changed) == {"now", "history"}
    assert "no such file" in changed
    assert job.name in text(anns, f"{LIST}{schedule.pk}/?outcome=failed")
    for other in ("ran", "running"):
        assert job.name not in text(anns, f"{LIST}{schedule.pk}/?outcome={other}")


def test_one_that_starts_later_says_when(time, anns, every):
    schedule = every(start=time.time + timedelta(days=2))
    assert "<dt>Starts</dt>" in text(anns, f"{LIST}{schedule.pk}/")
    time.move(3 * 86_400)
    assert "<dt>Starts</dt>" not in text(anns, f"{LIST}{schedule.pk}/")


def test_a_paused_one_that_still_runs_is_looked_at_as_often_as_any(time, anns, agent, every):
    schedule = every()
    url = f"{LIST}{schedule.pk}/"
    anns.post(f"{url}pause/")
    assert "data-active" not in text(anns, url)
    anns.post(f"{url}run-now/")
    assert "data-active" in text(anns, url)
