"""Jobs in the test pool."""

import os
import shlex
import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.engine import CondorEngine
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.condor.reach import reach_of
from jobs.conf import conf
from tests.condor.live import empty_pool
from tests.condor.pool import TestPool, find_pool, in_pool
from tests.contract.worlds.shell import START, ShellWorld

NOBODY_LISTENS = "127.0.0.1:1"


class CondorWorld(ShellWorld):
    """Each job is a shell line that leaves its traces in a folder that this machine and the pool both mount."""

    name = "condor"
    model = CondorJob
    supports = CondorEngine.supports
    drivers = ("rabbitmq",)
    can_be_away = True
    makes_schedulers = False
    pause_interrupts = True
    keeps_history = True
    only_on = "on_postgresql"
    patience = 120.0
    step = 0.25

    def __init__(self, user, outside, engine):
        pool = find_pool()
        if isinstance(pool, str):
            pytest.skip(pool)
        if not pool.shared_folder:
            pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
        outside = Path(pool.shared_folder) / f"contract-{uuid4().hex}"
        outside.mkdir(mode=0o777)
        outside.chmod(0o777)
        super().__init__(user, outside, engine)
        self.pool = pool
        timing = {"least_interval": 0.25, "full_interval": 2.0, "is_default": True}
        self.scheduler, _ = CondorScheduler.objects.update_or_create(
            name="test pool", defaults={**self.login(pool), **timing}
        )

    def login(self, pool: TestPool) -> dict:
        """The fields of the scheduler row that say where the pool is and how to log in."""
        return {
            "address": pool.address,
            "schedd_name": pool.schedd,
            "token": pool.token,
            "trust_domain": pool.trust_domain,
        }

    @classmethod
    @contextmanager
    def running_engine(cls):
        yield CondorEngine()

    def restart(self):
        self.engine = CondorEngine()

    def shell(self, line: str, **attributes) -> CondorJob:
        commands = {
            "executable": "/bin/sh",
            "arguments": ["-c", START + line],
            "environment": {"OUTSIDE": str(self.outside)},
            # Before the hundreds that other tests may have in the queue.
            "priority": 20,
        }
        return self.job(attributes=commands, **attributes)

    def leaving(self, name, text, **attributes):
        return self.shell(f"printf %s {shlex.quote(text)} > {shlex.quote(name)}", **attributes)

    def impossible(self, **attributes):
        return self.shell("true", remote_input_files=[str(self.outside / "no such file")], **attributes)

    def works(self, job):
        return bool(_processes(job.tag))

    def traces(self, job):
        folder = conf.data_dir / "condor" / job.uuid.hex
        # A worker may be removing them while we look.
        files = [where for where, _, _ in os.walk(folder)]
        processes = [process for tag in self.tags(job) for process in _processes(tag)]
        return [str(trace) for trace in (*files, *processes, *self._queue(job))]

    def _queue(self, job) -> list[dict]:
        ours = " || ".join(f'JobdeckTag == "{tag}"' for tag in self.tags(job))
        return reach_of(self.scheduler).query(ours, ["ClusterId", "ProcId", "JobStatus", "JobdeckTag"])

    def lose(self, job):
        """Have the pool lose the job, its history too: it becomes somebody else's, and is removed."""
        for name in ("JobdeckInstance", "JobdeckTag"):
            in_pool("condor_qedit", job.external_id, name, '"lost"')
        for argv in (["condor_rm"], ["condor_rm", "-forcex"]):
            in_pool(*argv, job.external_id)

    @contextmanager
    def away(self):
        rows = CondorScheduler.objects.filter(pk=self.scheduler.pk)
        rows.update(address=NOBODY_LISTENS)
        try:
            yield
        finally:
            rows.update(address=self.pool.address)

    def close(self):
        empty_pool(reach_of(self.scheduler), [tag for job in self.jobs for tag in self.tags(job)])
        for job in self.jobs:
            shutil.rmtree(conf.data_dir / "condor" / job.uuid.hex, ignore_errors=True)
        shutil.rmtree(self.outside, ignore_errors=True)


def _processes(tag: str) -> list[str]:
    """The living processes of an attempt: the pool runs them as an account of its own, in a chroot of this machine."""
    mark = f"JOBDECK_TAG={tag}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0") and "Z" not in _state(path.parent):
                found.append(path.parent.name)
        except OSError:  # it has ended meanwhile
            continue
    return found


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(")")[2].split()[0]
