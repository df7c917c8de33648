"""How an app's table keeps itself fresh: one request for all of it, with the options as this site has signed them."""

import html
import re

import pytest
from django.contrib.auth.models import Group
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.manager import JobManager
from jobs.models import Job
from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.web.tables import JobsTable
from tests.web import my_first_app
from tests.web.conftest import HTMX

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.my_first_app")]
MANAGER = JobManager("jobs")


class Opened:
    """A page that is open in somebody's browser, with one table."""

    def __init__(self, browser: Client, text: str):
        self.browser = browser
        self.text = text
        self.options = html.unescape(re.search(r'name="options" value="([^"]*)"', text)[1]) if "options" in text else ""
        self.known = known(text)

    def refresh(self, **changed):
        """What the page's script asks; in a browser that does check forms, as real ones do."""
        self.browser.handler.enforce_csrf_checks = True
        data = {"options": self.options, "known": self.known} | changed
        return self.browser.post("/jobs/table/", data, headers=HTMX)


def known(text: str) -> str:
    rows = re.findall(r'<tr id="jobs\d+-job-(\d+)".*?data-signature="(\w+)"', text)
    return ",".join(f"{key}.{signature}" for key, signature in rows)


@pytest.fixture
def open_page(monkeypatch):
    def open_it(browser, table) -> Opened:
        monkeypatch.setattr(my_first_app, "tables", lambda user: [table])
        return Opened(browser, browser.get("/my-first-app/").content.decode())

    return open_it


def report(job, status, **values):
    transition([Change(job.pk, 1, status, **values)], source="test")


def test_nothing_changed_is_204_and_costs_three_queries(anns, ann, new_job, open_page):
    for number in range(20):
        new_job(status=Status.RUNNING if number % 2 else None)
        new_job().execute()
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann), ["name", "description", "command_line", "run_time"]))
    page.refresh()

    with CaptureQueriesContext(connection) as queries:
        response = page.refresh()

    assert (response.status_code, response.content) == (204, b"")
    assert len(queries) == 3


@pytest.mark.parametrize("make", [MANAGER.list_jobs, lambda: list(Job.objects.all()), lambda: my_first_app.running])
def test_three_queries_are_enough_whatever_the_jobs_come_from_and_whosever_they_are(
    bobs, bob, new_job, open_page, make
):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    new_job(groups=[group], status=Status.RUNNING)
    new_job(user=bob, status=Status.RUNNING)
    page = open_page(bobs, JobsTable(make()))
    page.refresh()

    with CaptureQueriesContext(connection) as queries:
        response = page.refresh()

    assert response.status_code == 204
    assert page.known.count(".") == 2
    assert len(queries) == 3


def test_a_run_that_goes_on_is_no_change(anns, ann, new_job, open_page, monkeypatch):
    from datetime import timedelta

    from jobs import clock

    new_job(status=Status.RUNNING)
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann), ["run_time", "creation_time"]))
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert page.refresh().status_code == 204


def test_only_the_row_that_changed_is_sent(anns, ann, new_job, open_page):
    still, moving = new_job(), new_job(status=Status.RUNNING)
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann)))
    report(moving, Status.RUNNING, progress=40, message="year 2013")

    answer = page.refresh().content.decode()

    assert f'<tr id="jobs1-job-{moving.pk}"' in answer
    assert 'value="40.0"' in answer
    assert "year 2013" in answer
    assert f"jobs1-job-{still.pk}" not in answer


def test_a_value_that_changed_is_sent(anns, ann, new_job, open_page):
    job = new_job()
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann), ["extended_properties.rain"]))
    job.extended_properties = {"rain": 7}
    job.save()

    assert ">7<" in page.refresh().content.decode()


@pytest.mark.parametrize("make", [lambda ann: MANAGER.list_jobs(ann), lambda ann: my_first_app.running])
def test_a_new_job_comes_in(anns, ann, new_job, open_page, make):
    first = new_job(status=Status.RUNNING)
    page = open_page(anns, JobsTable(make(ann)))
    new_job("newcomer", status=Status.RUNNING)

    answer = page.refresh().content.decode()

    assert "newcomer" in answer
    assert "afterbegin:#jobs1-rows" in answer
    assert f'<tr id="jobs1-job-{first.pk}"' not in answer


def test_filters_of_the_job_manager_hold_at_each_refresh(anns, ann, new_job, open_page):
    job = new_job(status=Status.RUNNING)
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann, status_code="RUN")))
    new_job("pending")
    other = new_job("another that runs", status=Status.RUNNING)
    report(job, Status.COMPLETE)

    answer = page.refresh().content.decode()

    assert "pending" not in answer
    assert f'<tr id="jobs1-job-{other.pk}"' in answer
    assert f'<tr id="jobs1-job-{job.pk}" hx-swap-oob="delete">' in answer


@pytest.mark.parametrize("make", [lambda ann: list(MANAGER.list_jobs(ann)), lambda ann: MANAGER.list_jobs(ann)[:5]])
def test_a_list_and_a_slice_keep_to_their_jobs(anns, ann, new_job, open_page, make):
    job = new_job()
    page = open_page(anns, JobsTable(make(ann)))
    new_job("newcomer")

    assert page.refresh().status_code == 204

    job.delete()
    assert 'hx-swap-oob="delete"' in page.refresh().content.decode()


def test_rows_that_changed_places_come_all_together(anns, ann, new_job, open_page):
    new_job("a"), new_job("b")
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann), ["name"], sort="description"))
    Job.objects.filter(name="b").update(description="z")

    answer = page.refresh().content.decode()

    assert '<tbody role="rowgroup" id="jobs1-rows" hx-swap-oob="true">' in answer
    assert answer.index(">a</bdi>") < answer.index(">b</bdi>")


def test_a_job_that_is_no_longer_shared_is_taken_out(bobs, bob, new_job, open_page):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job(groups=[group])
    page = open_page(bobs, JobsTable(MANAGER.list_jobs()))
    job.groups.clear()

    assert f'<tr id="jobs1-job-{job.pk}" hx-swap-oob="delete">' in page.refresh().content.decode()


def test_a_second_page_stays_a_second_page(anns, ann, new_job, monkeypatch):
    for number in range(4):
        new_job(f"n{number}")
    monkeypatch.setattr(my_first_app, "tables", lambda user: [JobsTable(MANAGER.list_jobs(ann), ["name"], page_size=2)])
    before = MANAGER.list_jobs(ann)[1].pk
    page = Opened(anns, anns.get("/my-first-app/", {"jobs1-before": before}).content.decode())
    new_job("newcomer")

    assert page.refresh().status_code == 204


def test_the_refresh_is_told_in_the_page_and_can_be_left_out(anns, ann, open_page):
    assert 'data-interval="2500"' in open_page(anns, JobsTable([], refresh_interval=2500)).text
    assert 'data-interval="1000"' in open_page(anns, JobsTable([], refresh_interval=1)).text
    assert "data-poll" not in open_page(anns, JobsTable([], refresh_interval=0)).text


# --- refusals


def test_after_the_login_ended_it_leads_to_the_login_page(anns, ann, new_job, open_page):
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann)))
    anns.logout()

    response = page.refresh()

    assert response.status_code == 401
    assert response.headers["HX-Redirect"].startswith("/accounts/login/?next=")


def test_a_get_is_405(anns, ann, open_page):
    page = open_page(anns, JobsTable([]))

    assert anns.get("/jobs/table/", {"options": page.options}).status_code == 405


@pytest.mark.parametrize(
    "alter", [lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), lambda text: "", lambda text: "x:y:z"]
)
def test_altered_options_are_400(anns, ann, new_job, open_page, alter):
    new_job("only")
    page = open_page(anns, JobsTable(MANAGER.list_jobs(ann)))

    response = page.refresh(options=alter(page.options))

    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "Reload the page" in response.content.decode()


def test_options_signed_for_something_else_are_400(anns, ann, open_page):
    page = open_page(anns, JobsTable([]))
    told = signing.loads(page.options, salt="jobs.web.tables.JobsTable")

    assert page.refresh(options=signing.dumps(told, salt="another")).status_code == 400


def test_another_persons_options_are_403(anns, bobs, bob, ann, new_job, open_page):
    new_job("secret", user=ann)
    page = open_page(anns, JobsTable(MANAGER.list_jobs()))
    page.browser = bobs

    response = page.refresh()

    assert response.status_code == 403
    assert "somebody else" in response.content.decode()


def test_old_options_are_403(anns, ann, open_page, monkeypatch, settings):
    page = open_page(anns, JobsTable([]))
    moment = signing.time.time() + settings.SESSION_COOKIE_AGE + 60
    monkeypatch.setattr(signing.time, "time", lambda: moment)

    # The session ends at the same age; this one goes on.
    session = anns.session
    session.save()
    response = page.refresh()

    assert response.status_code == 403
    assert "too old" in response.content.decode()


def test_options_of_another_release_are_403(anns, ann, open_page):
    page = open_page(anns, JobsTable([]))
    told = signing.loads(page.options, salt="jobs.web.tables.JobsTable")
    del told["table"]["columns"]

    response = page.refresh(options=signing.dumps(told, salt="jobs.web.tables.JobsTable"))

    assert response.status_code == 403
    assert "renewed" in response.content.decode()
