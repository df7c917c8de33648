"""The page of the workers, for operators; what the health page says of functions."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.functions.models import CallState, FunctionCall, FunctionWorker
from jobs.functions.registry import get_function
from jobs.functions.tending import forget_dead_workers
from jobs.types import plugins
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db

URL = "/jobs/functions/workers/"


def shown(client) -> str:
    response = client.get(URL)
    assert response.status_code == 200
    body = response.content.decode().partition('<div id="jd-workers"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture
def running(calling, new_worker, tmp_path):
    """A worker that runs a job."""
    worker = new_worker("node1:7")
    job = calling("succeed", outside=str(tmp_path))
    job.execute()
    started = timezone.now() - timedelta(minutes=2)
    FunctionCall.objects.update(state=CallState.RUNNING, worker=worker.holder, tries=1, started=started)
    return job


def test_a_worker_is_shown_with_its_place_its_queues_and_its_load(staffs, new_worker):
    new_worker("gpu box", host="node3", pid=55, queues=["gpu"], pool="threads", concurrency=8)
    text = shown(staffs)
    assert "gpu box process 55 on node3 lives" in text
    assert "Runs 0 of 8" in text
    assert "Queues gpu" in text
    assert "Pool threads" in text
    assert "Last sign of life just now" in text


def test_what_a_worker_runs_is_shown_with_a_link(staffs, running):
    text = shown(staffs)
    assert "Runs 1 of 2" in text
    assert f"{running.name} succeed, for 2 m 00 s" in text
    assert f'href="/jobs/{running.pk}/"' in staffs.get(URL).content.decode()


def test_a_job_that_is_being_deleted_is_counted_and_not_named(staffs, running):
    running.delete()
    text = shown(staffs)
    assert "Runs 1 of 2" in text
    assert running.name not in text
    assert "1 that you may not see" in text


def test_functions_of_another_version_are_told_from_those_of_this_site(staffs, new_worker):
    new_worker(routes=[get_function("typed").route, "add:0123456789abcdef", "elsewhere:0123456789abcdef"])
    text = shown(staffs)
    assert "Functions typed" in text
    assert "It has another version than this site of: add." in text
    assert "Functions that are unknown here elsewhere" in text


@pytest.mark.parametrize(
    ("worker", "words"),
    [({}, "lives"), ({"leaving": True}, "leaving: it takes no more"), ({"silent_for": 60}, "silent")],
)
def test_how_a_worker_fares_is_said(staffs, new_worker, worker, words):
    new_worker("node1:7", **worker)
    assert f"process 7 on node1 {words}" in shown(staffs)


def test_without_a_worker_the_page_teaches(staffs):
    assert "manage.py worker --queues default" in shown(staffs)


def test_the_page_refreshes_itself_sooner_while_something_runs(staffs, new_worker, request):
    new_worker()
    idle = staffs.get(URL, headers=HTMX).content.decode()
    assert "<html" not in idle
    assert "data-active" not in idle
    request.getfixturevalue("running")
    assert "data-active" in staffs.get(URL, headers=HTMX).content.decode()


# --- who may


def test_who_is_not_staff_is_told_who_may(anns, client, new_worker):
    new_worker("secret")
    response = anns.get(URL)
    assert response.status_code == 403
    assert "staff" in response.content.decode()
    assert "secret" not in response.content.decode()
    assert client.get(URL).status_code == 302


def test_a_page_that_stands_while_its_reader_ceases_to_be_staff_is_told_so_as_text(anns):
    response = anns.get(URL, headers=HTMX)
    assert (response.status_code, response.headers["Content-Type"]) == (403, "text/plain")


def test_no_function_can_have_the_name_of_the_page():
    from jobs.functions import job_function

    with pytest.raises(ValueError, match="'workers' is no name for a function"):
        job_function(lambda: None, name="workers")


# --- health


def test_health_counts_calls_and_workers_and_names_queues_that_nobody_takes_from(staffs, calling, running, tmp_path):
    calling("succeed", outside=str(tmp_path)).execute()
    calling("add", x=1, y=2).execute()
    calling("mov3d", dt=1.0, r0=[], v0=[], mass=1.0, radius=1.0, drag=True).execute()
    FunctionCall.objects.filter(job__function="mov3d").update(route="mov3d:0123456789abcdef")
    FunctionWorker.objects.update(queues=["default"])
    page = " ".join(re.sub(r"<[^>]+>", " ", staffs.get("/jobs/health/").content.decode()).split())
    assert "Queued calls 3 Running calls 1 Workers 1 Queues without a worker tests" in page
    said = staffs.get("/healthz").json()["plugins"]["functions"]
    assert said == {
        "queued_calls": 3,
        "running_calls": 1,
        "workers": 1,
        "queues_without_a_worker": "tests",
        "calls_that_no_worker_has": 2,
    }


def test_a_worker_that_is_leaving_takes_from_no_queue(calling, new_worker):
    calling("add", x=1, y=2).execute()
    [plugin] = [one for one in plugins() if one.name == "functions"]
    new_worker(leaving=True)
    assert plugin.health()["queues_without_a_worker"] == "default"
    new_worker()
    assert plugin.health()["queues_without_a_worker"] == "none"


def test_a_worker_that_was_killed_is_shown_for_a_day(new_worker):
    new_worker("young", silent_for=23 * 3600)
    new_worker("old", silent_for=25 * 3600)
    [service] = [one for plugin in plugins() if plugin.name == "functions" for one in plugin.services]
    assert service.run == forget_dead_workers
    service.run()
    assert [row.name for row in FunctionWorker.objects.all()] == ["young"]


def test_the_number_of_queries_does_not_depend_on_workers_and_calls(staffs, running, new_worker, tmp_path, calling):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            staffs.get(URL)
        return len(queries)

    before = count()
    for number in range(3):
        job = calling("succeed", outside=str(tmp_path))
        job.execute()
        worker = new_worker(f"node{number}:7")
        job.calls.update(state=CallState.RUNNING, worker=worker.holder)
    assert count() == before
