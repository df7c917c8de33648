"""Restarting tasks from a run's page: the buttons, the question, who may."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from jobs.manager import JobManager
from jobs.testing import settle
from tests.farm.pages import body, browser, restarts
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def anns(ann) -> Client:
    return browser(ann)


def started(farm):
    """A run with tasks in every state."""
    run = farm(10)
    run.do(3)
    run.fail(2)
    run.take(2)
    settle()
    return run


@pytest.mark.parametrize(
    ("what", "counts"), [("all", (10, 0, 0, 0)), ("failed", (5, 2, 3, 0)), ("unfinished", (7, 0, 3, 0))]
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_tasks_are_restarted_after_a_question(anns, farm, what, counts, headers):
    run = started(farm)
    url = f"/jobs/farm/restart/{run.run.pk}/?what={what}"
    asked = anns.get(url, headers=headers).content.decode()
    assert f"tasks of {run.run.name}?" in asked
    assert f'action="{url}"' in asked
    assert "csrfmiddlewaretoken" in asked
    assert run.counts == (3, 2, 3, 2)
    response = anns.post(url, headers=headers)
    assert run.counts == counts
    if headers:
        assert (response.status_code, response["HX-Trigger"]) == (200, "jobs:acted")
        assert "wait to be computed again" in response.content.decode()
    else:
        assert response["Location"] == f"/jobs/{run.run.pk}/tab/tasks/"
        assert "wait to be computed again" in anns.get(response["Location"]).content.decode()


def test_a_restart_needs_the_token_of_the_form(ann, farm):
    run = started(farm)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.post(f"/jobs/farm/restart/{run.run.pk}/", {"what": "all"}).status_code == 403
    assert run.counts == (3, 2, 3, 2)


def test_what_is_to_be_restarted_may_stand_in_the_form(anns, farm):
    run = started(farm)
    assert anns.post(f"/jobs/farm/restart/{run.run.pk}/", {"what": "failed"}).status_code == 302
    assert run.counts == (5, 2, 3, 0)


def test_failed_tasks_of_a_run_that_is_over_are_restarted_in_a_new_attempt(anns, farm):
    run = farm(3)
    run.do(2)
    run.fail()
    assert run.status == "Various-Complete"
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all", "failed", "unfinished"]
    anns.post(f"/jobs/farm/restart/{run.run.pk}/", {"what": "failed"})
    assert (run.status, run.run.attempt, run.counts) == ("Running", 2, (1, 0, 2, 0))
    assert "user ann" in [event.source for event in run.run.events.all()]


def test_only_restarts_that_change_something_are_offered(anns, farm):
    run = farm(4)
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all"]
    run.take()
    settle()
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all", "unfinished"]
    run.fail()
    settle()
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all", "failed", "unfinished"]
    run.run.stop()
    assert restarts(body(anns, run.run, "tab/tasks/")) == []
    assert run.status == "Aborted"
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all", "failed", "unfinished"]


def test_a_run_whose_tasks_are_all_done_is_restarted_as_a_whole_only(anns, farm):
    run = farm(2)
    run.do(2)
    assert run.status == "Complete"
    assert restarts(body(anns, run.run, "tab/tasks/")) == ["all"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_run_that_was_not_started_cannot_be_restarted(anns, ann, headers):
    run = JobManager("farm").create_job("new", ann, "FARM", num_tasks=3)
    response = anns.post(f"/jobs/farm/restart/{run.pk}/", {"what": "all"}, headers=headers)
    assert response.status_code == 409
    assert "is Pending" in response.content.decode()


def test_who_may_only_look_is_offered_no_restart_and_refused_one(ann, bob, farm):
    lab = Group.objects.create(name="lab")
    bob.groups.add(lab)
    run = started(farm)
    run.run.groups.add(lab)
    bobs = browser(bob)
    assert restarts(body(bobs, run.run, "tab/tasks/")) == []
    assert bobs.post(f"/jobs/farm/restart/{run.run.pk}/", {"what": "all"}).status_code == 403
    assert run.counts == (3, 2, 3, 2)


def test_staff_may_restart_anybodys_run(staff, farm):
    run = started(farm)
    assert restarts(body(browser(staff), run.run, "tab/tasks/")) == ["all", "failed", "unfinished"]
    assert browser(staff).post(f"/jobs/farm/restart/{run.run.pk}/", {"what": "all"}).status_code == 302
    assert run.counts == (10, 0, 0, 0)


def test_anothers_run_answers_as_one_that_is_not_there(bob, farm, manager):
    run = started(farm).run
    bobs = browser(bob)
    other = manager.create_job("no run", bob, "BASIC").pk
    for path in ("jobs/farm/restart/{}/?what=all", "jobs/{}/tab/tasks/", "jobs/{}/tab/workers/"):
        answers = [bobs.get(f"/{path.format(key)}") for key in (run.pk, 987_654, other)]
        assert [answer.status_code for answer in answers] == [404] * 3
        # The page has a form's token in it, and its own address.
        said = [re.sub(r'((Token": |value=)"\w+"|value="/jobs/[^"]*")', "", one.content.decode()) for one in answers]
        assert said[0] == said[1]
    assert bobs.post(f"/jobs/farm/restart/{run.pk}/", {"what": "all"}).status_code == 404
    assert Client().post(f"/jobs/farm/restart/{run.pk}/", {"what": "all"})["Location"].startswith("/accounts/login/")


def test_there_is_nothing_else_to_restart(anns, farm):
    run = started(farm).run
    assert anns.post(f"/jobs/farm/restart/{run.pk}/", {"what": "half"}).status_code == 404
    assert anns.post(f"/jobs/farm/restart/{run.pk}/").status_code == 404
