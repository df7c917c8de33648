"""However often a request with an Idempotency-Key arrives, one job is made."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from jobs.models import IdempotencyKey, Intent, job_rows

pytestmark = pytest.mark.django_db

BODY = {"type": "COMMAND", "name": "count {id}", "command": ["true"], "run": True}


def post(caller, key: str, body=None):
    text = json.dumps(BODY if body is None else body)
    headers = {**caller.headers, "Idempotency-Key": key}
    return Client().post("/api/jobs/", text, "application/json", headers=headers)


def test_the_same_key_gives_the_same_job(anns):
    first, second = post(anns, "k"), post(anns, "k")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert job_rows().count() == Intent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_retries_at_once_make_one_job(anns):
    def attempt(_) -> tuple[int, str]:
        try:
            answer = post(anns, "k")
            return answer.status_code, answer.json().get("id", answer.content)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(attempt, range(50)))
    assert sorted({status for status, _ in answers}) == [200, 201]
    assert len({job for _, job in answers}) == 1
    assert [status for status, _ in answers].count(201) == 1
    assert job_rows().count() == Intent.objects.count() == 1


def test_another_body_with_the_same_key_is_refused(anns):
    post(anns, "k")
    answer = post(anns, "k", {**BODY, "command": ["false"]})
    assert answer.status_code == 409
    assert "another body" in answer.json()["error"]["message"]


def test_keys_are_each_persons_own(anns, bobs):
    assert post(anns, "k").json()["id"] != post(bobs, "k").json()["id"]


def test_a_request_that_was_refused_leaves_its_key_free(anns):
    assert post(anns, "k", {**BODY, "command": "no list"}).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert post(anns, "k").status_code == 201


def test_the_key_of_a_job_that_was_deleted_makes_no_other(anns):
    made = post(anns, "k").json()["id"]
    anns("DELETE", f"jobs/{made}/")
    answer = post(anns, "k")
    assert answer.status_code == 409
    assert "was deleted" in answer.json()["error"]["message"]


@pytest.mark.parametrize("key", ["x" * 201, "a\x7fb"])
def test_what_is_no_key_is_refused(anns, key):
    assert "Idempotency-Key" in post(anns, key).json()["error"]["fields"]
    assert not job_rows().exists()
