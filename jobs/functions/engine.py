"""The engine of functions: calls are rows, workers take them, brokers only wake workers."""

import time
from collections.abc import Sequence

from django.db import transaction

from jobs import clock
from jobs.engine import Engine, EngineRefused, Handle, LogFile, Outcome, Poll, Report, Supports, Watched
from jobs.functions import calls, tending
from jobs.functions.logs import LOG, attempt_folder, remove_attempt_folder
from jobs.functions.models import CallState, FunctionCall
from jobs.functions.registry import UnknownFunction, get_function
from jobs.functions.signature import ArgumentsError
from jobs.functions.tasks import wake
from jobs.models import Scheduler
from jobs.status import Status

NAME = "functions"
FULL_LOOK = 5.0
"""Seconds between two looks at calls that wait; in between only those are looked at that a worker has taken."""
PER_CALL = 0.0002
"""Seconds between two looks for each call that there is: ten thousand are asked after every two seconds."""
TOGETHER = 5000
"""Calls asked for in one query."""
ABORTED_BEFORE = "Stopped before it started."


class FunctionEngine(Engine):
    """Runs functions in Celery workers."""

    name = NAME
    supports = Supports(live_logs=True, timeout=True, progress=True, in_database=True)
    poll_interval = 0.2

    def __init__(self):
        self._last_full = 0.0
        self._tending = tending.Tending()

    def prepare(self) -> None:
        Scheduler.of_engine(NAME)

    def choose_scheduler(self, job):
        return Scheduler.of_engine(NAME)

    def submit(self, job) -> str:
        try:
            function = get_function(job.function)
            function.signature.read(job.arguments)
        except UnknownFunction as error:
            raise EngineRefused(f"function: {error}") from error
        except ArgumentsError as error:
            raise EngineRefused(f"arguments: {error}") from error
        row = FunctionCall(
            tag=job.tag,
            job_id=job.pk,
            attempt=job.attempt,
            queue=function.queue,
            route=function.route,
            idempotent=function.idempotent,
            retries_left=function.retries,
            backoff=function.backoff,
            due=clock.now(),
        )
        FunctionCall.objects.bulk_create([row], ignore_conflicts=True)
        transaction.on_commit(lambda: wake(function.queue))
        return job.tag

    def recover(self, scheduler, tag: str) -> str | None:
        return tag if FunctionCall.objects.filter(tag=tag).exists() else None

    # --- watching

    def poll(self, scheduler, cursor, watched: Sequence[Watched]) -> Poll:
        full = scheduler.look_wanted is not None or time.monotonic() - self._last_full >= FULL_LOOK
        if full:
            self._last_full = time.monotonic()
        reports = []
        for start in range(0, len(watched), TOGETHER):
            asked = watched[start : start + TOGETHER]
            rows = FunctionCall.objects.filter(tag__in=[watch.tag for watch in asked])
            if not full:
                # One that waits again after a try is news; one that still waits for its first is none.
                waiting = [watch.tag for watch in asked if watch.status == Status.SUBMITTED]
                rows = rows.exclude(state=CallState.QUEUED, tries=0, tag__in=waiting)
            reports += [report_of(call) for call in rows.defer("result")]
        return Poll(reports, None, full, pause=len(watched) * PER_CALL)

    def resolve(self, scheduler, handles: Sequence[Handle]) -> list[Report]:
        rows = FunctionCall.objects.filter(tag__in=[handle.tag for handle in handles]).defer("result")
        return [report_of(call) for call in rows]

    def tick(self, scheduler) -> None:
        self._tending.tend()

    # --- acting

    def stop(self, handles: Sequence[Handle], *, force: bool = False) -> dict[str, Outcome]:
        return {handle.tag: self._stop(handle.tag, force) for handle in handles}

    def _stop(self, tag: str, force: bool) -> Outcome:
        rows = FunctionCall.objects.filter(tag=tag)
        waiting = rows.filter(state=CallState.QUEUED)
        ended = {"state": CallState.ENDED, "outcome": Status.ABORTED, "finished": clock.now()}
        if waiting.filter(tries=0).update(message=ABORTED_BEFORE, **ended):
            return Outcome.DONE
        if waiting.update(message=calls.STOPPED, **ended):
            return Outcome.DONE
        running = rows.filter(state=CallState.RUNNING)
        if force and (call := running.filter(pid=None).first()) is not None:
            message = "Stopped. It runs in a thread, which cannot be ended, and did not ask whether to stop."
            calls.end(call, Status.ABORTED, message)
            return Outcome.DONE
        return Outcome.DONE if running.update(stop_wanted=True) else Outcome.OVER

    def forget(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        outcomes = {}
        for handle in handles:
            rows = FunctionCall.objects.filter(tag=handle.tag)
            if rows.exclude(state=CallState.ENDED).exists():
                outcomes[handle.tag] = Outcome.LATER
                continue
            gone, _ = rows.filter(state=CallState.ENDED).delete()
            remove_attempt_folder(handle.tag)
            outcomes[handle.tag] = Outcome.DONE if gone else Outcome.OVER
        return outcomes

    def logs(self, handle: Handle) -> list[LogFile]:
        folder = attempt_folder(handle.tag)
        path = folder / LOG if folder is not None else None
        if path is None or not path.is_file() or path.is_symlink():
            return []
        return [LogFile(LOG, path.stat().st_size, path)]


def report_of(call: FunctionCall) -> Report:
    """How a call is."""
    status = {CallState.QUEUED: Status.SUBMITTED, CallState.RUNNING: Status.RUNNING}.get(call.state, call.outcome)
    return Report(
        call.tag,
        str(status),
        call.message or None,
        started=call.started,
        finished=call.finished,
        progress=call.progress,
    )
