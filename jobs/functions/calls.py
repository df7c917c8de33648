"""What happens to calls: taken, ended, tried again. Each is one guarded UPDATE; of two that want it one wins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce

from jobs import clock
from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.functions.models import CallState, FunctionCall
from jobs.functions.registry import UnknownFunction, get_function
from jobs.status import Status
from jobs.transactions import committing
from jobs.transitions import storable

CLAIM = FaultPoint("function.claim")
END = FaultPoint("function.end")
AGAIN = FaultPoint("function.again")

MOST_DEATHS = 5
"""After so many dead workers a call is an Error, idempotent or not: it kills them."""
LONGEST_BACKOFF = 3600.0
"""Seconds before a retry, at most."""
STOPPED = "Stopped."

Guard = Callable[[FunctionCall], QuerySet]
"""`running` or `lapsed`."""


@dataclass(frozen=True)
class Taker:
    """A process or thread that takes calls.

    Attributes:
        worker: holder of its worker.
        pid: of the process that can be ended to end a call; None in threads.
        routes: the functions that it has.
    """

    worker: str
    pid: int | None
    routes: Sequence[str]


def claim(queue: str, taker: Taker, fence: str) -> FunctionCall | None:
    """Take the oldest call of the queue that is due and that the taker has the function for; None if there is none.

    From then on the call is this taker's, known by `fence`, for as long as its lease is renewed.

    Args:
        fence: never used before. Where the answer of the database was lost, `claimed` finds by it what was taken.
    """
    now = clock.now()
    waiting = FunctionCall.objects.filter(state=CallState.QUEUED, queue=queue, route__in=taker.routes, due__lte=now)
    waiting = waiting.filter(job__attempt=F("attempt")).select_related("job").order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        waiting = waiting.select_for_update(of=("self",), skip_locked=True)
    with committing(CLAIM):
        # Of [:1], because first() would sort a second time.
        call = next(iter(waiting[:1]), None)
        if call is None:
            return None
        limits = [limit for limit in (call.job.timeout, time_limit_of(call)) if limit]
        values = {
            "state": CallState.RUNNING,
            "worker": taker.worker,
            "pid": taker.pid,
            "fence": fence,
            "lease_expires": now + timedelta(seconds=conf.FUNCTION_LEASE),
            "deadline": now + timedelta(seconds=min(limits)) if limits else None,
        }
        taken = FunctionCall.objects.filter(pk=call.pk, state=CallState.QUEUED).update(
            tries=F("tries") + 1, started=Coalesce("started", Value(now)), **values
        )
    if not taken:
        return None
    for name, value in values.items():
        setattr(call, name, value)
    call.tries += 1
    return call


def claimed(taker: Taker, fence: str) -> FunctionCall | None:
    """What `claim` took with this fence; None if it took nothing, or if that was taken back since."""
    ours = FunctionCall.objects.filter(state=CallState.RUNNING, worker=taker.worker, fence=fence)
    return ours.select_related("job").first()


def time_limit_of(call: FunctionCall) -> float | None:
    """The seconds that the function's author allows a try."""
    try:
        return get_function(call.job.function).time_limit
    except UnknownFunction:
        return None


def too_long(call: FunctionCall) -> str:
    """What is said of a try that was ended because its time was over."""
    limits = [limit for limit in (call.job.timeout, time_limit_of(call)) if limit]
    return f"It ran longer than its {min(limits, default=0):g} seconds."


def running(call: FunctionCall) -> QuerySet:
    """The call, while this try of it runs: what every change of it is guarded by."""
    return FunctionCall.objects.filter(pk=call.pk, fence=call.fence, state=CallState.RUNNING)


def lapsed(call: FunctionCall) -> QuerySet:
    """The call, while this try of it runs, as far as is known, and its worker has not renewed the lease."""
    return running(call).filter(lease_expires__lt=clock.now())


def take_over(call: FunctionCall) -> bool:
    """Take the right to end a try from the process that runs it; whether it still had it."""
    fence = uuid4().hex
    taken = bool(running(call).update(fence=fence))
    if taken:
        call.fence = fence
    return taken


def end(
    call: FunctionCall,
    outcome: str,
    message: str | None = None,
    *,
    guard: Guard = running,
    draft: Path | None = None,
    **values,
) -> bool:
    """Write down how a try ended, unless it was ended otherwise already.

    Args:
        call: as it was claimed.
        outcome: a final status.
        message: None leaves what the function said last.
        guard: what must be true of it still.
        draft: of the file with its result; it becomes that file if this try is the one that ends the call.
        values: columns to write with it (result, result_size, progress).
    """
    if message is not None:
        values["message"] = message
    if "message" in values:
        values["message"] = storable(values["message"])
    with committing(END):
        ended = guard(call).update(
            state=CallState.ENDED,
            outcome=str(outcome),
            finished=clock.now(),
            fence="",
            lease_expires=None,
            **values,
        )
        if ended and draft is not None:
            draft.replace(draft.with_name(call.result_file))
    return bool(ended)


def fail(call: FunctionCall, message: str) -> bool:
    """Write down that a try failed: it is tried again while retries are left."""
    if call.retries_left:
        of = call.tries + call.retries_left
        pause = f"tried again in {call.backoff:g} s" if call.backoff else "tried again"
        return _again(call, f"Try {call.tries} of {of} failed, {pause}: {message}", retries_left=call.retries_left - 1)
    return end(call, Status.ERROR, message)


def died(call: FunctionCall, who: str, *, guard: Guard = running) -> bool:
    """Write down that what ran a call died: it is run again if it may be, else how it ended is unknown.

    Args:
        who: what died, for people.
        guard: what must be true of it still.
    """
    if call.stop_wanted:
        return end(call, Status.ABORTED, STOPPED, guard=guard)
    if call.deaths + 1 >= MOST_DEATHS:
        message = f"{who} died, as {call.deaths} others did before that ran it; it is not run again."
        return end(call, Status.ERROR, message, guard=guard, deaths=call.deaths + 1)
    if call.retries_left:
        message = f"{who} died; it is tried again."
        return _again(call, message, guard, retries_left=call.retries_left - 1, deaths=call.deaths + 1)
    if call.idempotent:
        message = f"{who} died; it is run again, because it is idempotent."
        return _again(call, message, guard, deaths=call.deaths + 1)
    message = (
        f"{who} died while it ran the function; how far that came is unknown. It is not run again by itself, because it "
        "is not declared idempotent; resubmit the job to run it again."
    )
    return end(call, Status.ERROR, message, guard=guard, deaths=call.deaths + 1)


def _again(call: FunctionCall, message: str, guard: Guard = running, **values) -> bool:
    with committing(AGAIN):
        return bool(
            guard(call).update(
                state=CallState.QUEUED,
                due=clock.now() + timedelta(seconds=call.backoff),
                backoff=min(LONGEST_BACKOFF, call.backoff * 2),
                message=storable(message),
                worker="",
                pid=None,
                fence="",
                lease_expires=None,
                deadline=None,
                **values,
            )
        )
