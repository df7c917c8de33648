"""What people do with jobs in a real HTCondor pool, with what must be true in the end, whatever was killed on the way."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from django.contrib.auth.models import User

from jobs import clock
from jobs.conf import conf
from jobs.engine import make_tag
from jobs.models import Job, Scheduler
from jobs.processes.identity import tagged_processes
from jobs.status import Status
from jobs.workspaces import workspace_path
from tests.condor.live import empty_pool
from tests.condor.pool import TestPool, in_pool
from tests.faults.scenarios import Problem, Run
from tests.faults.stack import wait_until

PATIENCE = 90.0
"""Seconds; other tests use the pool's slots too."""

ONLY_HERE = (
    "engine.fetch",
    "worker.record_end",
    "engine.tidy_up",
    "worker.record_tidy",
    "scheduler.want_test",
    "engine.test",
    "worker.record_test",
    "task.create",
    "task.move_on",
)
"""Points that only jobs reach whose engine keeps their outputs elsewhere, and schedulers that can be tested."""

POINTS = (
    "worker.claim_intent",
    "worker.claim_job",
    "engine.recover",
    "engine.submit",
    "worker.record_submission",
    "engine.poll",
    "monitor.apply_poll",
    "engine.resolve",
    "monitor.apply_resolved",
    "engine.stop",
    "engine.forget",
    "worker.remove_job",
    *ONLY_HERE,
)
"""Points at which processes are killed while their jobs are in the pool."""


class InPool:
    """A scheduler row for the pool, and the folder that both sides mount, where jobs leave their traces."""

    def __init__(self, pool: TestPool, user: User):
        from jobs.condor.models import CondorScheduler

        self.folder = Path(pool.shared_folder) / f"faults-{uuid4().hex}"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.tags: list[str] = []
        # Whoever tests a scheduler has to be staff.
        User.objects.filter(pk=user.pk).update(is_staff=True)
        self.scheduler = CondorScheduler.objects.create(
            name="pool",
            address=pool.address,
            schedd_name=pool.schedd,
            token=pool.token,
            trust_domain=pool.trust_domain,
            least_interval=0.3,
            full_interval=2.0,
            is_default=True,
        )

    def scenarios(self) -> list[Callable[[Run], None]]:
        """The cheaper ones first: a point is tried with the first one that reaches it."""
        return [
            self.tested,
            self.tried_again,
            self.finishes,
            self.deleted_while_it_runs,
            self.removed_by_others,
            self.broke_off,
        ]

    def close(self) -> None:
        """Leave nothing of the test in the pool."""
        empty_pool(self._reach(), self.tags)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- scenarios

    def tested(self, run: Run) -> None:
        """Staff test the connection, and press again when nothing comes of it."""
        began = clock.now().isoformat()

        def answered() -> bool:
            row = Scheduler.objects.get(pk=self.scheduler.pk)
            return bool(row.last_test) and row.last_test["time"] > began and row.test_wanted is None

        for _ in range(12):
            run.web.test_scheduler(self.scheduler.pk)
            if wait_until(answered, 8):
                break
        row = Scheduler.objects.get(pk=self.scheduler.pk)
        if not answered():
            raise Problem("stuck", f"no test came to an end: {row.last_test}, wanted {row.test_wanted}")
        if not row.last_test["ok"]:
            raise Problem("wrong", f"the test says {row.last_test}")

    def tried_again(self, run: Run) -> None:
        """A task of the task API fails, is submitted again by itself, and ends well; made once, whatever its POST met."""
        run.patience = PATIENCE
        task_id = f"{uuid4()}"
        trace = self.folder / f"task-{task_id}"
        line = f"echo started >> {trace}; test `wc -l < {trace}` = 2"
        run.web.make_task(task_id, {"executable": "/bin/sh", "arguments": f"\"-c '{line}'\"", "priority": "20"})
        job = Job.objects.get(name=task_id)
        self.tags += [make_tag(job.uuid, attempt) for attempt in (1, 2)]
        if not wait_until(lambda: job.read_row() or job.status_code == Status.COMPLETE, PATIENCE):
            raise Problem("stuck", f"{run.describe(job)}: a task that should have been tried again")
        starts = trace.read_text().count("\n")
        if (starts, job.attempt) != (2, 2):
            raise Problem("doubled" if starts > 2 else "lost", f"{run.describe(job)}: started {starts} times")
        self.nothing_left(run, job)

    def finishes(self, run: Run) -> None:
        """A job ends well, its output comes back, its results are processed once, and the queue is as it was."""
        job = self._create(run, "echo wind > out.txt", process_results_function="tests.exampleapp.results.count")
        run.act(job, "execute")
        run.wait_for(job, Status.COMPLETE)
        self._started(run, job, 1)
        run.counted(job, 1)
        output = workspace_path(job) / "out.txt"
        if job.exit_code != 0 or not output.exists() or output.read_text() != "wind\n":
            raise Problem("lost", f"{run.describe(job)}: exit code {job.exit_code}, output {output.exists()}")
        self.nothing_left(run, job)

    def deleted_while_it_runs(self, run: Run) -> None:
        """A job that runs is deleted: it ends, and nothing is left."""
        job = self._create(run, "sleep 300")
        run.act(job, "execute")
        run.wait_for(job, Status.RUNNING)
        if not wait_until(lambda: self._starts(job) == 1, 10):
            raise Problem("lost", f"{run.describe(job)}: Running, and started {self._starts(job)} times")
        workspace = workspace_path(job)
        run.act(job, "delete")
        if not wait_until(lambda: not Job.objects.filter(pk=job.pk).exists(), PATIENCE):
            raise Problem("stuck", f"{run.describe(job)}: not deleted")
        self._started(run, job, 1)
        if workspace.exists():
            raise Problem("lost", f"job {job.pk} was deleted, but {workspace} is left")
        self.nothing_left(run, job)

    def removed_by_others(self, run: Run) -> None:
        """A job is taken out of the queue behind our back: its end is found in the history."""
        job = self._create(run, "sleep 300", requirements="False")
        run.act(job, "execute")
        run.wait_for(job, Status.SUBMITTED)
        # It must be gone in one step: one that lies there removed would be seen so.
        in_pool("condor_qedit", job.external_id, "LeaveJobInQueue", "False")
        in_pool("condor_rm", job.external_id)
        run.wait_for(job, Status.ABORTED)
        self._started(run, job, 0)
        self.nothing_left(run, job)

    def broke_off(self, run: Run) -> None:
        """The worker dies when the schedd has the job and nobody has written it down."""
        run.stack.arm("engine.submit.after")
        self.finishes(run)

    # --- the pool

    def _create(self, run: Run, line: str, *, requirements: str = "", **attributes) -> Job:
        run.patience = PATIENCE
        trace = 'echo started >> "$TRACES/$JOBDECK_TAG"'
        commands = {
            "executable": "/bin/sh",
            "arguments": ["-c", f"{trace}; {line}"],
            "environment": {"TRACES": str(self.folder)},
            **({"requirements": requirements} if requirements else {}),
        }
        job = run.manager.create_job(f"{uuid4()}", run.user, "CONDOR", attributes=commands, **attributes)
        self.tags.append(make_tag(job.uuid, 1))
        return job

    def _starts(self, job: Job) -> int:
        trace = self.folder / make_tag(job.uuid, 1)
        return trace.read_text().count("\n") if trace.exists() else 0

    def _started(self, run: Run, job: Job, times: int) -> None:
        found = self._starts(job)
        if found != times:
            kind = "doubled" if found > times else "lost"
            raise Problem(kind, f"{run.describe(job)} was started {found} times instead of {times}")

    def nothing_left(self, run: Run, job: Job) -> None:
        """Check that neither queue nor this host has anything of the job but its row and its workspace."""
        tags = [make_tag(job.uuid, attempt) for attempt in range(1, job.attempt + 1)]
        ours = " || ".join(f'JobdeckTag == "{tag}" || JobdeckWorkflow == "{tag}"' for tag in tags)
        folder = conf.data_dir / "condor" / job.uuid.hex

        def left() -> list[str]:
            ads = self._reach().query(ours, ["ClusterId", "JobStatus"])
            processes = [str(found) for tag in tags for found in tagged_processes(tag)]
            return [*map(str, ads), *processes, *([str(folder)] if folder.exists() else [])]

        if not wait_until(lambda: not left(), PATIENCE, step=0.3):
            raise Problem("lost", f"{run.describe(job)} leaves {left()}")

    def _reach(self):
        from jobs.condor.reach import reach_of

        return reach_of(self.scheduler)
