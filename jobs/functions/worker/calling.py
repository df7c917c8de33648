"""A worker's way through one call: take it, run the function, write down how it ended."""

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.functions import calls
from jobs.functions.current import CurrentJob, JobStopped, current
from jobs.functions.logs import logging_to
from jobs.functions.models import FunctionCall
from jobs.functions.registry import functions, get_function
from jobs.functions.strict_json import NotJson, to_json
from jobs.status import Status
from jobs.transitions import storable
from jobs.workspaces import make_workspace

log = logging.getLogger(__name__)

FUNCTION = FaultPoint("function.run")
KEEP_RESULT = FaultPoint("function.keep_result")

RETRY_PAUSE = 0.5
"""Seconds between two tries to write to a database that is away."""
CONDEMNED_PAUSE = 3.0
"""Seconds that a process waits to be ended whose try was ended by its worker."""

T = TypeVar("T")


@dataclass
class Here:
    """What the worker tells the processes and threads that take calls for it.

    Attributes:
        worker: its holder.
        in_processes: each call has a process to itself, which the worker may end.
        going_on: in threads, the jobs that are running, by the key of their call.
    """

    worker: str = ""
    in_processes: bool = True
    going_on: dict[int, CurrentJob] = field(default_factory=dict)


here = Here()


def take(queue: str) -> bool:
    """Take one call of a queue, if there is one for us, and run it to its end; whether there was one."""
    taker = calls.Taker(
        worker=here.worker,
        pid=os.getpid() if here.in_processes else None,
        routes=[function.route for function in functions()],
    )
    fence = uuid4().hex
    try:
        call = calls.claim(queue, taker, fence)
    except (OperationalError, InterfaceError) as error:
        log.warning("whether a call was taken is not known, the database is asked: %s", error)
        connection.close()
        call = _persistent(lambda: calls.claimed(taker, fence))
    if call is None:
        return False
    run(call)
    return True


@dataclass(frozen=True)
class Ending:
    """How a try ended.

    Attributes:
        outcome: a final status, or None for one that failed and may be tried again.
        message: None leaves what the function said last.
        result: JSON.
        said: what the function said last and is not written yet.
    """

    outcome: str | None
    message: str | None = None
    result: str | None = None
    said: dict = field(default_factory=dict)


def run(call: FunctionCall) -> None:
    """Run a call that was claimed, and write down how it ended, whatever goes wrong on the way."""
    ending = _in_its_place(call)
    try:
        written = _persistent(lambda: _write_down(call, ending))
    except Exception as error:
        # With a process that lives its lease would be renewed for ever.
        log.exception("%s: how it ended could not be written", call.tag)
        message = f"How it ended could not be written down: {type(error).__name__}. The log of its worker says more."
        written = _persistent(lambda: calls.end(call, Status.ERROR, message))
    if not written:
        log.warning("%s: this try was ended or given to another worker; what came of it here is not taken", call.tag)
        if here.in_processes:
            # Our worker may be about to end this process, which must not have taken another call by then.
            time.sleep(CONDEMNED_PAUSE)


def _in_its_place(call: FunctionCall) -> Ending:
    """Run it with its log and its workspace; where there is no place for those, the try has failed."""
    ending = None
    try:
        with logging_to(call.tag, whole_process=here.in_processes) as logger:
            job = CurrentJob(
                call.job.name,
                uuid=str(call.job.uuid),
                attempt=call.attempt,
                workspace=make_workspace(call.job),
                log=logger,
                write=lambda said: _write_passing(call, said),
            )
            before = current.set(job)
            here.going_on[call.pk] = job
            try:
                ending = _run(call, job)
            finally:
                here.going_on.pop(call.pk, None)
                current.reset(before)
                said = job.flush()
            ending = replace(ending, said=said)
    except Exception as error:
        log.exception("%s: log and workspace", call.tag)
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        ending = ending or Ending(None, f"Its worker could not make its log or its workspace: {why}.")
    return ending


def _run(call: FunctionCall, job: CurrentJob) -> Ending:
    try:
        function = get_function(call.job.function)
        with FUNCTION:
            value = function.call(**function.signature.read(call.job.arguments))
        result = to_json(value)
    except JobStopped:
        return _stopped(call, job)
    except NotJson as error:
        return Ending(Status.ERROR, f"{call.job.function} returned something that is no JSON: {error}.")
    except (Exception, SystemExit) as error:  # noqa: BLE001 the function's own; it is what the job's owner is told
        job.log.error("".join(traceback.format_exception(_without_us(error))).rstrip())
        return Ending(None, f"{type(error).__name__}: {error}".removesuffix(": "))
    return _stopped(call, job) if job.was_told else Ending(Status.COMPLETE, result=result)


def _stopped(call: FunctionCall, job: CurrentJob) -> Ending:
    return Ending(Status.ERROR, calls.too_long(call)) if job.is_late else Ending(Status.ABORTED, calls.STOPPED)


def _write_down(call: FunctionCall, ending: Ending) -> bool:
    if ending.outcome is None:
        return calls.fail(call, ending.message)
    if ending.outcome != Status.COMPLETE:
        return calls.end(call, ending.outcome, ending.message)
    size = len(ending.result)
    if size <= conf.FUNCTION_RESULT_LIMIT:
        return calls.end(call, Status.COMPLETE, result=ending.result, result_size=size, **ending.said)
    try:
        with _draft(call, ending.result) as draft:
            return calls.end(call, Status.COMPLETE, draft=draft, result_size=size, **ending.said)
    except OSError as error:
        message = f"The result ({size} bytes) could not be written to {call.result_file}: {error.strerror}."
        return calls.end(call, Status.ERROR, message)


@contextmanager
def _draft(call: FunctionCall, text: str) -> Iterator[Path]:
    """A file of this try alone in the workspace, with a result that is too long for the database."""
    draft = make_workspace(call.job) / f".{call.result_file}.{call.fence}"
    try:
        with KEEP_RESULT:
            draft.write_text(text, encoding="ascii")
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _without_us(error: BaseException) -> BaseException:
    """The error with a traceback that begins in the function."""
    frame = error.__traceback__
    return error.with_traceback(frame.tb_next) if frame is not None and frame.tb_next is not None else error


def _write_passing(call: FunctionCall, said: dict) -> None:
    """Write progress and message, which may be lost."""
    if "message" in said:
        said = {**said, "message": storable(said["message"])}
    try:
        calls.running(call).update(**said)
    except (DatabaseError, InterfaceError) as error:
        log.warning("progress could not be written: %s", error)
        connection.close()
    if isinstance(threading.current_thread(), threading.Timer):
        connection.close()  # of a thread that ends now


def _persistent(do: Callable[[], T]) -> T:
    """Do what must be done: as long as the database is away it is tried again; the worker ends it in the end."""
    while True:
        try:
            return do()
        except (OperationalError, InterfaceError) as error:
            log.warning("the database does not answer, it is asked again: %s", error)
            connection.close()
            time.sleep(RETRY_PAUSE)
