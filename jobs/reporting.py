"""Reports that come from outside of an engine: the callback, app code."""

from datetime import timedelta

from jobs import clock
from jobs.errors import JobOver, StatusOwnedByEngine
from jobs.faultpoints import FaultPoint
from jobs.intents import look_again_at, look_soon
from jobs.models import Job, job_rows
from jobs.status import ACTIVE, Status
from jobs.transactions import committing
from jobs.transitions import Change, transition

REPORT = FaultPoint("report.write")
LOOK_AGAIN = timedelta(seconds=3)
"""After a job said that it is over its engine may take a moment to know it."""


def move(job: Job, status: Status, label: str = "", *, message: str | None = None, source: str = "app") -> None:
    """Move a job that no engine watches.

    Raises:
        StatusOwnedByEngine: its engine says what its status is.
        JobOver: it is over, or cannot go from its status to that one.
    """
    if job.type is None or job.type.engine is not None:
        raise StatusOwnedByEngine(
            f"status: job {job.pk} ({job.name}) is run by an engine, which says its status; use stop() to end it"
        )
    status, label = _wanted(job, status, label)
    with committing(REPORT):
        row = job_rows().filter(pk=job.pk).values("attempt", "status_code", "status_label").first()
        if row is None:
            raise JobOver(f"status: job {job.pk} ({job.name}) is gone")
        moves = transition([Change(job.pk, row["attempt"], status, label, message=message)], source=source)
    same = (row["status_code"], row["status_label"]) == (status, label) and status in ACTIVE
    if not moves and not same:
        old = Status(row["status_code"]).label
        raise JobOver(f"status: job {job.pk} ({job.name}) is {old} and cannot become {label or status.label}")


def _wanted(job: Job, status: Status, label: str) -> tuple[Status, str]:
    """Results-Ready of a job that has nothing to process is Complete; a type with hooks may have its own way to process."""
    if status == Status.RESULTS_READY and not job.process_results_function and not (job.type and job.type.hooks):
        return Status.COMPLETE, label
    return status, label


def report(
    job: Job,
    attempt: int,
    *,
    status: tuple[Status, str] | None = None,
    progress: float | None = None,
    message: str | None = None,
) -> None:
    """Take a report of the job itself (through the callback URL) about one of its attempts.

    For a job that an engine runs, progress and message are taken, and its engine stays the authority on the status: a
    reported status makes the monitor look at once and again a little later.

    Raises:
        JobOver: the attempt is over; nothing was changed.
    """
    engine_run = job.type is not None and job.type.engine is not None
    with committing(REPORT):
        row = job_rows().filter(pk=job.pk).values("attempt", "status_code", "status_label", "resources").first()
        if row is None or row["attempt"] != attempt or row["status_code"] not in ACTIVE | {Status.PENDING}:
            raise JobOver(f"job {job.pk} ({job.name}): attempt {attempt} is over; the report was not taken")
        if sum((row["resources"].get("counts") or {}).values()) > 1:
            progress = None  # of many parts it is how many of them are over; what one of them reports is not the job's
        target, label = (None, "") if status is None or engine_run else _wanted(job, *status)
        change = Change(job.pk, attempt, target, label, message=message, progress=progress)
        moves = transition([change], source="callback")
        if target is not None and not moves and target not in (row["status_code"],):
            old = Status(row["status_code"]).label
            raise JobOver(f"job {job.pk} ({job.name}) is {old} and cannot become {label or target.label}")
    if engine_run and status is not None:
        look_soon([job.scheduler_id])
        look_again_at(job.pk, clock.now() + LOOK_AGAIN)
