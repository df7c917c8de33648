"""The page of all functions, and the way to it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs import types
from jobs.functions.registry import get_function
from jobs.types import get_type
from tests.functions.conftest import allow, browser
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db

URL = "/jobs/functions/"


def shown(client, url=URL, **headers) -> str:
    """What a reader sees of a page, without tags."""
    response = client.get(url, **headers)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def card(page: str, name: str) -> str:
    """The part of the page that is about one function."""
    [found] = [part for part in re.split(r'<li class="jd-card">', page)[1:] if f'id="jd-run-{name}"' in part]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def one(client, name: str) -> str:
    return card(client.get(URL).content.decode(), name)


# --- what a card says


def test_a_card_tells_what_a_function_is_and_takes(anns):
    text = one(anns, "typed")
    assert "Give back what it was given." in text
    assert "numbers : list[float], kind : &#x27;fast&#x27; | &#x27;exact&#x27;, point : Point," in text
    assert "more : dict | None = None" in text
    assert "protected" in text
    assert "queue tests" in text


def test_a_card_tells_what_its_author_allows(anns):
    assert "Tried again up to 2 times if it fails." in one(anns, "third_time")
    assert "Ended after 1 s." in one(anns, "slow")
    assert "Run again if its worker dies." in one(anns, "repeatable")
    assert "public" in one(anns, "add")


def test_a_card_leads_to_the_form(anns):
    page = anns.get(URL).content.decode()
    assert 'href="/jobs/functions/typed/"' in page


# --- who sees what


def test_only_functions_are_shown_that_the_person_may_run(guests):
    text = shown(guests)
    assert "The sum of two whole numbers." in text
    assert "Give back what it was given." not in text


def test_a_right_for_one_function_shows_that_one(guest):
    text = shown(browser(allow(guest, "call_typed")))
    assert "Give back what it was given." in text
    assert "Fail two times." not in text


def test_the_page_needs_a_login(client):
    assert client.get(URL).status_code == 302


def test_without_any_function_the_page_teaches(guests, monkeypatch):
    monkeypatch.setattr("jobs.functions.permissions.functions", lambda: [])
    text = shown(guests)
    assert "No functions yet" in text
    assert "@job_function" in text


def test_the_page_is_in_the_navigation_and_marked_there(anns):
    link = '<a href="/jobs/functions/"{}>Functions</a>'
    assert link.format("") in anns.get("/jobs/").content.decode()
    assert link.format(' aria-current="page"') in anns.get(URL).content.decode()
    assert link.format(' aria-current="true"') in anns.get(f"{URL}add/").content.decode()


def test_staff_finds_the_workers_from_there(anns, staffs):
    assert "/jobs/functions/workers/" in staffs.get(URL).content.decode()
    assert "/jobs/functions/workers/" not in anns.get(URL).content.decode()


# --- whether it can run now


def test_a_card_counts_the_workers_that_could_take_it(anns, new_worker):
    new_worker()
    assert "1 worker" in one(anns, "typed")
    new_worker("node2:7")
    assert "2 workers" in one(anns, "typed")


@pytest.mark.parametrize(
    "worker",
    [{"silent_for": 60}, {"queues": ["gpu"]}, {"routes": []}, {"leaving": True}],
    ids=["is silent", "takes from another queue", "does not have it", "is leaving"],
)
def test_a_card_says_when_nobody_could_take_it(anns, new_worker, worker):
    new_worker(**worker)
    assert "No worker that runs has it" in one(anns, "typed")


def test_a_card_says_when_the_workers_have_another_version(anns, new_worker):
    new_worker(routes=["typed:0123456789abcdef"])
    assert "The workers that run have another version of it" in one(anns, "typed")
    new_worker(routes=[get_function("typed").route])
    assert "1 worker" in one(anns, "typed")


def test_a_name_that_begins_another_is_not_taken_for_it(anns, new_worker):
    new_worker(routes=["typed_more:0123456789abcdef"])
    assert "No worker that runs has it" in one(anns, "typed")


def test_the_page_refreshes_itself_without_its_head(anns):
    page = anns.get(URL, headers=HTMX).content.decode()
    assert "jd-cards" in page
    assert "<html" not in page


def test_the_number_of_queries_does_not_depend_on_functions_and_workers(anns, new_worker, new_function):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            anns.get(URL)
        return len(queries)

    new_worker()
    before = count()
    new_worker("node2:7")
    new_function(lambda: None, name="one_more")
    assert count() == before


# --- new jobs


def test_new_job_offers_functions_beside_what_has_a_form(anns):
    page = anns.get("/jobs/new/").content.decode()
    assert 'href="/jobs/functions/"' in page
    assert get_type("FUNCTION").description in page
    assert 'href="/jobs/new/COMMAND/"' in page


@pytest.fixture
def no_farm(monkeypatch):
    """Functions are all that every account may start."""
    monkeypatch.delitem(types._types, "FARM")


def test_whoever_may_only_run_functions_is_led_there(guests, no_farm):
    assert guests.get("/jobs/new/").headers["Location"] == URL
    assert guests.get("/jobs/new/FUNCTION/").headers["Location"] == URL


def test_where_there_is_no_function_for_a_person_none_is_offered(guests, no_farm, monkeypatch):
    monkeypatch.setattr("jobs.functions.permissions.functions", lambda: [])
    assert guests.get("/jobs/new/").status_code == 403
