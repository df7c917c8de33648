"""Carrying out 'run': claim, submit with the attempt's tag, record."""

import logging

from jobs import intents
from jobs.engine import EngineRefused, EngineUnavailable, make_tag
from jobs.faultpoints import FaultPoint
from jobs.models import Intent, Job, job_rows
from jobs.status import Status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.worker.claims import claim_job, release_job, renewing
from jobs.worker.troubles import scheduler_answered, scheduler_failed
from jobs.workspaces import make_workspace

log = logging.getLogger(__name__)

RECOVER = FaultPoint("engine.recover")
SUBMIT = FaultPoint("engine.submit")
RECORD = FaultPoint("worker.record_submission")
REFUSE = FaultPoint("worker.record_refusal")


def run(intent: Intent) -> None:
    """Have the job's engine take the current attempt, exactly once, whatever died on the way."""
    job = Job.objects.filter(pk=intent.job_id).first()
    if job is None or job.attempt != intent.attempt or job.status_code != Status.PENDING:
        intents.close(intent, "over")
        return
    engine = job.type.engine
    try:
        scheduler = job.scheduler or engine.choose_scheduler(job)
    except EngineRefused as error:
        _refused(job, intent, "", str(error))
        return
    began_before = bool(job.claim)
    # The hash again, because the secret key may be another one than when the job was made.
    token_hash = job.callback_token_hash()
    claim = claim_job(job.pk, job.attempt, [Status.PENDING], scheduler=scheduler, token_hash=token_hash)
    if claim is None:
        intents.postpone(intent, 1)
        return
    job.scheduler = scheduler
    try:
        with renewing(job_rows().filter(pk=job.pk)):
            external_id = find_submitted(engine, job) if began_before else None
            if external_id is None:
                make_workspace(job)
                with SUBMIT:
                    external_id = engine.submit(job)
    except EngineRefused as error:
        _refused(job, intent, claim, str(error))
    except EngineUnavailable as error:
        release_job(job.pk, claim)
        scheduler_failed(scheduler, str(error))
        intents.postpone(intent, min(60, 2 ** min(intent.tries, 6)), error=str(error))
    except Exception:
        release_job(job.pk, claim)
        raise
    else:
        record(job, external_id, claim, intent)
        scheduler_answered(scheduler)


def find_submitted(engine, job) -> str | None:
    """The external id of an attempt that an earlier, broken-off submission left at the engine, or None.

    Raises:
        EngineUnavailable: it cannot be told now.
    """
    with RECOVER:
        return engine.recover(job.scheduler, make_tag(job.uuid, job.attempt))


def record(job, external_id: str, claim: str, intent: Intent | None = None) -> None:
    """Write down that the engine has the attempt; also where the wish to run it has been replaced meanwhile."""
    with committing(RECORD):
        change = Change(job.pk, job.attempt, Status.SUBMITTED, external_id=external_id, claim=claim)
        transition([change], source=job.type.engine.name)
        if intent is not None:
            intents.close(intent, "done")
    intents.look_soon([job.scheduler_id])


def _refused(job, intent: Intent, claim: str, message: str) -> None:
    with committing(REFUSE):
        change = Change(
            job.pk, job.attempt, Status.ERROR, message=message, claim=claim, only_from=frozenset({Status.PENDING})
        )
        transition([change], source=job.type.engine.name)
        intents.close(intent, "refused", error=message)
