"""Whether this installation can do its work: `/healthz` for machines; for operators what is stuck, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.http import HttpRequest, JsonResponse

from jobs import clock
from jobs.conf import conf
from jobs.models import Action, Heartbeat, Intent, Job, JobEvent, Scheduler, job_rows
from jobs.status import ACTIVE, Status
from jobs.types import plugins, type_of_model

STUCK_AFTER = timedelta(seconds=60)
"""A wish that is not carried out, or results that nobody has processed, for so long are stuck."""
MANY_TRIES = 3
"""A wish that was taken up so often is stuck, however young it is."""
MOST_STUCK = 50
"""Of each kind of trouble so many jobs are named."""


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


@dataclass(frozen=True)
class Process:
    """A worker or monitor by its sign of life; `since` and `time` are its start and its last sign."""

    kind: str
    host: str
    pid: int
    since: datetime
    time: datetime
    alive: bool


@dataclass(frozen=True)
class SchedulerState:
    """How a scheduler fares: its row, how many active jobs it has, and whether a monitor watches it now."""

    row: Scheduler
    active: int
    watched: bool

    @property
    def trouble(self) -> str:
        """Why its jobs do not get on; empty where they do."""
        if not self.row.reachable:
            return f"{self.row.name} does not answer: {self.row.last_error}"
        if self.active and not self.watched:
            where = f" on {self.row.host}" if self.row.host else ""
            return f"No monitor{where} watches {self.row.name}, so nobody learns how its jobs are."
        return ""


@dataclass(frozen=True)
class Stuck:
    """A job, or all jobs of a scheduler (`job` is None), that do not get on.

    Attributes:
        job: the row of the job.
        what: what does not happen.
        why: as far as it is known, and what can be done.
        since: when it should have happened.
    """

    job: Job | None
    what: str
    why: str
    since: datetime | None


def processes() -> list[Process]:
    """The workers and monitors that live or lived within the last day; one query."""
    young = clock.now() - timedelta(seconds=conf.HEARTBEAT_AGE)
    rows = Heartbeat.objects.order_by("kind", "host", "started")
    return [Process(row.kind, row.host, row.pid, row.started, row.time, row.time > young) for row in rows]


def schedulers() -> list[SchedulerState]:
    """All schedulers; two queries."""
    active = job_rows().active().filter(scheduler__isnull=False).order_by().values("scheduler")
    counts = dict(active.annotate(count=Count("pk")).values_list("scheduler", "count"))
    now = clock.now()
    return [
        SchedulerState(row, counts.get(row.pk, 0), bool(row.lease_expires and row.lease_expires > now))
        for row in Scheduler.objects.order_by("name")
    ]


def stuck(alive: Sequence[Process], states: Sequence[SchedulerState]) -> list[Stuck]:
    """What does not get on, and why; the longest first. The number of queries does not depend on how much that is.

    Args:
        alive: see `processes`.
        states: see `schedulers`.
    """
    works = any(process.alive for process in alive if process.kind == "worker")
    troubles = {state.row.pk: state.trouble for state in states}
    found = [
        Stuck(
            None,
            f"{state.active} active {'job' if state.active == 1 else 'jobs'} at {state.row.name}",
            state.trouble,
            state.row.last_error_time if not state.row.reachable else state.row.lease_expires,
        )
        for state in states
        if state.active and state.trouble
    ]
    found += [_stuck_wish(intent, works, troubles) for intent in _stuck_intents()]
    found += [_stuck_results(job, works) for job in _stuck_jobs_with_results()]
    found += [
        Stuck(
            job,
            f"{job.status_display}, and nobody runs jobs of its type",
            "The app of its type is not installed. Install it again, or delete the job.",
            job.creation_time,
        )
        for job in _jobs_without_type()
    ]
    return sorted(found, key=lambda entry: (entry.since is None, entry.since or clock.now()))


def _stuck_intents() -> list[Intent]:
    late = Q(created__lt=clock.now() - STUCK_AFTER) | Q(tries__gte=MANY_TRIES)
    wishes = Intent.objects.open().exclude(action=Action.REFRESH).filter(late)
    # The base row of the job: its subclass would cost a query for each.
    wishes = wishes.order_by("created")[: MOST_STUCK + 1]
    intents = list(wishes.select_related("requested_by"))
    jobs = job_rows().select_related("user").in_bulk([intent.job_id for intent in intents])
    for intent in intents:
        intent.row = jobs.get(intent.job_id)
    return [intent for intent in intents if intent.row is not None]


def _stuck_wish(intent: Intent, works: bool, troubles: dict[int, str]) -> Stuck:
    job, now = intent.row, clock.now()
    who = f", asked for by {intent.requested_by.get_username()}" if intent.requested_by else ""
    tries = f"Tried {intent.tries} times so far. " if intent.tries > 1 else ""
    if not works:
        why = "No worker lives, so nobody carries it out. Start one: manage.py worker."
    elif troubles.get(job.scheduler_id):
        why = f"{tries}{troubles[job.scheduler_id]}"
    elif intent.last_error:
        why = f"{tries}{intent.last_error}"
    elif intent.claim and intent.claim_expires and intent.claim_expires > now:
        why = f"{tries}Worker {intent.claim} is at it."
    elif not intent.tries:
        why = f"{intent.sends} wake-ups were sent, and no worker took one. Is the broker in reach of the workers?"
    else:
        why = f"{tries}The engine has taken it and does not show the effect yet."
    return Stuck(job, f"{intent.get_action_display()}{who}", why, intent.created)


def _stuck_jobs_with_results() -> list[Job]:
    since = JobEvent.objects.filter(job=OuterRef("pk"), new_status=Status.RESULTS_READY).order_by()
    since = since.values("job").annotate(last=Max("time")).values("last")
    ready = job_rows().filter(status_code=Status.RESULTS_READY, hidden=False).annotate(ready_since=Subquery(since))
    late = Q(ready_since__lt=clock.now() - STUCK_AFTER) | Q(tries__gt=1)
    return list(ready.filter(late).select_related("user").order_by("pk")[: MOST_STUCK + 1])


def _stuck_results(job: Job, works: bool) -> Stuck:
    tries = f"Begun {job.tries} times; the process that does it died. " if job.tries > 1 else ""
    if not works:
        why = "No worker lives, so nobody processes them. Start one: manage.py worker."
    elif job.claim and job.claim_expires and job.claim_expires > clock.now():
        why = f"{tries}Worker {job.claim} is at it: {job.process_results_function}."
    else:
        why = f"{tries}No worker has taken it. Is the broker in reach of the workers?"
    return Stuck(job, "Results are not processed", why, job.ready_since)


def _jobs_without_type() -> list[Job]:
    """Unfinished jobs whose model is gone, or that no installed app has registered."""
    # A type that is left without its app keeps its content type.
    known = ContentType.objects.all()
    gone = [
        kind.pk for kind in known if _may_be_a_job(kind.model_class()) and type_of_model(kind.model_class()) is None
    ]
    waiting = job_rows().filter(
        polymorphic_ctype__in=gone, status_code__in=[*ACTIVE, Status.RESULTS_READY, Status.PENDING]
    )
    return list(waiting.filter(hidden=False).select_related("user").order_by("pk")[: MOST_STUCK + 1])


def _may_be_a_job(model: type | None) -> bool:
    return model is None or issubclass(model, Job)
