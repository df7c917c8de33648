"""A worker's way through one intent: claim it, and do what it asks for."""

import logging
from datetime import timedelta

from jobs import clock, hooks, intents
from jobs.models import Action, Intent, Job, job_rows
from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.worker import ending, submission
from jobs.worker.claims import claim_intent, renewing
from jobs.worker.places import place_for

log = logging.getLogger(__name__)

ACTIONS = {
    Action.RUN: submission.run,
    Action.STOP: ending.stop,
    Action.PAUSE: ending.pause,
    Action.RESUME: ending.resume,
    Action.DELETE: ending.delete,
}
BUSY_PAUSE = 0.5
"""Seconds until an intent is taken up again that found its scheduler's threads busy."""
MOST_CRASHES = 5
"""After so many unexpected errors a job that was to be run is an Error; it would go on for ever."""


def carry_out(intent_id: int) -> None:
    """Do what an open intent asks for, if no other worker is at it."""
    job = job_rows().filter(intents=intent_id).first()
    if job is None:
        return
    with place_for(_whose(job)) as there_is_a_place:
        if not there_is_a_place:
            # Not `postpone`: this may be a second wake-up for an intent that somebody is carrying out.
            waiting = Intent.objects.open().filter(pk=intent_id, claim="")
            waiting.update(next_try=clock.now() + timedelta(seconds=BUSY_PAUSE))
            return
        intent = claim_intent(intent_id)
        if intent is not None:
            with renewing(Intent.objects.filter(pk=intent_id)):
                _act(intent)


def _whose(job) -> object:
    """Whose places a job takes: its scheduler's; before it has one, all those together that its engine will give one."""
    return job.scheduler_id or (job.type.engine.name if job.type and job.type.engine else None)


def _act(intent: Intent) -> None:
    job_type = Job.objects.non_polymorphic().get(pk=intent.job_id).type
    try:
        if job_type is not None and job_type.hooks and intent.action != Action.DELETE:
            hooks.carry_out(intent)
        else:
            ACTIONS[intent.action](intent)
    except Exception as error:  # an engine's bug must not take the worker with it
        log.exception("job %s: %s", intent.job_id, intent.action)
        _crashed(intent, f"{type(error).__name__}: {error}")


def _crashed(intent: Intent, message: str) -> None:
    if intent.action == Action.RUN and intent.tries >= MOST_CRASHES:
        change = Change(
            intent.job_id,
            intent.attempt,
            Status.ERROR,
            message=f"It could not be submitted: {message}",
            only_from=frozenset({Status.PENDING}),
        )
        transition([change], source="worker")
        intents.close(intent, "refused", error=message)
    else:
        intents.postpone(intent, min(60, 2**intent.tries), error=message)
