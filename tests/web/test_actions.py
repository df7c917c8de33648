"""What a person does to a job through its pages."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from jobs.models import Intent, job_rows
from jobs.status import Status
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def wanted(job) -> list[str]:
    return list(Intent.objects.open().filter(job_id=job.pk).values_list("action", flat=True))


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("run", None),
        ("stop", Status.RUNNING),
        ("pause", Status.RUNNING),
        ("resume", Status.PAUSED),
        ("delete", Status.RUNNING),
        ("delete", Status.COMPLETE),
    ],
)
def test_an_action_is_written_down_for_the_workers(anns, ann, new_job, action, status):
    job = new_job(status=status)

    response = anns.post(f"/jobs/{job.pk}/{action}/")

    assert response.status_code == 302
    assert wanted(job) == [action]
    assert Intent.objects.get(job_id=job.pk).requested_by == ann


def test_resubmitting_starts_a_new_attempt(anns, new_job):
    job = new_job(status=Status.ERROR)

    anns.post(f"/jobs/{job.pk}/resubmit/")

    job.read_row()
    assert job.attempt == 2
    assert wanted(job) == ["run"]


def test_results_that_failed_are_processed_again(anns, new_job):
    job = new_job(status=Status.ERROR)
    job_rows().filter(pk=job.pk).update(results_failed=True)

    anns.post(f"/jobs/{job.pk}/process-again/")

    job.read_row()
    assert job.status_code == Status.RESULTS_READY


def test_a_form_leads_back_to_its_page_with_a_notice(anns, new_job):
    job = new_job("daily")

    response = anns.post(f"/jobs/{job.pk}/run/", {"next": "/jobs/?before=9"}, follow=True)

    assert response.redirect_chain == [("/jobs/?before=9", 302)]
    assert "daily starts as soon as there is room." in response.content.decode()


def test_a_form_never_leads_to_another_site(anns, new_job):
    job = new_job()

    response = anns.post(f"/jobs/{job.pk}/run/", {"next": "https://evil.example/"})

    assert response.headers["Location"] == f"/jobs/{job.pk}/"


def test_deleting_from_the_jobs_page_leads_to_the_list(anns, new_job):
    job = new_job()

    response = anns.post(f"/jobs/{job.pk}/delete/", {"next": f"/jobs/{job.pk}/"})

    assert response.headers["Location"] == "/jobs/"


def test_the_script_of_a_table_gets_the_row_and_a_notice(anns, new_job):
    job, other = new_job("daily"), new_job()

    response = anns.post(f"/jobs/{job.pk}/run/", {"place": "table"}, headers=HTMX)

    answer = response.content.decode()
    assert f'<tr id="job-{job.pk}"' in answer
    assert "starting…" in answer
    assert "daily starts as soon as there is room." in answer
    assert f"job-{other.pk}" not in answer
    assert response.headers["HX-Trigger"] == "jobs:acted"


def test_the_script_of_a_table_takes_out_the_row_of_a_deleted_job(anns, new_job):
    job = new_job()

    answer = anns.post(f"/jobs/{job.pk}/delete/", {"place": "table"}, headers=HTMX).content.decode()

    assert f'<tr id="job-{job.pk}" hx-swap-oob="delete">' in answer


def test_the_script_of_a_jobs_page_gets_its_head_or_is_led_to_the_list(anns, new_job):
    job = new_job()

    head = anns.post(f"/jobs/{job.pk}/run/", {"place": "job"}, headers=HTMX)
    gone = anns.post(f"/jobs/{job.pk}/delete/", {"place": "job"}, headers=HTMX)

    assert 'id="jd-head"' in head.content.decode()
    assert gone.headers["HX-Redirect"] == "/jobs/"


@pytest.mark.parametrize(
    ("action", "status"),
    [("run", Status.RUNNING), ("stop", Status.COMPLETE), ("pause", None), ("resume", Status.RUNNING), ("resubmit", None),
     ("process-again", Status.ERROR), ("stop", None)],
)  # fmt: skip
def test_an_action_that_makes_no_sense_in_the_status_is_409_and_says_why(anns, new_job, action, status):
    job = new_job("daily", status=status)

    plain = anns.post(f"/jobs/{job.pk}/{action}/")
    script = anns.post(f"/jobs/{job.pk}/{action}/", {"place": "table"}, headers=HTMX)

    assert (plain.status_code, script.status_code) == (409, 409)
    assert f"(daily) is {job.status_display}" in plain.content.decode()
    assert f"(daily) is {job.status_display}" in script.content.decode()
    assert "<html" not in script.content.decode()
    assert wanted(job) == []


def test_an_action_while_another_one_is_under_way_is_409(anns, new_job):
    job = new_job(status=Status.RUNNING)
    job.stop()

    assert anns.post(f"/jobs/{job.pk}/pause/").status_code == 409


def test_the_same_action_twice_is_wanted_once(anns, new_job):
    job = new_job(status=Status.RUNNING)
    anns.post(f"/jobs/{job.pk}/stop/")

    assert anns.post(f"/jobs/{job.pk}/stop/").status_code == 302
    assert wanted(job) == ["stop"]


def test_deleting_twice_finds_nothing_the_second_time(anns, new_job):
    job = new_job()
    anns.post(f"/jobs/{job.pk}/delete/")

    assert anns.post(f"/jobs/{job.pk}/delete/").status_code == 404


ACTIONS = ["run", "stop", "pause", "resume", "resubmit", "process-again", "delete"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_only_post_acts(anns, new_job, action, method):
    job = new_job()

    response = getattr(anns, method)(f"/jobs/{job.pk}/{action}/")

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert wanted(job) == []


@pytest.mark.parametrize("action", ["refresh", "save", "__class__", "callback_token", "RUN", "_want", "Stop job"])
def test_what_is_not_on_the_list_of_actions_is_404(anns, new_job, action):
    job = new_job()

    assert anns.post(f"/jobs/{job.pk}/{action}/").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/confirm/{action}/").status_code == 404
    assert wanted(job) == []


def test_a_form_without_its_csrf_token_does_nothing(ann, new_job):
    job = new_job()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)

    assert strict.post(f"/jobs/{job.pk}/run/").status_code == 403
    assert wanted(job) == []


def test_the_token_that_a_page_gives_its_script_is_accepted(ann, new_job):
    job = new_job()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    token = re.search(r'"X-CSRFToken": "(\w+)"', strict.get("/jobs/").content.decode()).group(1)

    response = strict.post(f"/jobs/{job.pk}/run/", {"place": "table"}, headers=HTMX | {"X-CSRFToken": token})

    assert response.status_code == 200


def test_who_may_only_look_is_told_so(bobs, bob, new_job):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job(groups=[group], status=Status.RUNNING)

    assert bobs.post(f"/jobs/{job.pk}/stop/").status_code == 403
    assert bobs.post(f"/jobs/{job.pk}/stop/", {"place": "table"}, headers=HTMX).status_code == 403
    assert bobs.get(f"/jobs/{job.pk}/confirm/stop/").status_code == 404
    assert wanted(job) == []


# --- the question before


def test_stop_and_delete_ask_once_naming_the_job(anns, new_job):
    job = new_job("nightly", status=Status.RUNNING)

    page = anns.get(f"/jobs/{job.pk}/confirm/stop/").content.decode()
    dialog = anns.get(f"/jobs/{job.pk}/confirm/delete/", {"place": "table"}, headers=HTMX).content.decode()

    assert "Stop nightly?" in page
    assert "<html" in page
    assert "Delete nightly?" in dialog
    assert "It is stopped first." in dialog
    assert f'hx-post="/jobs/{job.pk}/delete/"' in dialog
    assert "<html" not in dialog


def test_the_question_says_that_a_folder_of_the_authors_stays(anns, new_job, tmp_path):
    job = new_job(workspace=str(tmp_path))

    assert f"the files in {tmp_path} stay" in anns.get(f"/jobs/{job.pk}/confirm/delete/").content.decode()


def test_what_can_be_undone_is_not_asked(anns, new_job):
    assert anns.get(f"/jobs/{new_job().pk}/confirm/run/").status_code == 404


def test_asking_changes_nothing(anns, new_job):
    job = new_job(status=Status.RUNNING)
    anns.get(f"/jobs/{job.pk}/confirm/stop/")

    assert wanted(job) == []
