"""Carrying out 'stop', 'pause', 'resume' and 'delete'."""

from django.db.models import Model

from jobs import clock, hooks, intents
from jobs.engine import EngineRefused, EngineUnavailable, Outcome, handle_of
from jobs.faultpoints import FaultPoint
from jobs.models import Intent, Job, job_rows
from jobs.status import ACTIVE, FINAL, Status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.worker.claims import claim_job, release_job
from jobs.worker.submission import find_submitted, record
from jobs.worker.troubles import scheduler_failed
from jobs.workspaces import remove_workspace

STOP = FaultPoint("engine.stop")
PAUSE = FaultPoint("engine.pause")
RESUME = FaultPoint("engine.resume")
FORGET = FaultPoint("engine.forget")
ABORT_PENDING = FaultPoint("worker.abort_pending")
REMOVE = FaultPoint("worker.remove_job")

ASK_AGAIN = 2.0
"""Seconds until an engine that took a stop, pause or resume is asked again, if its reports do not show it."""


def stop(intent: Intent) -> None:
    """Ask the engine to end the job; the intent closes when a report says that it is over."""
    job = Job.objects.filter(pk=intent.job_id).first()
    if job is None or job.attempt != intent.attempt or _ended(job, intent):
        intents.close(intent, "done" if job is not None and job.status_code == Status.ABORTED else "over")


def pause(intent: Intent) -> None:
    """Ask the engine to suspend the job; the intent closes when a report says Paused."""
    _ask(intent, "pause", PAUSE, reached=frozenset({Status.PAUSED}))


def resume(intent: Intent) -> None:
    """Ask the engine to let the job go on; the intent closes when a report says that it is not paused any more."""
    _ask(intent, "resume", RESUME, reached=ACTIVE - {Status.PAUSED})


def delete(intent: Intent) -> None:
    """End the job if need be, then remove what it left at the engine, its own workspace, and its row."""
    job = Job.objects.filter(pk=intent.job_id).first()
    if job is None:
        return
    if job.type is not None and not _ended(job, intent):
        return
    if job.type is not None and job.type.engine is not None and job.scheduler_id:
        handles = [handle_of(job, attempt=number) for number in range(1, job.attempt + 1)]
        try:
            with FORGET:
                outcomes = job.type.engine.forget(handles)
        except EngineUnavailable as error:
            _unavailable(job, intent, error)
            return
        except EngineRefused as error:
            intents.postpone(intent, 30, error=str(error))
            return
        if Outcome.LATER in outcomes.values():
            intents.postpone(intent, 1)
            return
    remove_workspace(job)
    with committing(REMOVE):
        # First the job, as the transition function does: else it and this wait for each other's rows.
        job_rows().select_for_update(of=("self",)).filter(pk=job.pk).first()
        Model.delete(job)  # Job.delete() is the wish that is being carried out here


def _ended(job, intent: Intent) -> bool:
    """Whether the attempt is over; if not, the engine is asked to end it, and the monitor to look."""
    if job.status_code not in ACTIVE | {Status.PENDING}:
        return True
    if job.status_code == Status.PENDING:
        return _abort_pending(job, intent)
    if job.type is None:
        raise EngineRefused(f"the type of job {job.pk} is not installed; install its app to stop it")
    if job.type.engine is None:
        if job.type.hooks:
            hooks.stop_once(job)
        return True
    _ask_engine(job, intent, "stop", STOP, force=bool(intent.deadline and clock.now() > intent.deadline))
    return False


def _abort_pending(job, intent: Intent) -> bool:
    """Abort a job that no engine has; where a submission was begun, find out first whether one has it after all."""
    claim = claim_job(job.pk, job.attempt, [Status.PENDING])
    if claim is None:
        intents.postpone(intent, 0.5)
        return False
    engine = job.type.engine if job.type else None
    if job.claim and engine is not None and job.scheduler_id:
        try:
            external_id = find_submitted(engine, job)
        except EngineUnavailable as error:
            release_job(job.pk, claim)
            _unavailable(job, intent, error)
            return False
        if external_id is not None:
            record(job, external_id, claim)
            intents.postpone(intent, 0)
            return False
    with committing(ABORT_PENDING):
        change = Change(job.pk, job.attempt, Status.ABORTED, message="Stopped before it started.", claim=claim)
        transition([change], source=_who(intent))
    return True


def _ask(intent: Intent, verb: str, point: FaultPoint, *, reached: frozenset) -> None:
    job = Job.objects.filter(pk=intent.job_id).first()
    if job is None or job.attempt != intent.attempt or job.status_code in FINAL | {Status.RESULTS_READY}:
        intents.close(intent, "over")
    elif job.status_code in reached:
        intents.close(intent, "done")
    else:
        _ask_engine(job, intent, verb, point)


def _ask_engine(job, intent: Intent, verb: str, point: FaultPoint, **options) -> None:
    engine, handle = job.type.engine, handle_of(job)
    try:
        with point:
            outcome = getattr(engine, verb)([handle], **options)[handle.tag]
    except EngineUnavailable as error:
        _unavailable(job, intent, error)
    except EngineRefused as error:
        if verb == "stop":
            intents.postpone(intent, 30, error=str(error))
        else:
            intents.close(intent, "refused", error=str(error))
    else:
        intents.postpone(intent, 0.5 if outcome is Outcome.LATER else ASK_AGAIN)
        intents.look_soon([job.scheduler_id])


def _unavailable(job, intent: Intent, error: EngineUnavailable) -> None:
    scheduler_failed(job.scheduler, str(error))
    intents.postpone(intent, min(60, 2 ** min(intent.tries, 6)), error=str(error))


def _who(intent: Intent) -> str:
    return f"user {intent.requested_by.get_username()}" if intent.requested_by else "app"
