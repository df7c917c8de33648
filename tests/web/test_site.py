"""The site's chrome: login, logout, errors, and what every page has in common."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

pytestmark = pytest.mark.django_db


def text(response) -> str:
    return response.content.decode()


def test_a_person_logs_in_and_comes_to_where_they_wanted_to_go(client, ann):
    response = client.post("/accounts/login/", {"username": "ann", "password": "ann", "next": "/jobs/?before=9"})

    assert response.headers["Location"] == "/jobs/?before=9"


def test_a_wrong_password_is_said(client, ann):
    assert "do not fit together" in text(client.post("/accounts/login/", {"username": "ann", "password": "no"}))


def test_the_login_page_shows_nothing_of_the_dashboard(client):
    page = text(client.get("/accounts/login/"))

    assert "Log out" not in page
    assert "<nav" not in page


def test_logging_out_is_a_post(anns):
    assert anns.get("/accounts/logout/").status_code == 405
    anns.post("/accounts/logout/")
    assert anns.get("/jobs/").status_code == 302


@pytest.mark.parametrize("url", ["/nothing/here/", "/jobs/999999/"])
def test_a_page_that_is_not_there_leads_back(anns, client, url):
    response = anns.get(url)

    assert response.status_code == 404
    assert "Back to the jobs" in text(response)


def test_a_form_of_an_old_page_is_told_what_to_do(ann):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)

    response = strict.post("/jobs/1/run/")

    assert response.status_code == 403
    assert "reload the page" in text(response)


def test_the_page_for_a_broken_server_needs_nothing_of_it():
    page = render_to_string("500.html")

    assert "Your jobs go on" in page


@pytest.mark.parametrize("path", ["", "log/", "results/"])
def test_no_page_has_scripts_or_styles_of_its_own_or_from_elsewhere(anns, new_job, path):
    job = new_job()

    for page in (
        text(anns.get("/jobs/")),
        text(anns.get(f"/jobs/{job.pk}/{path}")),
        text(anns.get("/jobs/new/COMMAND/")),
    ):
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page)
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)


def test_every_id_on_a_page_is_there_once(anns, new_job):
    from jobs.status import Status

    for status in (None, Status.RUNNING, Status.COMPLETE, Status.ERROR):
        job = new_job(status=status)
    for url in ("/jobs/", f"/jobs/{job.pk}/", "/jobs/new/COMMAND/"):
        ids = re.findall(r"\sid=\"([^\"]+)\"", text(anns.get(url)))
        assert len(ids) == len(set(ids))
