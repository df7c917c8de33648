"""The page of schedulers, for operators: what is in reach, and a button that tests."""

import base64
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import scheduler_test
from jobs.condor.models import CondorScheduler
from jobs.engine import Check, EngineUnavailable, Supports
from jobs.models import Scheduler
from jobs.testing import settle
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db

URL = "/jobs/schedulers/"


def test_url(scheduler) -> str:
    return f"{URL}{scheduler.pk}/test/"


test_url.__test__ = False


def page(browser, **headers) -> str:
    response = browser.get(URL, **headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def shown(browser) -> str:
    """What a reader sees of the page, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page(browser)).split())


@pytest.fixture
def pool(fake):
    """A scheduler whose engine can test it."""
    fake.supports = Supports(test=True)
    fake.test = lambda scheduler: [
        Check("Reach", True, "pool.example.org answers"),
        Check("Login", False, "the token has expired; enter a new one"),
        Check("Submission", None),
    ]
    return Scheduler.objects.create(name="pool", type="fake", host="pool.example.org")


@pytest.fixture
def root():
    """The browser of somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root"))
    return client


# --- who gets in


def test_who_is_not_staff_is_told_who_may(anns, pool):
    response = anns.get(URL)

    assert response.status_code == 403
    assert "staff" in response.content.decode()
    assert "pool.example.org" not in response.content.decode()


def test_a_page_that_stands_while_its_reader_ceases_to_be_staff_is_told_so_as_text(anns, pool):
    response = anns.get(URL, headers=HTMX)

    assert (response.status_code, response.headers["Content-Type"]) == (403, "text/plain")


def test_who_is_not_staff_tests_nothing(anns, pool):
    assert anns.post(test_url(pool)).status_code == 403
    assert anns.post(test_url(pool), headers=HTMX).status_code == 403
    pool.refresh_from_db()
    assert pool.test_wanted is None


def test_who_is_not_logged_in_is_led_to_the_login(client, pool):
    assert client.get(URL).headers["Location"].startswith("/accounts/login/")
    assert client.post(test_url(pool)).headers["Location"].startswith("/accounts/login/")
    assert client.get(URL, headers=HTMX).status_code == 401
    pool.refresh_from_db()
    assert pool.test_wanted is None


def test_a_test_is_asked_for_by_post_only(staffs, pool):
    assert staffs.get(test_url(pool)).status_code == 405
    assert staffs.post(URL).status_code == 405
    pool.refresh_from_db()
    assert pool.test_wanted is None


def test_a_test_needs_the_token_against_forgery(staff, pool):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(staff)

    assert browser.post(test_url(pool)).status_code == 403
    pool.refresh_from_db()
    assert pool.test_wanted is None


def test_only_staff_have_it_in_their_navigation(anns, staffs):
    assert URL not in anns.get("/jobs/").content.decode()
    assert URL in staffs.get("/jobs/").content.decode()


# --- what it shows


def test_without_a_scheduler_it_says_how_there_will_be_one(staffs):
    text = shown(staffs)

    assert "No scheduler yet" in text
    assert "make run" in text


def test_a_scheduler_is_shown_with_its_place_and_its_jobs(staffs, new_job, fake):
    new_job().execute()
    settle()
    Scheduler.objects.filter(name="fake").update(host="node-7")

    text = shown(staffs)

    assert "fake" in text
    assert "in reach" in text
    assert "Host node-7" in text
    assert "Active jobs 1" in text
    assert "/jobs/?scheduler=fake" in page(staffs)


def test_a_scheduler_that_is_away_says_why_and_since_when(staffs, pool):
    then = timezone.now() - timedelta(minutes=3)
    Scheduler.objects.filter(pk=pool.pk).update(failures=4, last_error="connection refused", last_error_time=then)

    text = shown(staffs)

    assert "away, asked 4 times" in text
    assert "connection refused 3 min ago" in text


def test_the_trouble_of_one_that_came_back_is_told_as_past(staffs, pool):
    Scheduler.objects.filter(pk=pool.pk).update(last_error="connection refused", last_error_time=timezone.now())

    assert "It is in reach again. Its last error was: connection refused" in shown(staffs)


def test_active_jobs_that_nobody_watches_are_no_good_state(staffs, new_job, fake):
    new_job().execute()
    settle()
    Scheduler.objects.update(lease_expires=None)

    assert "not watched" in shown(staffs)


def test_html_in_names_addresses_and_answers_is_text(staffs, pool, fake):
    fake.test = lambda scheduler: [Check("<i>a", True, "<i>b")]
    Scheduler.objects.filter(pk=pool.pk).update(name="<i>c", host="<i>d", last_error="<i>e", failures=1)
    CondorScheduler.objects.create(name="lab", address="<i>f")
    scheduler_test.want_test(pool)
    scheduler_test.run_test(pool.pk)

    assert "<i>" not in page(staffs)
    assert "&lt;i&gt;b" in page(staffs)


def test_the_number_of_queries_does_not_depend_on_how_many_there_are(root, pool):
    page(root)
    with CaptureQueriesContext(connection) as few:
        page(root)
    for number in range(20):
        Scheduler.objects.create(name=f"pool {number}", type="fake")
        CondorScheduler.objects.create(name=f"lab {number}", address="cm.example.org")
    with CaptureQueriesContext(connection) as many:
        page(root)

    assert len(few) == len(many)


# --- a pool and its token


def test_a_pool_is_shown_with_its_address_and_never_with_its_token(root):
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "jobs@lab"}).encode()).decode().rstrip("=")
    token = f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2VjcmV0c2lnbmF0dXJl"
    lab = CondorScheduler.objects.create(name="lab", address="cm.example.org:9618", token=token)
    lab.refresh_from_db()
    assert lab.token.reveal() == token

    for url in (URL, "/jobs/health/", "/healthz", "/jobs/", "/jobs/new/CONDOR/"):
        for headers in ({}, HTMX):
            text = root.get(url, headers=headers).content.decode()
            assert token not in text
            assert "c2VjcmV0c2lnbmF0dXJl" not in text
            assert lab.token.encrypted not in text
    assert "Address cm.example.org:9618" in shown(root)


def test_who_may_change_schedulers_gets_the_way_to_the_admin(root, staffs, pool):
    lab = CondorScheduler.objects.create(name="lab", address="cm.example.org")
    links = [f"/admin/jobs/scheduler/{pool.pk}/change/", f"/admin/jobs_condor/condorscheduler/{lab.pk}/change/"]
    add = "/admin/jobs_condor/condorscheduler/add/"

    assert all(f'href="{link}"' in page(root) for link in [*links, add])
    assert not any(f'href="{link}"' in page(staffs) for link in [*links, add])


def test_the_way_to_the_admin_follows_each_permission(staff, staffs):
    lab = CondorScheduler.objects.create(name="lab", address="cm.example.org")
    staff.user_permissions.add(Permission.objects.get(codename="change_condorscheduler"))

    assert f"/admin/jobs_condor/condorscheduler/{lab.pk}/change/" in page(staffs)
    assert "/admin/jobs_condor/condorscheduler/add/" not in page(staffs)


# --- testing


def test_what_cannot_be_tested_has_no_button(staffs, fake):
    row = Scheduler.objects.create(name="plain", type="fake")
    gone = Scheduler.objects.create(name="gone", type="an engine that is not installed")

    assert test_url(row) not in page(staffs)
    assert test_url(gone) not in page(staffs)


@pytest.mark.parametrize("kind", ["fake", "not installed"])
def test_asking_to_test_what_cannot_be_tested_is_refused_in_words(staffs, fake, kind):
    row = Scheduler.objects.create(name="plain", type=kind)

    plain = staffs.post(test_url(row))
    by_script = staffs.post(test_url(row), headers=HTMX)

    assert (plain.status_code, by_script.status_code) == (409, 409)
    assert "no connection that could be tested" in plain.content.decode()
    assert "no connection that could be tested" in by_script.content.decode()
    row.refresh_from_db()
    assert row.test_wanted is None


def test_a_scheduler_that_is_not_there_is_404(staffs):
    assert staffs.post(f"{URL}4711/test/").status_code == 404


def test_a_test_is_wanted_carried_out_and_shown(staffs, pool):
    assert "Nobody has tested the connection yet." in shown(staffs)
    assert "not tested yet" in shown(staffs)

    response = staffs.post(test_url(pool))
    assert response.headers["Location"] == URL
    assert "pool is being tested" in shown(staffs)
    assert scheduler_test.due() == [pool.pk]

    scheduler_test.run_test(pool.pk)
    text = shown(staffs)
    assert "Tested just now" in text
    assert "Reach passed: pool.example.org answers" in text
    assert "Login failed: the token has expired; enter a new one" in text
    assert "Submission not looked at" in text
    assert "did not pass its last test" in text
    assert "Testing…" not in text


def test_a_test_that_all_passed_says_in_reach(staffs, pool, fake):
    fake.test = lambda scheduler: [Check("Reach", True)]
    staffs.post(test_url(pool))
    scheduler_test.run_test(pool.pk)

    assert "in reach" in shown(staffs)


def test_an_engine_that_is_away_is_what_the_test_found(staffs, pool, fake):
    def away(scheduler):
        raise EngineUnavailable("nobody answers at pool.example.org")

    fake.test = away
    staffs.post(test_url(pool))
    scheduler_test.run_test(pool.pk)

    assert "Test failed: nobody answers at pool.example.org" in shown(staffs)


def test_while_a_test_goes_on_the_page_looks_often_and_without_a_script_reloads(staffs, pool):
    still = page(staffs)
    staffs.post(test_url(pool))
    waits = page(staffs)

    for sign in ("data-active", '<noscript><meta http-equiv="refresh"'):
        assert sign not in still
        assert sign in waits
    assert "Testing…" in waits


def test_the_pages_own_script_gets_what_changes_and_looks_again_soon(staffs, pool):
    response = staffs.post(test_url(pool), headers=HTMX)

    assert response.status_code == 200
    assert response.headers["HX-Trigger"] == "jobs:acted"
    assert "<html" not in response.content.decode()
    assert "Testing…" in response.content.decode()
    assert "<html" not in page(staffs, headers=HTMX)


def test_a_test_that_no_worker_takes_up_says_so(staffs, pool):
    long_ago = timezone.now() - timedelta(seconds=30)
    Scheduler.objects.filter(pk=pool.pk).update(test_wanted=long_ago)

    text = shown(staffs)

    assert "no worker has taken it up" in text
    assert "30 s ago" in text


def test_a_test_that_a_worker_is_at_is_not_late(staffs, pool):
    Scheduler.objects.filter(pk=pool.pk).update(test_wanted=timezone.now() + scheduler_test.LONGEST)

    assert "Testing…" in shown(staffs)


def test_the_last_test_stands_while_the_next_goes_on(staffs, pool):
    scheduler_test.want_test(pool)
    scheduler_test.run_test(pool.pk)
    staffs.post(test_url(pool))

    assert "the token has expired" in shown(staffs)
    assert "Testing…" in shown(staffs)
