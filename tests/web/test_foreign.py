"""Another person's job answers exactly as one that does not exist, at every URL."""

import re

import pytest

from jobs.status import Status

pytestmark = pytest.mark.django_db

LOOKING = [
    "",
    "log/",
    "results/",
    "live/overview/",
    "live/log/",
    "live/results/",
    "log/1/stdout/tail/",
    "log/1/stdout/download/",
    "results/download/a.txt",
    "results/image/plot.svg",
    "confirm/stop/",
    "confirm/delete/",
]
ACTING = ["run/", "stop/", "pause/", "resume/", "resubmit/", "process-again/", "delete/"]


@pytest.fixture
def foreign(new_job, results, logs):
    job = new_job(status=Status.RUNNING)
    results(job, {"a.txt": "secret", "plot.svg": "<svg/>"})
    logs(job, "secret")
    return job


@pytest.mark.parametrize("rest", LOOKING)
def test_looking(anns, bobs, foreign, rest):
    its_owner = anns.get(f"/jobs/{foreign.pk}/{rest}")
    assert its_owner.getvalue()
    somebody = bobs.get(f"/jobs/{foreign.pk}/{rest}")
    unknown = bobs.get(f"/jobs/999999/{rest}")

    assert its_owner.status_code == 200
    assert (somebody.status_code, unknown.status_code) == (404, 404)
    assert _without_token(somebody) == _without_token(unknown).replace("999999", str(foreign.pk))


@pytest.mark.parametrize("rest", ACTING)
def test_acting(bobs, foreign, rest):
    somebody = bobs.post(f"/jobs/{foreign.pk}/{rest}")
    unknown = bobs.post(f"/jobs/999999/{rest}")

    assert (somebody.status_code, unknown.status_code) == (404, 404)
    assert _without_token(somebody) == _without_token(unknown).replace("999999", str(foreign.pk))
    assert not foreign.intents.exists()


@pytest.mark.parametrize("rest", LOOKING)
def test_looking_needs_a_login(client, foreign, rest):
    response = client.get(f"/jobs/{foreign.pk}/{rest}")

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("rest", ACTING)
def test_acting_needs_a_login(client, foreign, rest):
    assert client.post(f"/jobs/{foreign.pk}/{rest}").status_code == 302
    assert not foreign.intents.exists()


@pytest.mark.parametrize("rest", ["", "log/", "results/"])
def test_a_job_that_is_being_deleted_is_gone(anns, foreign, rest):
    foreign.delete()

    assert anns.get(f"/jobs/{foreign.pk}/{rest}").status_code == 404


def test_an_id_larger_than_any_database_holds_is_404(anns):
    assert anns.get(f"/jobs/{10**30}/").status_code == 404


def _without_token(response) -> str:
    return re.sub(r"[A-Za-z0-9]{64}", "TOKEN", response.content.decode())
