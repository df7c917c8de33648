"""A page that stays open while the login ends or the server is away."""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from jobs.manager import JobManager


@pytest.fixture
def survey(person, live):
    """A job that is at work until the test says otherwise."""
    job = JobManager("jobs").create_job("survey", person, "BASIC")
    job.execute()
    job.update_status("Running", message="3 of 12 sites")
    return job


def test_a_login_that_ended_leads_to_the_login_page_and_back(page, person, survey):
    landed = []
    page.goto("/jobs/")
    expect(page.get_by_text("3 of 12 sites")).to_be_visible()
    page.evaluate(
        """() => new MutationObserver(() => {
            if (document.querySelector('table input[type=password]')) sessionStorage.setItem('inside', 'yes');
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    page.on("framenavigated", lambda frame: landed.append(frame.url))
    Session.objects.all().delete()
    survey.update_status("Running", message="4 of 12 sites")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('inside')") is None
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_label("Name").fill(person.username)
    page.get_by_label("Password").fill(person.username)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/jobs/")
    expect(page.get_by_text("4 of 12 sites")).to_be_visible()


def test_a_server_that_is_restarted_is_told_of_quietly_and_found_again(page, survey, live):
    page.goto("/jobs/")
    page.evaluate("window.neverReloaded = true")
    notice = page.get_by_text("The server does not answer.")
    live.stop_web()
    try:
        expect(notice).to_be_visible()
        expect(page.get_by_role("link", name="survey", exact=True)).to_be_visible()
    finally:
        live.start_web()
    survey.update_status("Running", message="5 of 12 sites")
    expect(page.get_by_text("5 of 12 sites")).to_be_visible()
    expect(notice).to_be_hidden()
    assert page.evaluate("window.neverReloaded")
