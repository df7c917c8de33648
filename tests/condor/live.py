"""Whole jobs on the test pool: this process plays worker and monitor, the pool is real."""

import time
from collections.abc import Callable

from jobs.condor.models import CondorJob, CondorScheduler
from jobs.engine import make_tag
from jobs.manager import JobManager
from jobs.status import FINAL, Status
from jobs.testing import settle

PATIENCE = 240.0
"""Seconds after which what a test waits for has not happened; other tests use the pool's slots too."""
STEP = 0.25


class Live:
    """A scheduler row for the pool, and what a test does with jobs there.

    Args:
        pool: see `tests.condor.conftest`.
        user: whose the jobs are.
        fields: of the scheduler row, beside those that the pool says.
    """

    def __init__(self, pool, user, **fields):
        self.pool = pool
        self.user = user
        self.jobs: list[CondorJob] = []
        values = {
            "address": pool.address,
            "schedd_name": pool.schedd,
            "token": pool.token,
            "trust_domain": pool.trust_domain,
            "least_interval": 0.0,
            "full_interval": 2.0,
            "is_default": True,
        }
        self.scheduler = CondorScheduler.objects.create(name="pool", **{**values, **fields})

    def job(self, *, name: str = "wind {id}", **fields) -> CondorJob:
        """A pending CondorJob."""
        self.jobs.append(JobManager("app").create_job(name, self.user, "CONDOR", **fields))
        return self.jobs[-1]

    def shell(self, line: str, *, attributes=None, **fields) -> CondorJob:
        """A pending job that has the pool's /bin/sh read a line."""
        commands = {"executable": "/bin/sh", "arguments": ["-c", line], **(attributes or {})}
        return self.job(attributes=commands, **fields)

    def submitted(self, job: CondorJob) -> CondorJob:
        """Have it run, and wait until the pool has it."""
        job.execute()
        self.until(lambda: job.cached_status != "Pending", f"{job} is submitted")
        return job

    def ended(self, job: CondorJob) -> CondorJob:
        """Have it run, and see it to its end."""
        if job.status_code == Status.PENDING:
            job.execute()
        return self.until_over(job)

    def until_over(self, job: CondorJob) -> CondorJob:
        """Wait until the job is over."""

        def over():
            job.read_row()
            return job.status_code in FINAL

        self.until(over, f"{job} is over", job)
        return job

    def until_status(self, job: CondorJob, word: str) -> CondorJob:
        """Wait until the job's status is shown with the word."""
        self.until(lambda: job.cached_status == word, f"{job} is {word}", job)
        return job

    def until(self, condition: Callable[[], object], what: str, job: CondorJob | None = None) -> None:
        """Play worker and monitor until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            settle()
            if condition():
                return
            if time.monotonic() > deadline:
                how = f"; it is {job.cached_status}: {job.status_message!r}" if job is not None else ""
                raise AssertionError(f"not within {PATIENCE:g} s: {what}{how}; {self._trouble()}")
            time.sleep(STEP)

    def _trouble(self) -> str:
        self.scheduler.refresh_from_db()
        return f"the scheduler's last error was {self.scheduler.last_error!r}"

    def close(self) -> None:
        """Leave nothing of the test in the pool."""
        from jobs.condor.reach import reach_of

        if not self.scheduler.by_ssh:
            CondorScheduler.objects.filter(pk=self.scheduler.pk).update(
                address=self.pool.address, token=self.scheduler.token
            )
        if self.jobs:
            reach = reach_of(CondorScheduler.objects.get(pk=self.scheduler.pk))
            tags = [make_tag(job.uuid, number) for job in self.jobs for number in range(1, job.attempt + 1)]
            empty_pool(reach, tags)


def empty_pool(reach, tags: list[str]) -> None:
    """Leave nothing of these attempts in the queue, and no program of theirs in a slot."""
    if not tags:
        return
    ours = " || ".join(f'JobdeckTag == "{tag}"' for tag in tags)
    reach.act("remove", ours, "the test is over")
    # By force only when their programs have ended: else the slots would wait for them.
    deadline = time.monotonic() + PATIENCE
    while reach.query(f"({ours}) && RemoteHost =!= undefined", ["ClusterId"]) and time.monotonic() < deadline:
        time.sleep(STEP)
    reach.act("remove_x", ours, "the test is over")
