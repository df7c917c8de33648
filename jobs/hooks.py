"""Types without an engine: their own `_execute`, `_update_status`, `stop`, … run one by one in a killable child."""

import logging
from datetime import timedelta

from django.db import OperationalError, connections

from jobs import clock, intents
from jobs.conf import conf
from jobs.errors import JobError
from jobs.faultpoints import FaultPoint
from jobs.models import Action, Intent, Job, job_rows
from jobs.status import ACTIVE, FINAL, Status, resolve_status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.types import job_types
from jobs.worker.claims import claim_job, release_job, renewing
from jobs.worker.results import run_hook

log = logging.getLogger(__name__)

PROCESSED = FaultPoint("hook.process_results")
DONE = FaultPoint("hook.done")

HOOKS = ("execute", "resubmit", "update_status", "process_results", "stop", "pause", "resume")
"""The hooks that `manage.py run_hook` knows."""


class ResultsNotWanted(JobError):
    """The job is not Results-Ready any more: what its function did is rolled back."""


# --- in the worker


def carry_out(intent: Intent) -> None:
    """Run the hook that an intent asks for."""
    job = Job.objects.filter(pk=intent.job_id).first()
    if job is None or job.attempt != intent.attempt or job.status_code in FINAL:
        intents.close(intent, "over")
        return
    hook = intent.action
    if job.status_code == Status.PENDING:
        # Claimed for a stop too: its `_execute` may be at work just now.
        if claim_job(job.pk, job.attempt, [Status.PENDING]) is None:
            intents.postpone(intent, 1)
            return
        if intent.action == Action.STOP and not job.claim:
            message = "Stopped before it started."
            transition([Change(job.pk, job.attempt, Status.ABORTED, message=message)], source="app")
            return
        if job.claim:
            # Nobody but the hook's process knew what it had done.
            message = "The process that started it died; outcome unknown."
            transition([Change(job.pk, job.attempt, Status.ERROR, message=message)], source="hook")
            return
        hook = "execute" if job.attempt == 1 else "resubmit"
    elif intent.action == Action.RUN:
        intents.close(intent, "over")
        return
    with renewing(job_rows().filter(pk=job.pk)):
        trouble = run_hook(job.pk, hook, timeout=conf.HOOK_TIMEOUT)
    if trouble is None:
        intents.close(intent, "done")
    elif intent.action == Action.RUN:
        message = f"_{hook}: {trouble.message}"
        if trouble.passing:
            # It may have done its work, and may even have said so before it was ended.
            message += " Outcome unknown."
        change = Change(job.pk, job.attempt, Status.ERROR, message=message, only_from=frozenset({Status.PENDING}))
        if not transition([change], source="hook"):
            intents.close(intent, "done")
    else:
        intents.close(intent, "refused", error=trouble.message)


def stop_once(job) -> None:
    """Call the stop hook of a job that is about to be deleted; if it fails the job is deleted all the same."""
    with renewing(job_rows().filter(pk=job.pk)):
        trouble = run_hook(job.pk, "stop", timeout=conf.HOOK_TIMEOUT)
    if trouble is not None:
        log.warning("job %s: stop: %s; it is deleted all the same", job.pk, trouble.message)


def look(job_id: int) -> None:
    """Ask `_update_status` how a job is, unless somebody does so already."""
    job = job_rows().filter(pk=job_id).first()
    if job is None or job.status_code not in ACTIVE:
        return
    started = clock.now()
    claim = claim_job(job_id, job.attempt, ACTIVE, last_look=clock.now())
    if claim is None:
        return
    with renewing(job_rows().filter(pk=job_id)):
        trouble = run_hook(job_id, "update_status", timeout=conf.HOOK_TIMEOUT)
    release_job(job_id, claim)
    refreshes = Intent.objects.open().filter(action=Action.REFRESH, job_id=job_id, created__lte=started)
    refreshes.update(closed=clock.now(), outcome="done")
    if trouble is not None:
        log.warning("job %s: _update_status: %s", job_id, trouble.message)
        message = f"Its status could not be looked at: {trouble.message}"
        transition([Change(job_id, job.attempt, message=message)], source="hook")


def due_looks():
    """Ids of the jobs of types with hooks that are to be looked at."""
    models = [job_type.model for job_type in job_types() if job_type.hooks]
    if not models:
        return []
    before = clock.now() - timedelta(seconds=conf.HOOK_INTERVAL)
    rows = job_rows().instance_of(*models).filter(status_code__in=ACTIVE).exclude(last_look__gt=before)
    return list(rows.values_list("pk", flat=True)[:200])


# --- in the child (manage.py run_hook JOB HOOK)


def call(job_id: int, hook: str) -> None:
    """Call a hook of a job in this process and write what came of it.

    Raises:
        ValueError: no such hook.
        Job.DoesNotExist: no such job.
        Exception: whatever the hook raises.
    """
    if hook not in HOOKS:
        raise ValueError(f"{hook!r} is not a hook; there are {', '.join(HOOKS)}")
    job = Job.objects.get(pk=job_id)
    if hook == "process_results":
        _process_results(job)
        return
    if hook in ("stop", "pause", "resume"):
        getattr(job, hook)()
        reached = {"stop": Status.ABORTED, "pause": Status.PAUSED, "resume": Status.RUNNING}[hook]
        _moved(job, reached, "")
        return
    said = getattr(job, f"_{hook}")()
    if said is not None:
        _moved(job, *resolve_status(said))
    elif hook in ("execute", "resubmit"):
        _moved(job, Status.SUBMITTED, "")


def _moved(job: Job, status: str, label: str) -> None:
    with committing(DONE):
        job.save()
        transition([Change(job.pk, job.attempt, status, label)], source="hook")


def _process_results(job: Job) -> None:
    """Call the function and mark that it ran, in one transaction.

    On SQLite a transaction that begins by writing keeps all others out from its first statement on. So the function gets
    a deferred one first, which waits for nobody until it writes; if another process wrote in between, SQLite cannot let it
    go on, and it runs once more, alone.
    """
    connection = connections["default"]
    if connection.vendor != "sqlite":
        _process_in_transaction(job)
        return

    usual = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"
    try:
        _process_in_transaction(job)
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        log.info("job %s: the results are processed once more, alone: %s", job.pk, error)
        connection.transaction_mode = "IMMEDIATE"
        _process_in_transaction(Job.objects.get(pk=job.pk))
    finally:
        connection.transaction_mode = usual


def _process_in_transaction(job: Job) -> None:
    with committing(PROCESSED):
        job._process_results()
        done = Change(job.pk, job.attempt, Status.COMPLETE, only_from=frozenset({Status.RESULTS_READY}))
        if not transition([done], source="results"):
            raise ResultsNotWanted(f"job {job.pk} ({job.name}) is not Results-Ready any more")
