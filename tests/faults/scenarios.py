"""What people do with jobs, each with what must be true in the end, whatever was killed on the way."""

import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction

from jobs.engine import make_tag
from jobs.errors import ActionNotAllowed
from jobs.local.engine import NEVER_STARTED, UNKNOWN, attempt_folder
from jobs.manager import JobManager
from jobs.models import BulkAction, Intent, Job
from jobs.processes.identity import tagged_processes
from jobs.status import FINAL, Status
from jobs.workspaces import workspace_path
from tests.exampleapp.models import Counted
from tests.faults.stack import Stack, wait_until
from tests.faults.web import Web

PATIENCE = 40.0
"""Seconds after which a job that has not come where it should be counts as stuck."""

REPORTER = """
import os, time, urllib.request as u
token = open(os.environ["JOBDECK_CALLBACK_TOKEN_FILE"]).read()
report = u.Request(os.environ["JOBDECK_CALLBACK_URL"], b"progress=50&message=half", {"Authorization": "Bearer " + token})
for _ in range(10):
    try:
        u.urlopen(report, timeout=5)
        break
    except OSError:
        time.sleep(0.3)
"""
REPORT = f"{sys.executable} -S -c '{REPORTER}'"
"""A shell command that reports progress, and tries again while the web server is away."""


class Problem(Exception):
    """Something that must not be; `kind` is lost, doubled, stuck or wrong."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class OutcomeUnknown(Exception):
    """The runner, the only witness of the command's end, was killed: the scenario ends here, and rightly."""


@dataclass
class Run:
    """One run of a scenario against a stack.

    Args:
        witness_may_die: whether runners and hook processes are being killed, so that 'outcome unknown' is the truth.
        patience: seconds after which a job that has not come where it should be counts as stuck.
    """

    stack: Stack
    user: User
    witness_may_die: bool = False
    patience: float = PATIENCE

    def __post_init__(self):
        self.manager = JobManager("faults")
        self.web = Web(self.stack.url, self.user.get_username())

    def create(self, command: str, **attributes) -> Job:
        """A shell command that first notes that it ran."""
        name = f"{uuid4()}"
        return self.manager.create_job(
            name, self.user, "COMMAND", shell=True, command=f"echo ran >> ran; {command}", **attributes
        )

    def wait_for(self, job: Job, *statuses: str) -> None:
        """Wait until the job has one of the statuses."""

        def there() -> bool:
            job.read_row()
            return job.status_code in statuses or job.status_code in FINAL

        if not wait_until(there, self.patience):
            raise Problem("stuck", f"{self.describe(job)}, wanted {statuses}")
        if job.status_code not in statuses:
            if self.witness_may_die and ("unknown" in job.status_message or job.status_message == NEVER_STARTED):
                raise OutcomeUnknown
            raise Problem("lost", f"{self.describe(job)}, wanted {statuses}")

    def act(self, job: Job, verb: str) -> None:
        """Want something of the job, until it is allowed: an earlier wish may still be under way."""

        def allowed() -> bool:
            try:
                getattr(job, verb)()
            except ActionNotAllowed:
                job.read_row()
                if job.status_code in FINAL:
                    self.wait_for(job, "-")  # says what it is
                return False
            return True

        if not wait_until(allowed, self.patience):
            raise Problem("stuck", f"{self.describe(job)}: {verb} is not allowed")

    def ran(self, job: Job, exactly: int | None = None, at_most: int | None = None) -> None:
        """Check how often the command ran."""
        path = workspace_path(job) / "ran"
        times = path.read_text().count("ran") if path.exists() else 0
        if times > (exactly if exactly is not None else at_most):
            raise Problem("doubled", f"{self.describe(job)} ran {times} times")
        if exactly is not None and times < exactly:
            raise Problem("lost", f"{self.describe(job)} ran {times} times instead of {exactly}")

    def counted(self, job: Job, times: int) -> None:
        """Check how often the results were processed, for good."""
        found = Counted.objects.filter(job_id=job.pk).count()
        if found != times:
            raise Problem("wrong", f"{self.describe(job)}: results processed {found} times instead of {times}")

    def nothing_left(self, job: Job) -> None:
        """Check that no process of any attempt lives."""
        tags = [make_tag(job.uuid, attempt) for attempt in range(1, job.attempt + 1)]
        if not wait_until(lambda: not any(tagged_processes(tag) for tag in tags), 10):
            raise Problem("lost", f"{self.describe(job)}: processes of it are left")

    def describe(self, job: Job) -> str:
        """The job and all that is known of it, in one line."""
        history = [f"{event.old_status}>{event.new_status}#{event.attempt}" for event in job.events.all()]
        wishes = list(Intent.objects.filter(job_id=job.pk).values_list("action", "outcome", "tries", "last_error"))
        about = f"job {job.pk} {job.status_code} #{job.attempt} {job.status_message!r} {job.external_id}"
        return f"{about} claim={job.claim!r} {history} {wishes}"


def finishes_and_is_processed(run: Run) -> None:
    """A command that reports progress ends well, and its results are processed once."""
    job = run.create(REPORT, process_results_function="tests.exampleapp.results.count")
    run.act(job, "execute")
    run.wait_for(job, Status.COMPLETE)
    run.ran(job, exactly=1)
    run.counted(job, 1)
    if job.exit_code != 0:
        raise Problem("lost", f"{run.describe(job)}: exit code {job.exit_code}")


def started_and_stopped_in_the_browser(run: Run) -> None:
    """A person starts a command in the browser, looks, and stops it."""
    name = f"{uuid4()}"
    run.web.create(name, "echo ran >> ran; setsid sleep 300 & sleep 300")
    job = Job.objects.get(name=name)
    run.wait_for(job, Status.RUNNING)
    run.web.look(job.pk, delay=0.3)
    if not wait_until(lambda: not Job.objects.filter(pk=job.pk, look_at__isnull=False).exists(), PATIENCE):
        raise Problem("stuck", f"{run.describe(job)}: the look that was asked for did not come")
    run.web.act(job, "stop")
    run.wait_for(job, Status.ABORTED)
    run.ran(job, at_most=1)
    run.nothing_left(job)


def paused_and_resumed(run: Run) -> None:
    """A command is paused and goes on."""
    job = run.create("while [ ! -e go ]; do sleep 0.05; done")
    run.act(job, "execute")
    run.wait_for(job, Status.RUNNING)
    run.act(job, "pause")
    run.wait_for(job, Status.PAUSED)
    run.act(job, "resume")
    run.wait_for(job, Status.RUNNING)
    (workspace_path(job) / "go").touch()
    run.wait_for(job, Status.COMPLETE)
    run.ran(job, exactly=1)


def fails_again_and_is_deleted(run: Run) -> None:
    """A command fails, fails once more as a second attempt, and is deleted with all that was made for it."""
    job = run.create("exit 3")
    run.act(job, "execute")
    run.wait_for(job, Status.ERROR)
    run.act(job, "resubmit")
    run.wait_for(job, Status.ERROR)
    if job.attempt != 2:
        raise Problem("lost", f"{run.describe(job)}: attempt {job.attempt}")
    if not run.witness_may_die:
        run.ran(job, exactly=2)
    run.ran(job, at_most=2)
    _delete(run, job)


def _delete(run: Run, job: Job) -> None:
    folders = [workspace_path(job), Path(attempt_folder(make_tag(job.uuid, 1)).path).parent]
    run.act(job, "delete")
    if not wait_until(lambda: not Job.objects.filter(pk=job.pk).exists(), PATIENCE):
        raise Problem("stuck", f"{run.describe(job)}: not deleted")
    left = [folder for folder in folders if folder.exists()]
    if left:
        raise Problem("lost", f"job {job.pk} was deleted, but {left} is left")


def deleted_while_it_runs(run: Run) -> None:
    """A job that runs is deleted; it ends, and nothing is left."""
    job = run.create("sleep 300")
    run.act(job, "execute")
    run.wait_for(job, Status.RUNNING)
    _delete(run, job)
    run.nothing_left(job)


def deleted_in_bulk(run: Run) -> None:
    """A person deletes jobs in the browser, all that match a filter: each is asked once, and all of them go."""
    mark = f"bulk-{uuid4()}"
    jobs = [run.create("sleep 300", description=mark) for _ in range(3)]
    folders = [workspace_path(job) for job in jobs]
    run.act(jobs[0], "execute")
    with suppress(OutcomeUnknown):  # ended like this it is deleted like the others, which nobody asked to run
        run.wait_for(jobs[0], Status.RUNNING)
    run.web.delete_all(mark)
    if not wait_until(lambda: not Job.objects.filter(description=mark).exists(), PATIENCE):
        left = [run.describe(job) for job in Job.objects.filter(description=mark)]
        raise Problem("stuck", f"not deleted: {left}, {list(BulkAction.objects.values())}")
    made = [bulk for bulk in BulkAction.objects.filter(user=run.user) if bulk.filter == {"text": [mark]}]
    if not wait_until(lambda: all(_refreshed(bulk).finished for bulk in made), PATIENCE):
        raise Problem("stuck", f"bulk actions do not finish: {[vars(bulk) for bulk in made]}")
    if sum(bulk.done for bulk in made) != len(jobs):
        raise Problem("doubled", f"jobs were asked {[(bulk.done, bulk.refused) for bulk in made]} times")
    if any(folder.exists() for folder in folders):
        raise Problem("lost", f"the jobs were deleted, but some of {folders} are left")
    run.nothing_left(jobs[0])


def _refreshed(bulk: BulkAction) -> BulkAction:
    bulk.refresh_from_db()
    return bulk


def stopped_before_it_starts(run: Run) -> None:
    """A job is stopped in the moment in which it was wanted."""
    job = run.create("sleep 300")
    job.save()
    with transaction.atomic():
        job.execute()
        job.stop()
    run.wait_for(job, Status.ABORTED)
    run.ran(job, at_most=1)
    run.nothing_left(job)


def refused(run: Run) -> None:
    """A job that cannot be submitted says why."""
    job = run.create("true", input_files=["/nowhere/at/all"])
    run.act(job, "execute")
    run.wait_for(job, Status.ERROR)
    if "/nowhere/at/all" not in job.status_message:
        raise Problem("lost", run.describe(job))
    run.ran(job, exactly=0)


def lost_by_the_engine(run: Run) -> None:
    """An attempt that its engine knows nothing of any more is an Error that says so."""
    job = run.create("sleep 300")
    run.act(job, "execute")
    run.wait_for(job, Status.RUNNING)
    folder = attempt_folder(job.tag)
    owner = folder.owner()
    with suppress(FileNotFoundError):
        Path(folder.path).rename(f"{folder.path}.lost")
    owner.signal(signal.SIGKILL)
    run.wait_for(job, Status.ERROR)
    shutil.rmtree(f"{folder.path}.lost", ignore_errors=True)
    if not any(word in job.status_message for word in ("does not know", UNKNOWN)):
        raise Problem("lost", run.describe(job))


def results_fail_and_are_processed_again(run: Run) -> None:
    """A process_results_function fails and leaves nothing; mended, it is run again."""
    job = run.create("true", process_results_function="tests.exampleapp.results.fail")
    run.act(job, "execute")
    run.wait_for(job, Status.ERROR)
    run.counted(job, 0)
    if run.witness_may_die and not job.results_failed:
        raise OutcomeUnknown
    job.process_results_function = "tests.exampleapp.results.count"
    job.save()
    run.act(job, "process_again")
    run.wait_for(job, Status.COMPLETE)
    run.counted(job, 1)
    run.ran(job, exactly=1)


def author_hooks(run: Run) -> None:
    """A job of an author's own type is started and looked at by its hooks."""
    job = run.manager.create_job(f"{uuid4()}", run.user, "ECHO")
    run.act(job, "execute")
    try:
        run.wait_for(job, Status.RUNNING)
        (workspace_path(job) / "done").touch()
        run.wait_for(job, Status.COMPLETE)
    except Problem as problem:
        # Only the hook's process knew what it had done.
        if problem.kind == "stuck" or "unknown" not in job.status_message:
            raise
    path = workspace_path(job) / "echo.txt"
    if path.exists() and path.read_text().count("hello") > 1:
        raise Problem("doubled", run.describe(job))


def submission_broke_off(run: Run) -> None:
    """The worker dies when the engine has the job and nobody has written it down."""
    run.stack.arm("engine.submit.after")
    finishes_and_is_processed(run)


SCENARIOS: list[Callable[[Run], None]] = [
    refused,
    finishes_and_is_processed,
    stopped_before_it_starts,
    author_hooks,
    fails_again_and_is_deleted,
    deleted_while_it_runs,
    deleted_in_bulk,
    paused_and_resumed,
    started_and_stopped_in_the_browser,
    results_fail_and_are_processed_again,
    lost_by_the_engine,
    submission_broke_off,
]
"""The cheaper ones first: a point is tried with the first scenario that reaches it."""


def close_connections() -> None:
    """Give back this thread's database connections."""
    from django.db import connections

    connections.close_all()
