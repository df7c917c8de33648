"""Health, for operators: what is stuck and why, who lives, which schedulers answer."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.conf import conf
from jobs.models import Action, Heartbeat, Intent, Scheduler, job_rows
from jobs.status import Status
from jobs.testing import fake_clock, settle
from jobs.types import Plugin, register, unregister
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    """The clock of this process, moved by the test only."""
    with fake_clock() as moved:
        yield moved


@pytest.fixture
def beat():
    """A function that writes a sign of life of a process."""

    def write(kind, age=0.0):
        now = timezone.now()
        Heartbeat.objects.create(
            kind=kind, holder=f"{kind}{age}", host="node-7", pid=4711, started=now, time=now - timedelta(seconds=age)
        )

    return write


@pytest.fixture
def wish():
    """A function that writes down that something was asked for so many seconds ago."""

    def write(job, action=Action.RUN, age=120.0, **values):
        then = timezone.now() - timedelta(seconds=age)
        return Intent.objects.create(job=job, action=action, attempt=1, created=then, next_try=then, **values)

    return write


def page(browser) -> str:
    response = browser.get("/jobs/health/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- who may see it


def test_who_is_not_staff_is_told_who_may(anns):
    response = anns.get("/jobs/health/")

    assert response.status_code == 403
    assert "staff" in response.content.decode()
    assert "Processes" not in response.content.decode()


def test_a_page_that_stands_while_its_reader_ceases_to_be_staff_is_told_so_as_text(anns):
    response = anns.get("/jobs/health/", headers=HTMX)

    assert (response.status_code, response.headers["Content-Type"]) == (403, "text/plain")
    assert "staff" in response.content.decode()


def test_who_is_not_logged_in_is_led_to_the_login(client):
    assert client.get("/jobs/health/").headers["Location"].startswith("/accounts/login/")


def test_only_staff_have_it_in_their_navigation(anns, staffs):
    assert "/jobs/health/" not in anns.get("/jobs/").content.decode()
    assert "/jobs/health/" in staffs.get("/jobs/").content.decode()


# --- what is stuck


def test_where_all_is_well_nothing_is_stuck(staffs, beat, new_job, fake):
    beat("worker")
    beat("monitor")
    new_job(status=Status.RUNNING)
    new_job().execute()
    settle()

    shown = page(staffs)

    assert "Nothing is stuck." in shown
    assert "No worker lives" not in shown


def test_a_wish_that_waits_says_whose_and_why(staffs, beat, new_job, wish, bob):
    beat("worker")
    beat("monitor")
    wish(new_job("waits"), requested_by=bob, tries=7, last_error="the pool refuses the login")
    wish(new_job("never-taken"), sends=5)
    wish(new_job("young"), age=5)

    shown = page(staffs)

    assert "<bdi>waits</bdi>" in shown
    assert "Run, asked for by bob" in shown
    assert "Tried 7 times so far. the pool refuses the login" in shown
    assert "5 wake-ups were sent, and no worker took one" in shown
    assert "<bdi>young</bdi>" not in shown


def test_a_young_wish_that_was_tried_often_is_stuck_too(staffs, beat, new_job, wish):
    beat("worker")
    wish(new_job("hopeless"), age=5, tries=4, last_error="it crashed")

    assert "it crashed" in page(staffs)


def test_without_a_worker_that_is_the_reason(staffs, beat, new_job, wish):
    beat("monitor")
    beat("worker", age=conf.HEARTBEAT_AGE + 5)
    wish(new_job(), last_error="something older")

    shown = page(staffs)

    assert "No worker lives: jobs are neither started" in shown
    assert "No worker lives, so nobody carries it out" in shown


def test_a_deletion_that_hangs_is_named_without_a_link_that_leads_nowhere(staffs, beat, new_job, wish):
    beat("worker")
    job = new_job("goes")
    job_rows().filter(pk=job.pk).update(hidden=True)
    wish(job, Action.DELETE)

    shown = page(staffs)

    assert "<bdi>goes</bdi>" in shown
    assert f'href="/jobs/{job.pk}/"' not in shown


def test_jobs_whose_scheduler_is_away_are_one_line(staffs, beat, new_job, fake):
    beat("worker")
    beat("monitor")
    for _ in range(3):
        new_job().execute()
    settle()
    fake.away = True
    settle()

    shown = page(staffs)

    assert "3 active jobs at fake" in shown
    assert "fake does not answer: the fake engine is away" in shown
    assert "away, asked" in shown


def test_jobs_that_nobody_watches_are_one_line(staffs, beat, new_job, fake):
    new_job().execute()
    settle()
    Scheduler.objects.update(lease_holder="", lease_expires=None)

    assert "No monitor watches fake" in page(staffs)


def test_results_that_nobody_processes(staffs, beat, new_job, clock):
    job = new_job("ready", process_results_function="tests.exampleapp.results.count", status=Status.RESULTS_READY)
    clock.move(61)
    Heartbeat.objects.create(kind="worker", holder="w", host="h", pid=1, started=clock(), time=clock())

    assert "Results are not processed" in page(staffs)
    job_rows().filter(pk=job.pk).update(claim="node-7:1:x", claim_expires=clock() + timedelta(seconds=9), tries=2)
    assert "Begun 2 times; the process that does it died. Worker node-7:1:x is at it" in page(staffs)


def test_jobs_whose_type_is_gone(staffs, beat, new_job):
    gone = ContentType.objects.create(app_label="gone", model="gone")
    waits, over = new_job("orphan", status=Status.RUNNING), new_job("finished", status=Status.COMPLETE)
    job_rows().filter(pk__in=[waits.pk, over.pk]).update(polymorphic_ctype=gone)

    shown = page(staffs)

    assert "<bdi>orphan</bdi>" in shown
    assert "The app of its type is not installed" in shown
    assert "<bdi>finished</bdi>" not in shown


# --- the rest of the page


def test_processes_and_schedulers_are_listed(staffs, beat):
    beat("worker")
    beat("monitor", age=conf.HEARTBEAT_AGE + 100)
    Scheduler.objects.create(name="pool", type="condor", failures=9, last_error="refused", lease_holder="node-7:1:x")

    shown = page(staffs)

    assert "4711" in shown
    assert "silent" in shown
    assert "away, asked 9 times" in shown
    assert "No monitor lives" in shown


def test_what_plugins_say_of_themselves_is_there(staffs):
    plugin = Plugin("farm", health=lambda: {"free_workers": 3})
    register(plugin)
    try:
        assert "<dt>Free workers</dt><dd>3</dd>" in page(staffs)
    finally:
        unregister(plugin)


def test_html_in_names_and_errors_is_text(staffs, new_job, wish, beat):
    beat("worker")
    wish(new_job("<script>a"), last_error="<script>b", tries=4)
    Scheduler.objects.create(name="<script>c", type="condor", failures=1, last_error="<script>d")

    for letter in "abcd":
        assert f"<script>{letter}" not in page(staffs)


def test_its_own_script_gets_only_what_changes(staffs):
    answer = staffs.get("/jobs/health/", headers=HTMX).content.decode()

    assert "<html" not in answer
    assert "Processes" in answer


def test_the_number_of_queries_does_not_depend_on_how_much_is_stuck(staffs, new_job, wish, beat, record_property):
    beat("worker")
    page(staffs)
    wish(new_job(), requested_by=None)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(staffs)
    for number in range(20):
        job = new_job(status=[None, Status.RESULTS_READY][number % 2])
        wish(job, requested_by=job.user, tries=5)
        Scheduler.objects.create(name=f"pool {number}", type="condor", failures=1, last_error="away")
    with CaptureQueriesContext(connection) as many:
        page(staffs)

    record_property("figures", f"health page: {len(many)} queries with one stuck job and with twenty")
    assert len(few) == len(many) <= 16
