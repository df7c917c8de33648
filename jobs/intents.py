"""Writing down what somebody wants done to a job, and what is allowed when."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from jobs import clock
from jobs.engine import EngineRefused
from jobs.errors import ActionNotAllowed
from jobs.faultpoints import FaultPoint
from jobs.models import Action, Intent, Job, Scheduler, job_rows
from jobs.status import ACTIVE, FINAL, Status
from jobs.transactions import committing
from jobs.transitions import Change, transition

WANT = FaultPoint("intent.write")
CLOSE = FaultPoint("intent.close")
POSTPONE = FaultPoint("intent.postpone")
LOOK = FaultPoint("scheduler.look_soon")

ALLOWED: dict[str, frozenset[str]] = {
    Action.RUN: frozenset({Status.PENDING}),
    Action.PAUSE: frozenset({Status.SUBMITTED, Status.RUNNING, Status.VARIOUS}),
    Action.RESUME: frozenset({Status.PAUSED}),
    Action.STOP: ACTIVE | {Status.PENDING},
    Action.RESUBMIT: FINAL,
    Action.RESCUE: FINAL - {Status.COMPLETE},
    Action.PROCESS_AGAIN: frozenset({Status.ERROR}),
    Action.DELETE: frozenset(Status),
}
"""The statuses in which each action can be asked for."""

REPLACES: dict[str, frozenset[str]] = {
    Action.STOP: frozenset({Action.RUN, Action.PAUSE, Action.RESUME}),
    Action.DELETE: frozenset(Action) - {Action.DELETE},
}
"""Open intents of which kinds give way to a new one of this kind."""

DEADLINES = {Action.STOP: timedelta(seconds=60), Action.DELETE: timedelta(seconds=60)}
"""When an engine that has not ended a job is asked with force."""


def allowed_actions(job, open_action: str = "") -> list[Action]:
    """What may be asked for a job now, as its page offers it.

    Args:
        job: read as itself or as a row.
        open_action: the action that is asked for already, if any.
    """
    job_type = job.type
    actions = [action for action, statuses in ALLOWED.items() if job.status_code in statuses]
    if job_type is None:
        return [action for action in actions if action == Action.DELETE]
    if job.status_code == Status.PENDING and open_action != Action.RUN:
        actions.remove(Action.STOP)
    if open_action:
        actions = [action for action in actions if open_action in REPLACES.get(action, ())]
    if not job.results_failed and Action.PROCESS_AGAIN in actions:
        actions.remove(Action.PROCESS_AGAIN)
    return [action for action in actions if _type_can(job_type, action)]


def _type_can(job_type, action: str) -> bool:
    if action == Action.RESCUE:
        return job_type.rescue
    if action not in (Action.PAUSE, Action.RESUME):
        return True
    if job_type.hooks:
        return getattr(job_type.model, action) is not getattr(Job, action)
    return job_type.engine is not None and job_type.engine.supports.pause


def want(job, action: str, *, user=None) -> Intent | None:
    """Write down that `action` is wanted of `job`.

    What gives way is closed in the same transaction. Run, resubmit, rescue and process again that can be said in the database
    alone are said there at once.

    Args:
        job: any object of it; its row is read again.
        action: one of `Action`.
        user: who asks, for the history; None for app code.

    Returns:
        The open intent; the one that was open where the same was wanted already; None where nothing is left to do.

    Raises:
        ActionNotAllowed: not in this status, not with this engine, or something else is being done.
    """
    action = Action(action)
    if action == Action.REFRESH:
        return ask_for_refresh(job)
    with committing(WANT):
        row = job_rows().select_for_update(of=("self",)).filter(pk=job.pk).first()
        if row is None or (row.hidden and action != Action.DELETE):
            raise ActionNotAllowed(f"{action.label}: job {job.pk} is being deleted or is gone")
        standing = Intent.objects.open().exclude(action=Action.REFRESH).filter(job=row).first()
        if standing is not None and standing.action == action:
            return standing
        _check(row, action, standing)
        source = f"user {user.get_username()}" if user else "app"
        if standing is not None:
            Intent.objects.filter(pk=standing.pk).update(closed=clock.now(), outcome="replaced")
        return _write(row, action, source, user)


def _check(row, action: Action, standing: Intent | None) -> None:
    if action in allowed_actions(row, standing.action if standing else ""):
        return
    about = f"{action.label}: job {row.pk} ({row.name}) is {row.status_display}"
    if standing is not None:
        raise ActionNotAllowed(f"{about}, and '{Action(standing.action).label}' is under way; wait for it")
    if action == Action.STOP and row.status_code == Status.PENDING:
        raise ActionNotAllowed(f"{about} and was not asked to run; there is nothing to stop")
    if row.status_code in ALLOWED[action] and row.type is not None and not _type_can(row.type, action):
        raise ActionNotAllowed(f"{about}; jobs of type {row.type.label} cannot do that")
    raise ActionNotAllowed(f"{about}; that can only be done to a job that is {_words(ALLOWED[action])}")


def _words(statuses: Iterable[str]) -> str:
    return " or ".join(status.label for status in Status if status in statuses)


def _write(row, action: Action, source: str, user) -> Intent | None:
    now = clock.now()
    if action == Action.PROCESS_AGAIN:
        transition([Change(row.pk, row.attempt, Status.RESULTS_READY, process_again=True)], source=source)
        return None
    if action in (Action.RESUBMIT, Action.RESCUE):
        continues = row.attempt if action == Action.RESCUE else None
        transition([Change(row.pk, row.attempt, resubmit=True, continues=continues)], source=source)
        row.attempt, action = row.attempt + 1, Action.RUN
    if action == Action.RUN:
        if row.type.engine is not None and row.type.engine.supports.in_database:
            _hand_over(row, now)
            return None
        job_rows().filter(pk=row.pk).update(execute_time=now)
        if not _has_engine(row):
            # What runs it is outside: from here on its reports tell.
            transition([Change(row.pk, row.attempt, Status.SUBMITTED)], source=source)
            return None
    if action == Action.DELETE:
        job_rows().filter(pk=row.pk).update(hidden=True)
    if action in (Action.STOP, Action.DELETE) and row.status_code in ACTIVE and row.type and not _has_engine(row):
        transition([Change(row.pk, row.attempt, Status.ABORTED, message=f"stopped by {source}")], source=source)
        if action == Action.STOP:
            return None
    deadline = now + DEADLINES[action] if action in DEADLINES else None
    return Intent.objects.create(
        job=row,
        action=action,
        attempt=row.attempt,
        requested_by=user,
        created=now,
        next_try=now,
        deadline=deadline,
    )


def _hand_over(row, now: datetime) -> None:
    """Submit to an engine that is in this database: with the wish, or not at all."""
    engine = row.type.engine
    job = row.type.model.objects.non_polymorphic().get(pk=row.pk)
    try:
        job.scheduler = job.scheduler or engine.choose_scheduler(job)
        external_id = engine.submit(job)
    except EngineRefused as error:
        job_rows().filter(pk=row.pk).update(execute_time=now)
        change = Change(row.pk, job.attempt, Status.ERROR, message=str(error))
    else:
        job_rows().filter(pk=row.pk).update(execute_time=now, scheduler=job.scheduler)
        change = Change(row.pk, job.attempt, Status.SUBMITTED, external_id=external_id)
    transition([change], source=engine.name)


def _has_engine(row) -> bool:
    return row.type.engine is not None or row.type.hooks


def ask_for_refresh(job) -> Intent:
    """An open refresh intent for the job; the monitor closes it when its engine has answered."""
    now = clock.now()
    intent = Intent.objects.create(job_id=job.pk, action=Action.REFRESH, attempt=job.attempt, created=now, next_try=now)
    look_soon([job.scheduler_id])
    if job.scheduler_id is None:
        look_by_hook_soon(job.pk)
    return intent


def look_by_hook_soon(job_id: int) -> None:
    """Have a job of a type with hooks looked at in the next sweep."""
    job_rows().filter(pk=job_id).update(last_look=None)


def is_closed(intent: Intent) -> bool:
    """Whether the intent is no longer open (or gone with its job)."""
    return not Intent.objects.open().filter(pk=intent.pk).exists()


def look_soon(scheduler_ids: Iterable[int | None]) -> None:
    """Have the monitor ask these schedulers as soon as their least interval allows.

    After the caller's transaction: the monitor locks a scheduler before its jobs, and who has locked a job must not wait
    for its scheduler.
    """
    wanted = {pk for pk in scheduler_ids if pk is not None}
    if wanted:
        transaction.on_commit(lambda: mark_look_wanted(wanted))


def mark_look_wanted(scheduler_ids: Collection[int]) -> None:
    """What `look_soon` does, at once."""
    with committing(LOOK):
        Scheduler.objects.filter(pk__in=scheduler_ids).update(look_wanted=clock.now())


def look_again_at(job_id: int, moment: datetime) -> None:
    """Have the monitor look at the job's scheduler at `moment`; the earlier of two moments holds."""
    job_rows().filter(Q(look_at__isnull=True) | Q(look_at__gt=moment), pk=job_id).update(look_at=moment)


def close(intent: Intent, outcome: str, *, error: str = "") -> None:
    """Close an intent that is still open."""
    with committing(CLOSE):
        Intent.objects.open().filter(pk=intent.pk).update(
            closed=clock.now(), outcome=outcome, last_error=error[:1000], claim=""
        )


def postpone(intent: Intent, seconds: float, *, error: str = "") -> None:
    """Give up the worker's claim and have the intent taken up again after `seconds`."""
    with committing(POSTPONE):
        Intent.objects.open().filter(pk=intent.pk).update(
            claim="", claim_expires=None, next_try=clock.now() + timedelta(seconds=seconds), last_error=error[:1000]
        )


def open_action(job_id: int) -> str:
    """The action that is asked for and not carried out yet, or an empty string."""
    standing = Intent.objects.open().exclude(action=Action.REFRESH).filter(job_id=job_id)
    return standing.values_list("action", flat=True).first() or ""
