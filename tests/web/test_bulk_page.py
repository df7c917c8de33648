"""Bulk actions in the browser: the question with its numbers, one POST, and the page that says how far it is."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from jobs.bulk import ACTIONS
from jobs.models import BulkAction, Intent
from jobs.status import Status
from jobs.worker.bulk import carry_out_bulk
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def text(response) -> str:
    return response.content.decode()


def fields(page: str) -> dict[str, list[str]]:
    """The hidden fields of the question's form."""
    form = page[page.index('action="/jobs/bulk/"') :]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form):
        found.setdefault(name, []).append(value)
    found.pop("csrfmiddlewaretoken", None)
    return found


def wanted(action: str) -> list[int]:
    return sorted(Intent.objects.open().filter(action=action).values_list("job_id", flat=True))


def test_ticked_jobs_are_named_asked_for_and_answer(anns, ann, new_job):
    first, second, other = new_job("first", status=Status.RUNNING), new_job("second"), new_job("other")

    question = text(anns.get("/jobs/bulk/confirm/", {"action": "delete", "job": [first.pk, second.pk]}))
    response = anns.post("/jobs/bulk/", fields(question))
    carry_out_bulk(BulkAction.objects.get().pk)
    page = text(anns.get(response.headers["Location"]))

    assert "Delete 2 jobs?" in question
    assert ">first</bdi>" in question
    assert "other" not in re.sub(r"the others|others", "", question)
    assert response.status_code == 303
    assert wanted("delete") == [first.pk, second.pk]
    assert Intent.objects.filter(requested_by=ann).count() == 2
    assert "<dt>Asked for</dt><dd>2</dd>" in page
    assert other.pk not in wanted("delete")


def test_all_that_match_a_filter_as_they_were_when_it_was_asked(anns, new_job):
    failed = [new_job(status=Status.ERROR) for _ in range(3)]
    new_job(status=Status.COMPLETE)

    question = text(anns.get("/jobs/bulk/confirm/?action=resubmit&all=1&status=failed&text=job"))
    later = new_job(status=Status.ERROR)
    anns.post("/jobs/bulk/", fields(question))
    made = BulkAction.objects.get()

    assert "Resubmit 3 jobs?" in question
    assert made.filter == {"status": ["failed"], "text": ["job"]}
    assert sorted(made.jobs.values_list("job_id", flat=True)) == [job.pk for job in failed]
    assert later.pk not in made.jobs.values_list("job_id", flat=True)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_its_question(anns, new_job, action):
    for job in (new_job(status=Status.ERROR), new_job(status=Status.RUNNING), new_job(status=Status.PAUSED), new_job()):
        assert anns.get("/jobs/bulk/confirm/", {"action": action, "job": job.pk}).status_code == 200


def test_the_question_says_how_many_of_them_can_be_asked(anns, bob, ann, new_job):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    running = new_job(status=Status.RUNNING)
    over = new_job(status=Status.COMPLETE)
    shared = new_job(user=bob, status=Status.RUNNING, groups=[lab])

    by_filter = text(anns.get("/jobs/bulk/confirm/?action=stop&all=1"))
    by_tick = text(anns.get("/jobs/bulk/confirm/", {"action": "stop", "job": [running.pk, over.pk, shared.pk]}))

    for page in (by_filter, by_tick):
        assert "Stop 3 jobs?" in page
        assert "<strong>1 job</strong> can be stopped" in page
    assert "There is no filter" in by_filter


def test_the_dialogs_question_is_a_part_of_a_page(anns, new_job):
    job = new_job()

    part = text(anns.get("/jobs/bulk/confirm/", {"action": "delete", "job": job.pk}, headers=HTMX))

    assert "<html" not in part
    assert 'id="jd-question"' in part


def test_foreign_ids_are_answered_as_unknown_and_not_acted_on(bobs, new_job):
    foreign = new_job("secret-plan", status=Status.RUNNING)

    question = text(bobs.get("/jobs/bulk/confirm/", {"action": "stop", "job": [foreign.pk, 999_999]}))
    response = bobs.post("/jobs/bulk/", {"action": "stop", "job": [foreign.pk, 999_999]})
    carry_out_bulk(BulkAction.objects.get().pk)
    page = text(bobs.get(response.headers["Location"]))

    assert "secret-plan" not in question + page
    assert page.count("There is no such job.") == 2
    assert wanted("stop") == []


@pytest.mark.parametrize(
    "forged",
    [
        {"all": "1", "status": "EXPLODED"},
        {"all": "1", "created_before": "whenever"},
        {"job": "x"},
        {"job": "-1"},
        {"job": "9" * 30},
        {},
    ],
)
def test_a_forged_filter_or_id_does_nothing(anns, new_job, forged):
    new_job()

    post = anns.post("/jobs/bulk/", {"action": "delete"} | forged)
    question = anns.get("/jobs/bulk/confirm/", {"action": "delete"} | forged)

    assert (post.status_code, question.status_code) == (400, 400)
    assert "Nothing was done" in text(post)
    assert not BulkAction.objects.exists()


def test_a_forged_largest_id_reaches_nothing_more(bobs, bob, new_job):
    new_job()
    mine = new_job(user=bob)

    bobs.post("/jobs/bulk/", {"action": "delete", "all": "1", "until": "9" * 18, "user_id": "1", "pk__gt": "0"})

    assert list(BulkAction.objects.get().jobs.values_list("job_id", flat=True)) == [mine.pk]


@pytest.mark.parametrize("action", ["refresh", "save", "__class__", "DELETE", "", "delete;drop"])
def test_an_action_that_is_not_on_the_list_is_refused(anns, new_job, action):
    job = new_job()

    assert anns.post("/jobs/bulk/", {"action": action, "job": job.pk}).status_code == 400
    assert anns.get("/jobs/bulk/confirm/", {"action": action, "job": job.pk}).status_code == 400
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_only_post_acts(anns, new_job, method):
    job = new_job()

    response = getattr(anns, method)(f"/jobs/bulk/?action=delete&job={job.pk}")

    assert response.status_code == 405
    assert not BulkAction.objects.exists()


def test_the_question_is_safe(anns, new_job):
    job = new_job()

    assert anns.post("/jobs/bulk/confirm/", {"action": "delete", "job": job.pk}).status_code == 405
    anns.get("/jobs/bulk/confirm/", {"action": "delete", "job": job.pk})
    assert not BulkAction.objects.exists()


def test_a_form_without_its_csrf_token_and_one_without_a_login_do_nothing(ann, client, new_job):
    job = new_job()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)

    assert strict.post("/jobs/bulk/", {"action": "delete", "job": job.pk}).status_code == 403
    assert client.post("/jobs/bulk/", {"action": "delete", "job": job.pk}).status_code == 302
    assert not BulkAction.objects.exists()


# --- its page


def test_another_persons_bulk_action_is_404_and_staff_see_it(anns, bobs, staffs, new_job):
    anns.post("/jobs/bulk/", {"action": "delete", "job": new_job().pk})
    made = BulkAction.objects.get()

    answers = [browser.get(f"/jobs/bulk/{made.pk}/").status_code for browser in (anns, bobs, staffs)]

    assert answers == [200, 404, 200]
    assert bobs.get("/jobs/bulk/999999/").status_code == 404


def test_it_fetches_itself_again_until_it_has_finished(anns, new_job):
    anns.post("/jobs/bulk/", {"action": "delete", "job": new_job().pk})
    made = BulkAction.objects.get()
    url = f"/jobs/bulk/{made.pk}/"

    waiting, part = text(anns.get(url)), text(anns.get(url, headers=HTMX))
    carry_out_bulk(made.pk)
    finished = text(anns.get(url))

    assert 'hx-trigger="every 1s"' in waiting
    assert 'http-equiv="refresh"' in waiting
    assert "It waits for a worker." in waiting
    assert "<html" not in part
    assert "every 1s" not in finished
    assert 'http-equiv="refresh"' not in finished


def test_refusals_are_shown_first_with_their_reasons_as_text(anns, new_job):
    over = new_job("<script>x</script>", status=Status.COMPLETE)
    running = new_job("fine", status=Status.RUNNING)
    made = anns.post("/jobs/bulk/", {"action": "stop", "job": [over.pk, running.pk]}).headers["Location"]
    carry_out_bulk(BulkAction.objects.get().pk)

    refused, done = text(anns.get(made)), text(anns.get(made, {"answer": "done"}))

    assert "is Complete" in refused
    assert "<script>x" not in refused
    assert ">fine</bdi>" in done
    assert anns.get(made, {"answer": "maybe"}).status_code == 404


def test_answers_have_pages(anns, new_job, monkeypatch):
    monkeypatch.setattr("jobs.web.views.bulk.ANSWERS", 2)
    made = anns.post("/jobs/bulk/", {"action": "delete", "job": [new_job(f"n{n}").pk for n in range(3)]}).headers[
        "Location"
    ]
    carry_out_bulk(BulkAction.objects.get().pk)

    first = text(anns.get(made))
    more = re.search(r'href="(\?answer=done&amp;after=\d+)"', first).group(1).replace("&amp;", "&")

    assert ">n1</bdi>" in first
    assert ">n2</bdi>" not in first
    assert ">n2</bdi>" in text(anns.get(made + more))


# --- the bar under the list


def test_rows_can_be_ticked_in_a_plain_form_whose_buttons_say_to_how_many_all_applies(anns, new_job):
    job = new_job("mine", status=Status.RUNNING)
    new_job(status=Status.RUNNING)

    page = text(anns.get("/jobs/?status=active"))

    box = re.search(rf'<input type="checkbox" name="job" value="{job.pk}"[^>]*>', page).group(0)
    assert 'form="jd-bulk"' in box
    assert 'data-actions="pause stop delete "' in box
    assert 'aria-label="Tick mine"' in box
    assert re.search(r'<form id="jd-bulk"[^>]*method="get" action="/jobs/bulk/confirm/"', page)
    assert re.search(r'name="action" value="stop" data-all="2"', page)
    assert re.search(r'name="action" value="resubmit" data-all="0"', page)
    assert '<input type="hidden" name="status" value="active">' in page
