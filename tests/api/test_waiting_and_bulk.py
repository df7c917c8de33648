"""An answer as soon as something has changed; something wanted of many jobs."""

import threading
import time

import pytest
from django.db import connection, connections

from jobs.access import waiting
from jobs.models import BulkAction, Intent
from jobs.transitions import Change, transition
from jobs.worker.bulk import carry_out_bulk
from tests.api.conftest import Caller


def later(seconds: float, what) -> threading.Thread:
    def run() -> None:
        time.sleep(seconds)
        try:
            what()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_whoever_waits_is_told_as_soon_as_something_changes(anns, new_job):
    job = new_job("wind", "SUB")
    thread = later(0.5, lambda: transition([Change(job.pk, 1, "RUN")], source="test"))
    began = time.monotonic()
    said = anns.get(f"jobs/{job.uuid}/wait/?timeout=20").json()
    thread.join()
    assert said["status"] == "RUN"
    assert time.monotonic() - began < 10


@pytest.mark.django_db(transaction=True)
def test_at_the_latest_when_the_time_is_over(anns, new_job):
    job = new_job("wind", "SUB")
    assert anns.get(f"jobs/{job.uuid}/wait/?timeout=0.3").json()["status"] == "SUB"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("statuses", "query"), [(["SUB", "COM"], ""), (["SUB", "RUN"], "&status=SUB")])
def test_what_has_changed_already_or_is_over_is_told_at_once(anns, new_job, statuses, query):
    job = new_job("wind", *statuses)
    began = time.monotonic()
    assert anns.get(f"jobs/{job.uuid}/wait/?timeout=20{query}").json()["status"] == statuses[-1]
    assert time.monotonic() - began < 5


@pytest.mark.django_db(transaction=True)
def test_nobody_who_waits_holds_a_connection_to_the_database(new_job, monkeypatch):
    job = new_job("wind", "SUB")
    held = []
    monkeypatch.setattr(waiting.time, "sleep", lambda _: held.append([one.connection for one in connections.all()]))
    waiting.until_changed(job.pk, "SUB", 1, 0.05)
    assert held
    assert all(one is None for several in held for one in several)


@pytest.mark.django_db(transaction=True)
def test_where_too_many_wait_the_answer_comes_at_once_and_says_when_to_ask_again(anns, new_job, settings):
    settings.JOBS = {**settings.JOBS, "API_WAITERS": 1}
    job = new_job("wind", "SUB")
    assert waiting.has_room()
    try:
        began = time.monotonic()
        answer = anns.get(f"jobs/{job.uuid}/wait/?timeout=20")
        assert (answer.status_code, answer.json()["status"], answer["Retry-After"]) == (200, "SUB", "2")
        assert time.monotonic() - began < 5
    finally:
        waiting.leave()
    assert "Retry-After" not in anns.get(f"jobs/{job.uuid}/wait/?timeout=0.1")


@pytest.mark.django_db
@pytest.mark.parametrize("timeout", ["-1", "26", "soon", "nan"])
def test_nobody_waits_longer_than_that(anns, new_job, timeout):
    answer = anns.get(f"jobs/{new_job().uuid}/wait/?timeout={timeout}")
    assert "timeout" in answer.json()["error"]["fields"]


@pytest.mark.django_db
def test_nobody_waits_for_anothers_job(bobs, new_job):
    assert bobs.get(f"jobs/{new_job().uuid}/wait/?timeout=0").status_code == 404


# --- bulk


@pytest.mark.django_db
def test_many_jobs_are_asked_by_their_ids_and_each_answers(anns, new_job):
    jobs = [new_job(kind="COMMAND", command=["true"]) for _ in range(3)]
    over = new_job("over", "SUB", "COM", kind="COMMAND", command=["true"])
    answer = anns.post("bulk/", {"action": "run", "ids": [str(job.uuid) for job in (*jobs, over)]})
    assert answer.status_code == 202
    assert (answer.json()["total"], answer.json()["done"]) == (4, 0)
    carry_out_bulk(BulkAction.objects.get().pk)
    said = anns.client.get(answer["Location"], headers=anns.headers).json()
    assert (said["done"], said["refused"]) == (3, 1)
    assert {one["number"]: one["message"] != "" for one in said["results"]}[over.pk]
    assert Intent.objects.open().filter(action="run").count() == 3


@pytest.mark.django_db
def test_many_jobs_are_asked_by_a_filter(anns, new_job):
    new_job("waits")
    failed = [new_job("fails {id}", "SUB", "ERR") for _ in range(2)]
    answer = anns.post("bulk/", {"action": "delete", "filter": {"status": ["failed"], "text": "fails"}})
    assert answer.json()["total"] == 2
    carry_out_bulk(BulkAction.objects.get().pk)
    assert set(Intent.objects.open().values_list("job_id", flat=True)) == {job.pk for job in failed}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"action": "run", "ids": [], "filter": {}}, "ids"),
        ({"action": "run", "ids": []}, "ids"),
        ({"action": "run", "ids": ["x"]}, "ids"),
        ({"action": "run", "ids": ["7a3c0c7e-28f5-4f1b-9f5c-0d7f7f3b2d11"]}, "ids"),
        ({"ids": ["7a3c0c7e-28f5-4f1b-9f5c-0d7f7f3b2d11"]}, "action"),
        ({"action": "explode", "filter": {"status": "pending"}}, "action"),
        ({"action": "stop", "filter": {"status": "happy"}}, "status"),
        ({"action": "stop", "filter": {"colour": "red"}}, "filter"),
        ({"action": "stop", "filter": {}, "force": True}, "force"),
    ],
)
def test_a_bulk_action_that_is_refused_is_told_why_and_not_made(anns, new_job, body, field):
    new_job()
    answer = anns.post("bulk/", body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["error"]["fields"]
    assert not BulkAction.objects.exists()


@pytest.mark.django_db
def test_a_bulk_action_is_its_makers_own(anns, bobs, new_job):
    answer = anns.post("bulk/", {"action": "delete", "ids": [str(new_job().uuid)]})
    assert bobs.get(f"bulk/{answer.json()['id']}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(("action", "scope"), [("stop", "write"), ("resubmit", "submit")])
def test_a_token_needs_the_scope_of_the_action(ann, new_job, action, scope):
    body = {"action": action, "ids": [str(new_job().uuid)]}
    other = "submit" if scope == "write" else "write"
    assert Caller(ann, [other]).post("bulk/", body).status_code == 403
    assert Caller(ann, [scope]).post("bulk/", body).status_code == 202
