"""What people do with functions, each with what must be true in the end, whatever was killed on the way."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from django.db import transaction

from jobs.engine import make_tag
from jobs.functions.logs import attempt_folder
from jobs.functions.models import FunctionCall, FunctionJob
from jobs.models import Job
from jobs.status import Status
from jobs.workspaces import workspace_path
from tests.faults.scenarios import PATIENCE, Problem, Run
from tests.faults.stack import wait_until


def _call(run: Run, function: str, **arguments) -> FunctionJob:
    outside = run.stack.folder / "outside"
    outside.mkdir(exist_ok=True)
    if function != "returning":
        arguments["outside"] = str(outside)
    return run.manager.create_job(f"{uuid4()}", run.user, "FUNCTION", function=function, arguments=arguments)


def _lines(run: Run, job: FunctionJob, kind: str) -> list[str]:
    path = Path(run.stack.folder, "outside", f"{make_tag(job.uuid, job.attempt)}.{kind}")
    return path.read_text().splitlines() if path.exists() else []


def _check(run: Run, job: FunctionJob, starts: range) -> None:
    """Check how often the function started."""
    times = len(_lines(run, job, "starts"))
    if times not in starts:
        kind = "doubled" if times >= starts.stop else "lost"
        raise Problem(kind, f"{run.describe(job)}: started {times} times, and not {starts}")


def idempotent_function(run: Run) -> None:
    """It is run until it ends well."""
    job = _call(run, "repeatable", seconds=0.2)
    run.act(job, "execute")
    run.wait_for(job, Status.COMPLETE)
    _check(run, job, range(1, 100))
    if job.result != "done":
        raise Problem("lost", f"{run.describe(job)}: its result is {job.result!r}")


def function_that_must_not_be_doubled(run: Run) -> None:
    """It ends well after one start; or its process died, and nobody knows how far it came."""
    job = _call(run, "once", seconds=0.2)
    run.act(job, "execute")
    run.wait_for(job, Status.COMPLETE, Status.ERROR)
    if job.status_code == Status.ERROR and "unknown" not in job.status_message:
        raise Problem("lost", run.describe(job))
    complete = job.status_code == Status.COMPLETE
    _check(run, job, range(1, 2) if complete else range(0, 2))
    if complete and job.result != "done":
        raise Problem("lost", f"{run.describe(job)}: its result is {job.result!r}")


def function_with_retries(run: Run) -> None:
    """It fails two times; a process that dies under it takes one of its tries."""
    job = _call(run, "third_time")
    run.act(job, "execute")
    run.wait_for(job, Status.COMPLETE, Status.ERROR)
    _check(run, job, range(3, 4) if job.status_code == Status.COMPLETE else range(0, 4))


def long_result(run: Run) -> None:
    """Its result is in the workspace, whole; or its process died, and nobody knows how far it came."""
    job = _call(run, "returning", what="long")
    run.act(job, "execute")
    run.wait_for(job, Status.COMPLETE, Status.ERROR)
    if job.status_code == Status.COMPLETE and job.result != "x" * 200_000:
        raise Problem("wrong", f"{run.describe(job)}: its result has {len(job.result or '')} characters")
    if job.status_code == Status.ERROR and "unknown" not in job.status_message:
        raise Problem("lost", run.describe(job))


def function_stopped(run: Run) -> None:
    """It is stopped while it runs, with the program that it started."""
    job = _call(run, "last")
    run.act(job, "execute")
    run.wait_for(job, Status.RUNNING, Status.ERROR)
    run.act(job, "stop") if job.status_code == Status.RUNNING else None
    run.wait_for(job, Status.ABORTED, Status.ERROR)
    _check(run, job, range(0, 2))
    _stands_still(run, job)


def _stands_still(run: Run, job: FunctionJob) -> None:
    def rests() -> bool:
        before = len(_lines(run, job, "beats"))
        return not wait_until(lambda: len(_lines(run, job, "beats")) > before, 0.5)

    if not wait_until(rests, 10):
        raise Problem("lost", f"{run.describe(job)}: it works on")


def function_stopped_before_it_starts(run: Run) -> None:
    """It is stopped in the moment in which it was wanted."""
    job = _call(run, "last")
    with transaction.atomic():
        job.execute()
        job.stop()
    run.wait_for(job, Status.ABORTED, Status.ERROR)
    _check(run, job, range(0, 2))
    _stands_still(run, job)


def function_deleted(run: Run) -> None:
    """It is deleted while it runs, and nothing is left."""
    job = _call(run, "last")
    run.act(job, "execute")
    run.wait_for(job, Status.RUNNING, Status.ERROR)
    folders = [workspace_path(job), attempt_folder(job.tag)]
    run.act(job, "delete")
    if not wait_until(lambda: not Job.objects.filter(pk=job.pk).exists(), PATIENCE):
        raise Problem("stuck", f"{run.describe(job)}: not deleted")
    left = [folder for folder in folders if folder.exists()]
    if left or FunctionCall.objects.filter(tag=job.tag).exists():
        raise Problem("lost", f"job {job.pk} was deleted, but {left} or its call is left")
    _stands_still(run, job)


FUNCTIONS: list[Callable[[Run], None]] = [
    idempotent_function,
    function_that_must_not_be_doubled,
    function_with_retries,
    long_result,
    function_stopped_before_it_starts,
    function_stopped,
    function_deleted,
]
