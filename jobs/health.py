"""`/healthz`: whether this installation can do its work; details for staff."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from jobs.models import Heartbeat, Scheduler
from jobs.types import plugins


def healthz(request: HttpRequest) -> JsonResponse:
    """200 or 503 for database, migrations, worker and monitor. A scheduler that is away is no 503: its jobs wait.

    Staff also see schedulers, processes and what the plugins say.
    """
    checks = {"database": False, "migrations": False, "worker": False, "monitor": False}
    details = {}
    try:
        checks["database"] = True
        executor = MigrationExecutor(connection)
        checks["migrations"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        if checks["migrations"]:
            kinds = set(Heartbeat.objects.alive().values_list("kind", flat=True))
            checks.update(worker="worker" in kinds, monitor="monitor" in kinds)
            if request.user.is_staff:
                details = _details()
    except DatabaseError:
        checks["database"] = False
    healthy = all(checks.values())
    body = {"status": "ok" if healthy else "unavailable", "checks": checks, **details}
    response = JsonResponse(body, status=200 if healthy else 503)
    response["Cache-Control"] = "no-store"
    return response


def _details() -> dict:
    return {
        "schedulers": [
            {
                "name": row.name,
                "type": row.type,
                "reachable": row.reachable,
                "last_poll": row.last_poll,
                "last_error": row.last_error,
                "leader": row.lease_holder,
            }
            for row in Scheduler.objects.all()
        ],
        "processes": list(Heartbeat.objects.order_by("kind", "host").values("kind", "host", "pid", "started", "time")),
        "plugins": {plugin.name: plugin.health() for plugin in plugins() if plugin.health is not None},
    }
