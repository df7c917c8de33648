"""One question to one scheduler, and what its answer means for the jobs."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Case, CharField, F, Q, When
from django.db.models.functions import Cast

from jobs import clock
from jobs.conf import conf
from jobs.engine import Engine, EngineUnavailable, Handle, Poll, Report, Watched, by_tag
from jobs.faultpoints import FaultPoint
from jobs.models import Action, Intent, Scheduler, job_rows
from jobs.monitor.leadership import still_leads
from jobs.reports import ending_of, store_parts
from jobs.status import ACTIVE, FINAL, Status, resolve_status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.types import job_types
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
    known = _known_jobs(scheduler)
    if not known and not scheduler.look_wanted:
        return True
    watched = [Watched(tag, job.external_id, job.status_code) for tag, job in known.items()]
    try:
        if watched:
            with POLL:
                poll = engine.poll(scheduler, scheduler.cursor, watched)
        else:
            poll = Poll([], scheduler.cursor)
    except EngineUnavailable as error:
        _failed(scheduler, engine, str(error))
        return False
    # Where there was nothing to ask, what a worker found out about the scheduler stands.
    answered = {"failures": 0} if watched else {}
    with committing(APPLY):
        interval = max(scheduler.least_interval, engine.poll_interval, poll.pause)
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
        apply_reports(poll.reports, known, engine)
        missing = _count_misses(poll, known)
        refreshes = Intent.objects.open().filter(action=Action.REFRESH, created__lte=started)
        refreshes.filter(job__scheduler=scheduler).update(closed=clock.now(), outcome="done")
    if missing:
        _resolve(scheduler, engine, missing)
    return True


class KnownJob(NamedTuple):
    """What is read of every job of a scheduler at every look: there may be ten thousand."""

    id: int
    uuid: str
    attempt: int
    external_id: str
    status_code: str
    missed: int
    has_ending: bool


def _known_jobs(scheduler: Scheduler) -> dict[str, KnownJob]:
    """The active jobs of a scheduler by the tag of their attempt."""
    rows = job_rows().filter(scheduler=scheduler, status_code__in=ACTIVE).order_by("pk")
    # As text: ten thousand UUID objects take longer to make than the rows take to read.
    rows = rows.annotate(uuid_text=Cast("uuid", CharField()), has_ending=Q(ending__isnull=False))
    columns = rows.values_list("id", "uuid_text", "attempt", "external_id", "status_code", "missed", "has_ending")
    instance = conf.INSTANCE
    return {f"{instance}.{job[1].replace('-', '')}.{job[2]}": KnownJob(*job) for job in columns}


def _rows_of(reports: Mapping[str, Report], known: Mapping[str, KnownJob]) -> dict[str, dict]:
    """What the database says of the jobs that were reported about, by tag; only where the attempt is still the same."""
    names = [
        "id",
        "attempt",
        "status_code",
        "status_label",
        "status_message",
        "progress",
        "start_time",
        "exit_code",
        "resources",
        "ending",
    ]
    tags = {known[tag].id: tag for tag in reports if tag in known}
    found, ids = {}, sorted(tags)
    for start in range(0, len(ids), 5000):
        for row in job_rows().filter(pk__in=ids[start : start + 5000]).values(*names):
            tag = tags[row["id"]]
            if row["attempt"] == known[tag].attempt:
                found[tag] = row
    return found


def _failed(scheduler: Scheduler, engine: Engine, error: str) -> None:
    interval = max(scheduler.least_interval, engine.poll_interval)
    backoff = min(LONGEST_BACKOFF, interval * 2 ** min(scheduler.failures + 1, 10))
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


def apply_reports(
    reports: Sequence[Report], known: Mapping[str, KnownJob], engine: Engine, *, fetch: bool = True
) -> None:
    """Write what reports say about jobs, where it is news; inside the caller's transaction.

    Args:
        reports: as the engine gave them.
        known: the jobs that were asked for, by tag.
        engine: whose reports they are.
        fetch: where the engine's outputs are elsewhere, an end is an end when they are here.
    """
    fetch = fetch and engine.supports.fetch
    latest = by_tag(reports)
    rows = _rows_of(latest, known)
    changes = []
    for tag, report in latest.items():
        row = rows.get(tag)
        if row is None:
            continue
        try:
            change = _change(row, report, fetch=fetch)
        except ValueError as error:  # a status that nobody knows must not keep the others' news from being written
            log.error("%s: its engine reported what is no status: %s", tag, error)
            continue
        if change is not None:
            changes.append(change)
        if report.parts:
            store_parts(row["id"], row["attempt"], report.parts)
    if changes:
        transition(changes, source=engine.name)


def _change(row: dict, report: Report, *, fetch: bool) -> Change | None:
    status, label = resolve_status(report.status) if report.status else (None, "")
    if fetch and status in FINAL:
        ending = ending_of(report, status, label)
        if row["ending"] and ending["message"] is None:
            ending["message"] = row["ending"]["message"]  # nothing said leaves what was said
        return Change(row["id"], row["attempt"], ending=ending) if ending != row["ending"] else None
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


def _count_misses(poll: Poll, known: Mapping[str, KnownJob]) -> dict[str, KnownJob]:
    """Count the jobs that a full answer lacked; those that have been missed often enough, by tag."""
    seen = {report.tag for report in poll.reports}
    back = [job.id for tag, job in known.items() if job.missed and tag in seen]
    if back:
        job_rows().filter(pk__in=back).update(missed=0)
    if not poll.full:
        return {}
    # Of one whose end is known nothing more is to be learnt; its worker finds out whether its outputs are gone.
    absent = {tag: job for tag, job in known.items() if tag not in seen and not job.has_ending}
    if absent:
        job_rows().filter(pk__in=[job.id for job in absent.values()]).update(missed=F("missed") + 1)
    return {tag: job for tag, job in absent.items() if job.missed + 1 >= MISSES}


def _resolve(scheduler: Scheduler, engine: Engine, missing: Mapping[str, KnownJob]) -> None:
    jobs = {job.pk: job for job in job_rows().filter(pk__in=[known.id for known in missing.values()])}
    handles = [
        Handle(tag, known.external_id, scheduler, workspace_path(jobs[known.id]))
        for tag, known in missing.items()
        if known.id in jobs
    ]
    try:
        with RESOLVE:
            reports = engine.resolve(scheduler, handles)
    except EngineUnavailable as error:
        _failed(scheduler, engine, str(error))
        return
    found = by_tag(reports)
    lost = [
        Report(tag, Status.ERROR, f"{scheduler.name} does not know this job any more; outcome unknown.")
        for tag in missing
        if tag not in found
    ]
    with committing(APPLY_RESOLVED):
        if still_leads(scheduler.pk, last_poll=clock.now()):
            apply_reports(reports, missing, engine)
            apply_reports(lost, missing, engine, fetch=False)


def engines() -> dict[str, Engine]:
    """The engines of all installed types by name."""
    return {job_type.engine.name: job_type.engine for job_type in job_types() if job_type.engine is not None}
