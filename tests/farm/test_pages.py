"""The pages of a run: what its overview says, the lists of its tasks, its workers."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from jobs import clock
from jobs.farm.models import FarmWorker, TaskState
from jobs.farm.pages.standing import rate_in_words
from jobs.manager import JobManager
from jobs.testing import fake_clock, settle
from tests.farm.pages import body, browser, drawn, restarts, tasks, text, workers

pytestmark = pytest.mark.django_db


@pytest.fixture
def anns(ann) -> Client:
    return browser(ann)


# --- the overview


def test_the_tabs_are_named_and_styled(anns, farm):
    html = anns.get(f"/jobs/{farm(5).run.pk}/tab/tasks/").content.decode()
    tabs = re.findall(r'<a href="[^"]+"[^>]*>(\w+)</a>', html.partition('aria-label="Job"')[2].partition("</nav>")[0])
    assert tabs == ["Overview", "Log", "Results", "Tasks", "Workers", "Attempts"]
    assert "jobs_farm/pages.css" in html


def test_the_overview_says_how_far_a_run_is_and_how_fast(anns, farm):
    with fake_clock() as now:
        run = farm(100)
        settle()
        run.do(20)
        run.fail(2)
        run.take(3)
        now.move(10)
        settle()
        said = text(anns, run.run)
    assert "Tasks 100, 20 % computed Done 20 Failed 2 Computing 3 Waiting 75" in said
    assert "Rate 2.2 per second Left about 35 s" in said
    assert re.search(r"As of \d\d:\d\d:\d\d Workers 1 heard of in the last minute Lease none", said)


def test_the_overview_says_how_a_worker_is_started(anns, farm):
    run = farm(5).run
    said = text(anns, run)
    assert f"python3 jobdeck-worker.pyz http://testserver/api/jobs/{run.uuid}/farm/ -- command {{task}}" in said
    assert "No worker has asked for its tasks within the last minute." in said


def test_a_run_that_is_over_asks_for_no_worker(anns, farm):
    run = farm(2)
    run.do(2)
    assert run.status == "Complete"
    said = text(anns, run.run)
    assert "Tasks 2, 100 % computed" in said
    assert "jobdeck-worker.pyz" not in said
    assert "No worker has asked" not in said
    assert " Rate " not in said


def test_lease_tries_and_participants_are_said(anns, farm, bob):
    run = farm(5, lease_seconds=90, max_tries=4).run
    run.participants.add(bob)
    assert "Lease 1 m 30 s, 4 tries May work on it ann, bob" in text(anns, run)


def test_a_run_that_was_not_started_is_shown_as_that(anns, ann):
    run = JobManager("farm").create_job("new", ann, "FARM", num_tasks=30)
    assert "once the run is started" in text(anns, run)
    html = body(anns, run, "tab/tasks/")
    assert drawn(html) == {"waiting": set(range(30))}
    assert restarts(html) == []
    assert "No worker yet" in workers(anns, run)


def test_totals_that_nobody_counts_any_more_are_not_passed_off_as_fresh(anns, farm):
    with fake_clock() as now:
        run = farm(5)
        run.take()
        settle()
        assert "the monitor, which does that, may not be running" not in text(anns, run.run)
        now.move(11)
        assert "the monitor, which does that, may not be running" in text(anns, run.run)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0, ""),
        (1e-9, ""),
        (1234.4, "1,234 per second"),
        (9.96, "10 per second"),
        (2, "2 per second"),
        (0.5, "30 per minute"),
        (1 / 40, "1.5 per minute"),
        (1 / 1800, "2 per hour"),
        (1 / 43200, "2 per day"),
    ],
)
def test_a_rate_is_said_in_the_unit_in_which_it_is_a_number(rate, words):
    assert rate_in_words(rate) == words


# --- failed and slow tasks


def test_failed_tasks_stand_there_with_their_messages_and_workers_twenty_on_a_page(anns, farm):
    run = farm(100)
    run.do(5)
    run.fail(45, message="no <wind>")
    settle()
    first = tasks(anns, run.run)
    assert (
        "Failed tasks Task Message Took Tries Worker Ended 5 no &lt;wind&gt; &lt; 1 s 1 node1:7 just now 6 no" in first
    )
    assert first.count("no &lt;wind&gt;") == 20
    assert '<a href="?after=24">Next</a>' in body(anns, run.run, "tab/tasks/")
    last = body(anns, run.run, "tab/tasks/?after=44")
    assert last.count("no &lt;wind&gt;") == 5
    assert "Next" not in last
    assert tasks(anns, run.run, "?after=x").count("no &lt;wind&gt;") == 20


def test_of_a_long_message_the_beginning_and_the_end_are_shown(anns, farm):
    run = farm(3)
    run.fail(message="Traceback" + "x" * 2000 + "ValueError: no wind")
    settle()
    said = tasks(anns, run.run)
    assert "Traceback" in said
    assert "ValueError: no wind" in said
    assert "x" * 401 not in said


def test_the_slowest_tasks_come_first_those_that_are_computed_now_among_them(anns, farm):
    with fake_clock() as now:
        run = farm(20)
        slow = run.take()
        now.move(5)
        quick = run.take()
        now.move(1)
        run.say(quick, TaskState.DONE)
        now.move(3600)
        run.say(slow, TaskState.DONE)
        now.move(10)
        run.take()
        now.move(600)
        settle()
        said = tasks(anns, run.run)
    assert "0 done 1 h 00 m 1 node1:7 2 computing 10 m 00 s 1 node1:7 1 done 1 s 1 node1:7" in said
    assert "Looked for among" not in said


def test_where_a_long_run_is_not_searched_as_a_whole_the_page_says_where(anns, farm, monkeypatch):
    monkeypatch.setattr("jobs.farm.pages.lists.LOOKED_AT", 2)
    with fake_clock() as now:
        run = farm(3000)
        first = run.take()
        run.do(499)
        hidden = run.take()
        now.move(60)
        run.say(hidden, TaskState.DONE)
        run.do(499)
        run.do(500)
        now.move(600)
        run.do(1)
        run.say(first, percent=5)
        settle()
        said = tasks(anns, run.run)
    assert "0 computing 11 m 00 s" in said
    assert "1 m 00 s" not in said.replace("11 m 00 s", "")
    assert "Looked for among 1,000 tasks" in said


# --- workers


def test_workers_are_shown_with_host_pid_signs_of_life_rate_and_what_they_have(anns, farm, bob):
    with fake_clock() as now:
        run = farm(200)
        run.do(1)
        now.move(600)
        run.do(19)
        run.take(4)
        run.worker = FarmWorker.objects.create(user=bob, uuid=uuid4().hex, hostname="alpha", pid=4711)
        run.take(1)
        now.move(5)
        settle()
        said = workers(anns, run.run)
    assert "2 workers" in said
    assert "alpha 4711 bob 5 s ago 0 task 24" in said
    assert "node1 7 ann 5 s ago 20 2 per minute task 20 and 3 more" in said
    assert "silent" not in said.partition("A worker that")[0]


def test_a_worker_that_was_not_heard_of_for_a_minute_is_silent(anns, farm):
    with fake_clock() as now:
        run = farm(20)
        run.do(3)
        now.move(61)
        settle()
        said = workers(anns, run.run)
    assert "0 workers and 1 silent" in said
    assert "1 min ago silent 3" in said


def test_a_worker_that_says_how_far_its_task_is_lives(anns, farm):
    with fake_clock() as now:
        run = farm(20)
        taken = run.take()
        now.move(100)
        run.say(taken, percent=40)
        now.move(2)
        settle()
        said = workers(anns, run.run)
    assert "1 worker Workers Host" in said
    assert "just now" in said


def test_a_worker_that_left_long_ago_does_not_count_as_one(anns, farm):
    run = farm(5)
    run.do(1)
    FarmWorker.objects.update(seen=clock.now() - timedelta(days=2))
    settle()
    assert "0 heard of in the last minute" in text(anns, run.run)


def test_all_results_can_be_downloaded_from_its_page_once_there_are_some(anns, farm):
    run = farm(3)
    settle()
    assert "results.csv" not in body(anns, run.run, "tab/tasks/")
    run.do(2, result='{"power": 1}')
    settle()
    links = re.findall(r'href="([^"]*results\.\w+)"', body(anns, run.run, "tab/tasks/"))
    assert [link.rpartition("/")[2] for link in links] == ["results.csv", "results.jsonl"]
    for link in links:
        assert b"power" in b"".join(anns.get(link).streaming_content)
