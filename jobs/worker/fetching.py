"""After a job ended elsewhere: its outputs are brought in, then it is over here, then its engine forgets it.

In this order, so that a process may die anywhere: outputs are fetched again until the end is written down, and the engine
keeps them until then.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from jobs import clock
from jobs.engine import EngineRefused, EngineUnavailable, Outcome, Report, handle_of
from jobs.faultpoints import FaultPoint
from jobs.models import Job, Scheduler, job_rows
from jobs.reports import ending_of, store_parts
from jobs.scheduler_test import engine_of
from jobs.status import ACTIVE, FINAL, Status, resolve_status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.worker.claims import claim_job, release_job, renewing
from jobs.worker.places import place_for
from jobs.worker.troubles import scheduler_answered, scheduler_failed
from jobs.workspaces import make_workspace

log = logging.getLogger(__name__)

FETCH = FaultPoint("engine.fetch")
END = FaultPoint("worker.record_end")
TIDY = FaultPoint("engine.tidy_up")
TIDIED = FaultPoint("worker.record_tidy")

AT_A_TIME = 20.0
"""Seconds for which one message has its thread fetch outputs of one job after the other."""
LONGEST_PAUSE = 60
"""Seconds between two tries to fetch from an engine that is away for long."""
TOGETHER = 500
"""Attempts that an engine is asked to forget in one call."""
TIDY_PAUSE = timedelta(seconds=30)
"""A scheduler that does not answer is not asked to forget anything more often than that."""


def due() -> QuerySet:
    """Keys of the jobs whose outputs are to be fetched now."""
    free = Q(claim="") | Q(claim_expires__lt=clock.now())
    ended = job_rows().filter(free, ending__isnull=False, status_code__in=ACTIVE)
    return ended.order_by("pk").values_list("pk", flat=True)


def fetch(job_id: int) -> None:
    """Bring in the outputs of a job that has ended at its engine, and write its end down, unless somebody does so already."""
    job = Job.objects.filter(pk=job_id, ending__isnull=False, status_code__in=ACTIVE).first()
    if job is None or job.type is None or job.type.engine is None:
        return
    with place_for(("after the end", job.scheduler_id)) as there_is_a_place:
        until = time.monotonic() + AT_A_TIME
        while there_is_a_place and job is not None and job.type is not None:
            _fetch(job)
            # Those that found no place meanwhile are not to wait until they are sent again.
            waiting = due().filter(scheduler=job.scheduler_id).first() if time.monotonic() < until else None
            job = Job.objects.filter(pk=waiting).first() if waiting else None


def _fetch(job) -> None:
    job_id = job.pk
    claim = claim_job(job_id, job.attempt, ACTIVE, tries=F("tries") + 1)
    if claim is None:
        return
    engine, trouble, said = job.type.engine, "", None
    try:
        with renewing(job_rows().filter(pk=job_id)), FETCH:
            said = engine.fetch(handle_of(job), make_workspace(job))
    except EngineUnavailable as error:
        scheduler_failed(job.scheduler, str(error))
        release_job(job_id, claim, after=min(LONGEST_PAUSE, 2 ** min(job.tries, 6)))
        return
    except EngineRefused as error:
        trouble = str(error)
    except Exception:
        # An engine's bug, a full disk: the outputs are still where they are.
        release_job(job_id, claim, after=min(LONGEST_PAUSE, 2 ** min(job.tries, 6)))
        raise
    else:
        scheduler_answered(job.scheduler)
    with committing(END):
        change = _end(job, claim, trouble, said)
        if transition([change], source=engine.name) and said is not None and said.parts:
            store_parts(job_id, job.attempt, said.parts)


def _end(job, claim: str, trouble: str, said: Report | None) -> Change:
    """The change that the job's ending asks for.

    Args:
        trouble: why its outputs could not be fetched.
        said: what its outputs tell beside what was reported of its end.
    """
    ending = job.ending
    if said is not None:
        later = ending_of(said, *resolve_status(said.status or ending["status"]))
        resources = {**ending["resources"], **later["resources"]}
        ending = {
            **ending,
            **{name: value for name, value in later.items() if value is not None},
            "resources": resources,
        }
    status, message = ending["status"], ending["message"]
    if trouble:
        status = Status.ERROR if status in (Status.COMPLETE, Status.VARIOUS_COMPLETE) else status
        message = f"{message} {trouble}".strip() if message else trouble
    return Change(
        job.pk,
        job.attempt,
        status,
        ending["label"] if status == ending["status"] else "",
        message=message,
        exit_code=ending["exit_code"],
        progress=ending["progress"],
        started=_time(ending["started"]),
        finished=_time(ending["finished"]),
        resources=ending["resources"] or None,
        claim=claim,
        # What could not be fetched stays at the engine until the job is deleted.
        leftover=not trouble,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def to_tidy() -> list[int]:
    """Keys of the schedulers whose engine has something to forget."""
    long_ago = clock.now() - TIDY_PAUSE
    asked = Scheduler.objects.filter(Q(failures=0) | Q(last_error_time__lt=long_ago) | Q(last_error_time=None))
    rows = job_rows().filter(leftover=True, scheduler__in=asked.values("pk")).order_by()
    return list(rows.values_list("scheduler_id", flat=True).distinct())


def tidy_up(scheduler_id: int) -> None:
    """Have the scheduler's engine forget attempts that are over and whose outputs are here."""
    scheduler = Scheduler.objects.get(pk=scheduler_id)
    engine = engine_of(scheduler)
    if engine is None:
        return
    rows = job_rows().filter(scheduler=scheduler, leftover=True).select_related("scheduler").order_by("pk")
    jobs = {job.pk: job for job in rows[:TOGETHER]}
    handles = {}
    for job in jobs.values():
        last = job.attempt if job.status_code in FINAL | {Status.RESULTS_READY} else job.attempt - 1
        handles[job.pk] = [handle_of(job, attempt=number) for number in range(1, last + 1)]
    try:
        with TIDY:
            outcomes = engine.forget([handle for several in handles.values() for handle in several])
    except EngineUnavailable as error:
        scheduler_failed(scheduler, str(error))
        return
    except EngineRefused as error:
        log.warning("%s: cannot forget attempts that are over: %s", scheduler.name, error)
        return
    scheduler_answered(scheduler)
    tidied = [
        (pk, jobs[pk].attempt, jobs[pk].status_code)
        for pk, several in handles.items()
        if all(outcomes.get(handle.tag) in (Outcome.DONE, Outcome.OVER) for handle in several)
    ]
    with committing(TIDIED):
        # Not where another attempt began, or ended, since we looked.
        wanted = Q(pk__in=[])
        for pk, attempt, status in tidied:
            wanted |= Q(pk=pk, attempt=attempt, status_code=status)
        job_rows().filter(wanted, leftover=True).update(leftover=False)
