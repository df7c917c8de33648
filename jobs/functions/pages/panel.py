"""What the page of a job says of its function: arguments, queue, tries, the worker that runs it, and why it waits."""

import json
from dataclasses import dataclass

from jobs.functions.availability import alive_workers, availability, of_function
from jobs.functions.models import CallState, FunctionCall, FunctionJob, FunctionWorker
from jobs.functions.registry import Function, UnknownFunction, get_function

LONGEST_ARGUMENT = 400


@dataclass(frozen=True)
class Argument:
    """An argument; `note` says how long it is where `text` is only its beginning."""

    name: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """What the panel shows beside the job itself.

    Attributes:
        known: there is such a function here.
        tries: how often a worker took the call, and how often one may, as a person says it; empty before the first.
        worker: that runs it now; empty where none does.
        warning: why nobody takes it; empty where somebody could.
    """

    function: str
    known: bool
    arguments: tuple[Argument, ...]
    queue: str = ""
    tries: str = ""
    worker: str = ""
    warning: str = ""


def facts_of(job: FunctionJob) -> Facts:
    """The facts of a job, read in at most two queries."""
    try:
        function = get_function(job.function)
    except UnknownFunction:
        function = None
    call = job.calls.filter(attempt=job.attempt).defer("result").first()
    return Facts(
        job.function,
        function is not None,
        tuple(_argument(name, value) for name, value in job.arguments.items()),
        queue=call.queue if call is not None else function.queue if function is not None else "",
        tries=_tries(call) if call is not None and call.tries else "",
        worker=worker_of(call) if call is not None and call.state == CallState.RUNNING else "",
        warning=_warning(job, call, function),
    )


def _argument(name: str, value) -> Argument:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= LONGEST_ARGUMENT:
        return Argument(name, text)
    if isinstance(value, list):
        note = f"The beginning of a list of {len(value):,}."
    else:
        note = f"The first {LONGEST_ARGUMENT} of {len(text):,} characters."
    return Argument(name, f"{text[:LONGEST_ARGUMENT]}…", note)


def _tries(call: FunctionCall) -> str:
    left = {CallState.QUEUED: 1 + call.retries_left, CallState.RUNNING: call.retries_left}.get(call.state, 0)
    most = call.tries + left
    return f"{call.tries}" if most == call.tries else f"{call.tries} of at most {most}"


def worker_of(call: FunctionCall) -> str:
    """The name of the worker that runs a call."""
    worker = FunctionWorker.objects.filter(holder=call.worker).first()
    return worker.name if worker is not None else call.worker.rpartition(":")[0]


def _warning(job: FunctionJob, call: FunctionCall | None, function: Function | None) -> str:
    if call is None:
        if job.is_over:
            return ""
        if function is None:
            return f"There is no function {job.function} here any more."
        found = of_function(function)
        return "" if found.able else f"{found.words}; run now, it would wait for one."
    if call.state != CallState.QUEUED:
        return ""
    found = availability(job.function, call.route, call.queue, alive_workers())
    if found.able:
        return ""
    if function is not None and function.route != call.route:
        return (
            f"It was submitted with an earlier version of {job.function}, and no worker that runs has that one. Stop it "
            "and resubmit it to run it with the version of today."
        )
    if found.others:
        return f"{found.words}; it waits for one that has the version of this site."
    return f"{found.words} and takes from the queue {call.queue}; it waits for one."
