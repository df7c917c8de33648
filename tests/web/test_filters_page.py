"""The list of jobs with filters: chips, the form, pages, downloads, and what an empty list teaches."""

import json
import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import job_rows
from jobs.status import Status
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def text(response) -> str:
    return response.content.decode()


def names(response) -> list[str]:
    return re.findall(r'jobs/\d+/" title="[^"]*"><bdi>([^<]*)</bdi>', text(response))


def chips(response) -> dict[str, str]:
    return dict(re.findall(r'<a class="jd-chip[^>]*>(\w+) <span class="jd-count">([\d,+]+)</span>', text(response)))


@pytest.fixture
def some(new_job):
    new_job("north", status=Status.RUNNING)
    new_job("south", status=Status.ERROR, message="exit status 3")
    new_job("east")


def test_chips_say_how_many_there_are_in_each_group(anns, some):
    assert chips(anns.get("/jobs/")) == {
        "All": "3",
        "Pending": "1",
        "Active": "1",
        "Complete": "0",
        "Failed": "1",
        "Aborted": "0",
    }


def test_a_chip_filters_keeps_the_other_filters_and_leaves_its_numbers(anns, some):
    page = anns.get("/jobs/?status=failed&text=south")

    assert names(page) == ["south"]
    assert chips(page)["All"] == "1"
    assert re.search(r'id="jd-chip-failed"[^>]*aria-current="true"', text(page))
    assert 'href="/jobs/?status=active&amp;text=south"' in text(page)
    assert 'id="jd-chip-all" href="/jobs/?text=south"' in text(page)


def test_the_form_shows_what_is_asked_for_and_keeps_the_chip(anns, some):
    page = text(anns.get("/jobs/?status=failed&text=%3Csouth%3E&type=FAKE&user=ann&created_after=7d&label=jobs"))

    assert 'name="text" value="&lt;south&gt;"' in page
    assert '<option value="FAKE" selected>' in page
    assert 'name="user" value="ann"' in page
    assert 'name="created_after" value="7d"' in page
    assert '<input type="hidden" name="status" value="failed">' in page
    assert '<details class="jd-fold" open>' in page


def test_a_value_that_cannot_be_read_is_named_and_nothing_else_is_lost(anns, some):
    page = anns.get("/jobs/?created_after=yesterday&text=south")

    assert page.status_code == 200
    assert "<strong>created_after</strong> does not filter: &#x27;yesterday&#x27; is no moment" in text(page)
    assert 'name="created_after" value="yesterday"' in text(page)
    assert names(page) == ["south"]


def test_nothing_matches_teaches_to_clear_the_filters(anns, some):
    page = text(anns.get("/jobs/?text=west"))

    assert "No jobs match" in page
    assert '<a class="jd-button" href="/jobs/">Clear filters</a>' in page
    assert "No jobs yet" not in page


def test_the_pager_keeps_filters_and_order(anns, new_job):
    for number in range(60):
        new_job(f"n{number:02}")
    new_job("other", status=Status.RUNNING)

    page = anns.get("/jobs/?status=pending&sort=oldest")
    link = re.search(r'rel="next" href="([^"]+)"', text(page)).group(1).replace("&amp;", "&")
    second = anns.get(f"/jobs/{link}")

    assert names(page) == [f"n{number:02}" for number in range(50)]
    assert names(second) == [f"n{number:02}" for number in range(50, 60)]
    assert 'href="/jobs/?status=pending&amp;sort=oldest">Oldest</a>' in text(second)


def test_a_refresh_keeps_to_the_filter_and_brings_the_chips_along(anns, new_job, known):
    new_job("run", status=Status.RUNNING)
    page = anns.get("/jobs/?status=active")
    new_job("idle")
    assert anns.get("/jobs/rows/", {"status": "active", "known": known(page)}, headers=HTMX).status_code == 204
    job = new_job("later", status=Status.RUNNING)

    response = anns.get("/jobs/rows/", {"status": "active", "known": known(page)}, headers=HTMX)

    assert f'id="job-{job.pk}"' in text(response)
    assert '<nav id="jd-chips" class="jd-chips" aria-label="Status" hx-swap-oob="true">' in text(response)
    assert chips(response)["Active"] == "2"
    assert "idle" not in text(response)


def test_a_row_that_no_longer_matches_is_taken_out(anns, new_job, known):
    job = new_job("run", status=Status.RUNNING)
    page = anns.get("/jobs/?status=pending,active")
    job_rows().filter(pk=job.pk).update(status_code=Status.COMPLETE)

    response = anns.get("/jobs/rows/", {"status": "pending,active", "known": known(page)}, headers=HTMX)

    assert f'<tr id="job-{job.pk}" hx-swap-oob="delete">' in text(response)


def test_filters_show_nothing_of_other_people(bobs, new_job):
    job = new_job("secret-plan")

    for query in (
        "user=ann",
        "text=secret",
        "status=pending",
        f"before={job.pk + 1}",
        "type=FAKE",
        "user=ann&sort=oldest",
    ):
        page = bobs.get(f"/jobs/?{query}")
        assert names(page) == []
        assert set(chips(page).values()) == {"0"}
        assert b"secret-plan" not in b"".join(bobs.get(f"/jobs/export.csv?{query}").streaming_content)


@pytest.mark.parametrize("who", ["ann", "staff"])
def test_the_first_page_needs_at_most_ten_queries(client, who, ann, staff, bob, new_job):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    for number in range(60):
        new_job(user=bob if number % 3 else ann, groups=[lab] if number % 3 == 1 else None)
    client.force_login({"ann": ann, "staff": staff}[who])
    client.get("/jobs/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/jobs/?status=pending&text=job&type=FAKE&user=bob")

    assert len(queries) <= 10


# --- downloads


def test_a_csv_holds_all_that_match(anns, new_job):
    new_job('say "hi", north', status=Status.COMPLETE)
    new_job("south")

    response = anns.get("/jobs/export.csv?status=complete")
    lines = b"".join(response.streaming_content).decode().splitlines()

    assert response.headers["Content-Disposition"] == 'attachment; filename="jobs-complete.csv"'
    assert lines[0].startswith("id,uuid,name,type,user,label,status")
    assert len(lines) == 2
    assert '"say ""hi"", north"' in lines[1]


def test_json_lines_hold_the_same(anns, new_job):
    job = new_job("nörth", status=Status.RUNNING, progress=40, message="year 2013")

    record = json.loads(b"".join(anns.get("/jobs/export.jsonl").streaming_content))

    assert (record["id"], record["name"], record["type"], record["user"]) == (job.pk, "nörth", "FAKE", "ann")
    assert (record["status"], record["progress"], record["message"]) == ("RUN", 40.0, "year 2013")
    assert record["started"].endswith("+00:00")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@sum"])
def test_no_name_is_a_formula_of_a_spreadsheet(anns, new_job, name):
    new_job(name)

    assert f"'{name}" in b"".join(anns.get("/jobs/export.csv").streaming_content).decode()


def test_a_download_by_a_filter_that_cannot_be_read_is_refused(anns, some):
    response = anns.get("/jobs/export.csv?status=EXPLODED")

    assert response.status_code == 400
    assert "EXPLODED" in text(response)
    assert anns.get("/jobs/export.xlsx").status_code == 404


def test_a_download_needs_a_login(client):
    assert client.get("/jobs/export.csv").status_code == 302
