"""One question to one scheduler, and what its answer means for the jobs."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Case, F, When

from jobs import clock
from jobs.engine import Engine, EngineUnavailable, Handle, Poll, Report, Watched, by_tag, make_tag
from jobs.faultpoints import FaultPoint
from jobs.models import Action, Intent, Scheduler, job_rows
from jobs.monitor.leadership import still_leads
from jobs.status import ACTIVE, Status, resolve_status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.types import job_types, type_of
from jobs.workspaces import workspace_path

log = logging.getLogger(__name__)

POLL = FaultPoint("engine.poll")
APPLY = FaultPoint("monitor.apply_poll")
RESOLVE = FaultPoint("engine.resolve")
APPLY_RESOLVED = FaultPoint("monitor.apply_resolved")

MISSES = 2
"""Full answers in a row that lack a job before its engine's history is asked."""
LONGEST_BACKOFF = 60.0
"""Seconds between two questions to a scheduler that has not answered for long."""


def is_due(scheduler: Scheduler) -> bool:
    """Whether the scheduler may and should be asked now."""
    now = clock.now()
    if scheduler.last_poll is not None and not scheduler.failures:
        politely = scheduler.last_poll + timedelta(seconds=scheduler.least_interval)
        if now < politely:
            return False
        if scheduler.look_wanted:
            return True
    return scheduler.next_poll is None or scheduler.next_poll <= now


def poll_once(scheduler: Scheduler, engine: Engine) -> bool:
    """Ask the scheduler once and apply its answer; the scheduler's row is read before by the caller.

    Returns:
        Whether it answered and this process still led when the answer was written.
    """
    started = clock.now()
    rows = _watched_rows(scheduler)
    if not rows and not scheduler.look_wanted:
        return True
    watched = [Watched(make_tag(row["uuid"], row["attempt"]), row["external_id"], row["status_code"]) for row in rows]
    try:
        if watched:
            with POLL:
                poll = engine.poll(scheduler, scheduler.cursor, watched)
        else:
            poll = Poll([], scheduler.cursor)
    except EngineUnavailable as error:
        _failed(scheduler, str(error))
        return False
    tags = {watch.tag: row for watch, row in zip(watched, rows, strict=True)}
    # Where there was nothing to ask, what a worker found out about the scheduler stands.
    answered = {"failures": 0} if watched else {}
    with committing(APPLY):
        interval = max(scheduler.least_interval, engine.poll_interval)
        if not still_leads(
            scheduler.pk,
            cursor=poll.cursor,
            last_poll=started,
            next_poll=started + timedelta(seconds=interval),
            # A look that was asked for while the engine was answering is still to come.
            look_wanted=Case(When(look_wanted__gt=started, then=F("look_wanted")), default=None),
            **answered,
        ):
            return False
        apply_reports(poll.reports, tags, source=engine.name)
        missing = _count_misses(poll, tags)
        refreshes = Intent.objects.open().filter(action=Action.REFRESH, created__lte=started)
        refreshes.filter(job__scheduler=scheduler).update(closed=clock.now(), outcome="done")
    if missing:
        _resolve(scheduler, engine, missing)
    return True


def _watched_rows(scheduler: Scheduler) -> list[dict]:
    rows = job_rows().filter(scheduler=scheduler, status_code__in=ACTIVE).order_by("pk")
    names = [
        "id",
        "uuid",
        "attempt",
        "external_id",
        "status_code",
        "status_label",
        "status_message",
        "progress",
        "start_time",
        "exit_code",
        "resources",
        "missed",
    ]
    return list(rows.values(*names))


def _failed(scheduler: Scheduler, error: str) -> None:
    backoff = min(LONGEST_BACKOFF, scheduler.least_interval * 2 ** min(scheduler.failures + 1, 10))
    now = clock.now()
    if still_leads(
        scheduler.pk,
        failures=F("failures") + 1,
        last_error=error[:1000],
        last_error_time=now,
        last_poll=now,
        next_poll=now + timedelta(seconds=backoff),
        look_wanted=None,
    ):
        log.warning("%s: %s (asked again in %.0f s)", scheduler.name, error, backoff)


def apply_reports(reports: Sequence[Report], rows: dict[str, dict], *, source: str) -> None:
    """Write what reports say about jobs, where it is news; inside the caller's transaction.

    Args:
        reports: as the engine gave them.
        rows: what the database says of the jobs that were asked for, by tag.
    """
    changes = []
    for tag, report in by_tag(reports).items():
        row = rows.get(tag)
        if row is None:
            continue
        try:
            change = _change(row, report)
        except ValueError as error:  # a status that nobody knows must not keep the others' news from being written
            log.error("%s: its engine reported what is no status: %s", tag, error)
            continue
        if change is not None:
            changes.append(change)
        if report.parts:
            _store_parts(row["id"], report)
    if changes:
        transition(changes, source=source)


def _change(row: dict, report: Report) -> Change | None:
    status, label = resolve_status(report.status) if report.status else (None, "")
    resources = {**(report.resources or {}), **({"counts": report.counts} if report.counts else {})}
    news = status is not None and (str(status), label) != (row["status_code"], row["status_label"])
    news = news or any(row["resources"].get(name) != value for name, value in resources.items())
    news = news or any(
        said is not None and said != row[name]
        for name, said in (
            ("status_message", report.message),
            ("progress", report.progress),
            ("exit_code", report.exit_code),
            ("start_time", report.started),
        )
    )
    if not news:
        return None
    return Change(
        row["id"],
        row["attempt"],
        status,
        label,
        message=report.message,
        exit_code=report.exit_code,
        progress=report.progress,
        started=report.started,
        finished=report.finished,
        resources=resources or None,
    )


def _store_parts(job_id: int, report: Report) -> None:
    job_type = type_of(job_rows().get(pk=job_id))
    if job_type is not None and job_type.store_parts is not None:
        job_type.store_parts(job_id, report.parts)


def _count_misses(poll: Poll, rows: dict[str, dict]) -> list[dict]:
    """Count the jobs that a full answer lacked; those that have been missed often enough."""
    seen = {report.tag for report in poll.reports}
    back = [row["id"] for tag, row in rows.items() if tag in seen and row["missed"]]
    if back:
        job_rows().filter(pk__in=back).update(missed=0)
    if not poll.full:
        return []
    absent = [row for tag, row in rows.items() if tag not in seen]
    if absent:
        job_rows().filter(pk__in=[row["id"] for row in absent]).update(missed=F("missed") + 1)
    return [row for row in absent if row["missed"] + 1 >= MISSES]


def _resolve(scheduler: Scheduler, engine: Engine, missing: list[dict]) -> None:
    rows = {make_tag(row["uuid"], row["attempt"]): row for row in missing}
    jobs = {job.pk: job for job in job_rows().filter(pk__in=[row["id"] for row in missing])}
    handles = [
        Handle(tag, row["external_id"], scheduler, workspace_path(jobs[row["id"]]))
        for tag, row in rows.items()
        if row["id"] in jobs
    ]
    try:
        with RESOLVE:
            reports = engine.resolve(scheduler, handles)
    except EngineUnavailable as error:
        _failed(scheduler, str(error))
        return
    found = by_tag(reports)
    lost = [
        Report(tag, Status.ERROR, f"{scheduler.name} does not know this job any more; outcome unknown.")
        for tag in rows
        if tag not in found
    ]
    with committing(APPLY_RESOLVED):
        if still_leads(scheduler.pk, last_poll=clock.now()):
            apply_reports([*reports, *lost], rows, source=engine.name)


def engines() -> dict[str, Engine]:
    """The engines of all installed types by name."""
    return {job_type.engine.name: job_type.engine for job_type in job_types() if job_type.engine is not None}
