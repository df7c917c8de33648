"""The page of a job that calls a function: what it says of the call, the result, and the download."""

import json
import re

import pytest

from jobs.functions.models import CallState, FunctionCall, FunctionJob
from jobs.functions.pages import result as module
from jobs.functions.testing import run_functions
from jobs.workspaces import workspace_path
from tests.functions.conftest import browser
from tests.functions.test_signatures import ALL
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def page(client, job, tab="") -> str:
    """What a reader sees of a tab, without tags."""
    response = client.get(f"/jobs/{job.pk}/{tab}")
    assert response.status_code == 200
    body = response.content.decode().partition('<div id="jd-tab"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def result(client, job) -> str:
    return page(client, job, "tab/result/")


def fact(text: str, name: str) -> str:
    """The word behind a heading."""
    return re.search(rf"{name} (\S+)", text)[1]


@pytest.fixture
def waiting(calling, tmp_path):
    """A job that waits for a worker."""
    job = calling("succeed", outside=str(tmp_path))
    job.execute()
    return job


@pytest.fixture
def running(waiting, new_worker):
    """A job that a worker runs."""
    worker = new_worker("node1:7")
    FunctionCall.objects.update(state=CallState.RUNNING, worker=worker.holder, tries=1)
    return waiting


# --- what the overview says


def test_the_overview_says_what_is_called_with_what(anns, ran):
    text = page(anns, ran("typed", **ALL))
    assert "Function typed" in text
    assert "Queue tests" in text
    assert "numbers [1.0, 2.5]" in text
    assert "text wind" in text
    assert "point {&quot;x&quot;: 1.0}" in text
    assert fact(text, "Tries") == "1"


def test_a_long_argument_is_cut_and_its_length_said(anns, calling):
    job = calling("typed", **{**ALL, "text": "x" * 1000, "numbers": [1.0] * 300})
    text = page(anns, job)
    assert "x" * 401 not in text
    assert "The first 400 of 1,000 characters." in text
    assert "The beginning of a list of 300." in text


def test_while_it_runs_its_worker_is_named(anns, running):
    assert fact(page(anns, running), "Worker") == "node1:7"


def test_how_often_it_may_be_tried_is_said(anns, ran, tmp_path):
    job = ran("third_time", outside=str(tmp_path))
    assert re.search(r"Tries [12] of at most 3", page(anns, job))


def test_the_call_can_be_run_with_changes_by_whoever_may(anns, guest, lab, calling):
    job = calling("typed", **ALL)
    job.groups.add(lab)
    guest.groups.add(lab)
    link = f'href="/jobs/functions/typed/?from={job.pk}"'
    assert link in anns.get(f"/jobs/{job.pk}/").content.decode()
    assert link not in browser(guest).get(f"/jobs/{job.pk}/").content.decode()


# --- why it waits


def test_a_job_that_a_worker_can_take_is_not_warned_of(anns, waiting, new_worker):
    new_worker()
    assert "worker that runs" not in page(anns, waiting)


def test_where_no_worker_has_it_the_page_says_so(anns, staffs, waiting):
    assert "No worker that runs has it and takes from the queue tests; it waits for one." in page(anns, waiting)
    assert "/jobs/functions/workers/" not in anns.get(f"/jobs/{waiting.pk}/").content.decode()
    assert "/jobs/functions/workers/" in staffs.get(f"/jobs/{waiting.pk}/").content.decode()


def test_where_the_workers_have_another_version_the_page_says_so(anns, waiting, new_worker):
    new_worker(routes=["succeed:0123456789abcdef"])
    assert "The workers that run have another version of it; it waits for one" in page(anns, waiting)


def test_a_job_of_an_earlier_version_is_to_be_resubmitted(anns, waiting, new_worker):
    new_worker()
    waiting.calls.update(route="succeed:0123456789abcdef")
    assert "submitted with an earlier version of succeed" in page(anns, waiting)


def test_a_job_that_was_not_run_says_that_it_would_wait(anns, calling, tmp_path):
    job = calling("succeed", outside=str(tmp_path))
    assert "No worker that runs has it; run now, it would wait for one." in page(anns, job)


def test_a_function_that_is_gone_is_said_to_be(anns, calling, tmp_path):
    job = calling("succeed", outside=str(tmp_path))
    FunctionJob.objects.filter(pk=job.pk).update(function="no_longer_there")
    text = page(anns, job)
    assert "no_longer_there is not here any more" in text
    assert "There is no function no_longer_there here any more." in text


def test_a_page_that_stands_is_told_when_the_workers_are_gone(anns, waiting, new_worker):
    worker = new_worker()

    def live(version=""):
        return anns.get(f"/jobs/{waiting.pk}/live/overview/?version={version}", headers=HTMX)

    first = live().content.decode()
    head, tab = (re.search(rf'id="{name}"[^>]*data-version="(\w+)"', first)[1] for name in ("jd-head", "jd-tab"))
    assert live(f"{head}.{tab}").status_code == 204
    worker.delete()
    assert "No worker that runs has it" in live(f"{head}.{tab}").content.decode()


# --- its result


def test_the_result_has_a_tab_and_the_files_another(anns, ran):
    job = ran("add", x=2, y=3)
    tabs = re.findall(r'<a href="[^"]+"[^>]*>(\w+)</a>', anns.get(f"/jobs/{job.pk}/").content.decode())
    assert [one for one in tabs if one in ("Overview", "Log", "Files", "Result", "Results", "Attempts")] == [
        "Overview",
        "Log",
        "Files",
        "Result",
        "Attempts",
    ]
    assert "Download as JSON (1 byte)" in result(anns, job)
    assert re.search(r"\b5\b", result(anns, job))


def test_a_flight_is_drawn(anns, ran):
    arguments = {"dt": 0.01, "r0": [0, 0, 1], "v0": [1, 2, 3], "mass": 1.0, "radius": 0.1, "drag": False}
    body = anns.get(f"/jobs/{ran('mov3d', **arguments).pk}/tab/result/").content.decode()
    assert "jobs_functions/result.css" in body
    assert "Path of" in body


def test_before_the_function_has_returned_the_tab_says_so_and_then_shows_it(anns, waiting):
    assert "The function has not returned yet" in result(anns, waiting)
    run_functions()
    assert "well" in result(anns, waiting)


def test_a_function_that_failed_has_no_result_but_a_log(anns, ran, tmp_path):
    job = ran("fail", outside=str(tmp_path), code=3)
    assert "It ended without a result" in result(anns, job)
    assert f'href="/jobs/{job.pk}/log/"' in anns.get(f"/jobs/{job.pk}/tab/result/").content.decode()


def test_a_function_that_returns_nothing_has_that_as_its_result(anns, ran, new_function):
    def silent() -> None: ...

    new_function(silent)
    job = ran("silent")
    assert "none" in result(anns, job)
    assert json.loads(b"".join(anns.get(f"/jobs/functions/result/{job.pk}.json"))) is None


def test_a_result_that_is_too_large_for_a_page_can_be_downloaded(anns, ran, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_SHOWN", 1000)
    job = ran("returning", what="long")
    text = result(anns, job)
    assert "too large to be shown here: 195.3" in text
    assert "Download as JSON" in text


def test_a_result_whose_file_is_gone_is_said_to_be(anns, ran):
    job = ran("returning", what="long")
    (workspace_path(job) / "result.json").unlink()
    assert "is there no more. Resubmit the job" in result(anns, job)
    assert anns.get(f"/jobs/functions/result/{job.pk}.json").status_code == 404


def test_a_result_whose_file_was_overwritten_is_said_to_be(anns, ran):
    job = ran("returning", what="long")
    (workspace_path(job) / "result.json").write_text("{")
    assert "holds no JSON any more" in result(anns, job)


def test_a_result_is_text_and_no_markup(anns, ran):
    job = ran("typed", **{**ALL, "text": "<script>alert(1)</script>"})
    body = anns.get(f"/jobs/{job.pk}/tab/result/").content.decode()
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert" in body


# --- the download


@pytest.mark.parametrize("what", ["short", "long"])
def test_a_result_is_downloaded_as_a_json_file_that_no_browser_runs(anns, ran, what):
    job = ran("add", x=2, y=3) if what == "short" else ran("returning", what="long")
    response = anns.get(f"/jobs/functions/result/{job.pk}.json")
    assert json.loads(b"".join(response)) == job.result
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith(f'attachment; filename="job-{job.pk}-job-')
    assert response["Content-Security-Policy"].startswith("sandbox")


def test_there_is_nothing_to_download_before_the_function_has_returned(anns, waiting):
    assert anns.get(f"/jobs/functions/result/{waiting.pk}.json").status_code == 404


def test_a_job_that_calls_no_function_has_no_result(anns, ann, manager):
    job = manager.create_job("plain", ann, "BASIC")
    assert anns.get(f"/jobs/functions/result/{job.pk}.json").status_code == 404
    assert anns.get(f"/jobs/{job.pk}/tab/result/").status_code == 404


def test_members_of_its_group_and_staff_see_a_result_and_nobody_else(ran, bob, member, lab, staffs, client):
    job = ran("add", x=2, y=3)
    urls = [f"/jobs/{job.pk}/tab/result/", f"/jobs/functions/result/{job.pk}.json"]
    assert [browser(member).get(url).status_code for url in urls] == [404, 404]
    job.groups.add(lab)
    assert [browser(member).get(url).status_code for url in urls] == [200, 200]
    assert [staffs.get(url).status_code for url in urls] == [200, 200]
    assert [client.get(url).status_code for url in urls] == [302, 302]
    assert browser(bob).get(urls[1]).status_code == 404


# --- in the admin


def test_everything_can_be_looked_at_in_the_admin_and_nothing_changed(ran, new_worker, django_user_model):
    job, worker = ran("add", x=2, y=3), new_worker()
    root = browser(django_user_model.objects.create_superuser("root"))
    rows = {"functionjob": job.pk, "functioncall": job.call.pk, "functionworker": worker.pk}
    for name, key in rows.items():
        listing = f"/admin/jobs_functions/{name}/"
        assert root.get(listing).status_code == 200
        assert root.get(f"{listing}{key}/change/").status_code == 200
        assert root.get(f"{listing}add/").status_code == 403
        assert root.post(f"{listing}{key}/delete/", {"post": "yes"}).status_code == 403
    root.post(f"/admin/jobs_functions/functionjob/{job.pk}/change/", {"function": "fail", "arguments": "{}"})
    assert FunctionJob.objects.get().function == "add"
