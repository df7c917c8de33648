"""`/healthz`: whether this installation can do its work."""

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor

from jobs.conf import conf
from jobs.models import Heartbeat, Scheduler
from jobs.types import Plugin, register, unregister

pytestmark = pytest.mark.django_db


@pytest.fixture
def beat(clock):
    """A function that writes a sign of life of a process."""

    def write(kind):
        Heartbeat.objects.create(kind=kind, holder=kind, host="h", pid=1, started=clock(), time=clock())

    return write


def test_all_is_well_where_worker_and_monitor_live(client, beat):
    beat("worker")
    beat("monitor")
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": True, "migrations": True, "worker": True, "monitor": True},
    }
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("there", "missing"), [("worker", "monitor"), ("monitor", "worker")])
def test_without_a_worker_or_a_monitor_it_is_503_and_says_which(client, beat, there, missing):
    beat(there)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert [name for name, well in response.json()["checks"].items() if not well] == [missing]


def test_a_process_that_has_been_silent_for_too_long_counts_as_gone(client, beat, clock):
    beat("worker")
    clock.move(conf.HEARTBEAT_AGE + 1)
    beat("monitor")
    assert client.get("/healthz").json()["checks"]["worker"] is False


def test_migrations_that_are_not_applied_are_503(client, beat, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: ["one to apply"])
    response = client.get("/healthz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, False)


def test_a_database_that_does_not_answer_is_503(client, monkeypatch):
    def refuse(connection):
        raise DatabaseError("the server closed the connection; password=secret")

    monkeypatch.setattr("jobs.health.MigrationExecutor", refuse)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert not any(response.json()["checks"].values())
    assert "secret" not in response.text


def test_an_engine_that_is_away_is_no_503(client, beat):
    beat("worker")
    beat("monitor")
    Scheduler.objects.create(name="pool", type="condor", failures=9, last_error="away")
    assert client.get("/healthz").status_code == 200


def test_details_are_for_staff_only(client, beat, staff, ann):
    beat("worker")
    beat("monitor")
    Scheduler.objects.create(name="pool", type="condor", failures=9, last_error="away", lease_holder="m")
    plugin = Plugin("farm", health=lambda: {"workers": 3})
    register(plugin)
    try:
        client.force_login(ann)
        assert set(client.get("/healthz").json()) == {"status", "checks"}
        client.force_login(staff)
        details = client.get("/healthz").json()
    finally:
        unregister(plugin)
    (pool,) = details["schedulers"]
    assert (pool["name"], pool["reachable"], pool["last_error"]) == ("pool", False, "away")
    assert [process["kind"] for process in details["processes"]] == ["monitor", "worker"]
    assert details["plugins"]["farm"] == {"workers": 3}
