"""A site that really answers, and workers that are started as people start them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.access.tokens import make_token
from jobs.farm.models import FarmTask
from jobs.farm.pyz import worker_archive
from jobs.testing import settle
from tests.local.conftest import eventually


class Site:
    """A site with a run, and the workers that a test starts."""

    def __init__(self, url: str, user, folder: Path):
        self.url, self.folder = url, folder
        self.token = make_token(user, "worker", ["read", "write"])[1]
        self.pyz = folder / "jobdeck-worker.pyz"
        self.pyz.write_bytes(worker_archive())
        self.workers: list[subprocess.Popen] = []

    def api(self, farmed, url: str | None = None) -> str:
        return f"{url or self.url}/api/jobs/{farmed.run.uuid}/farm/"

    def start(self, run: str, *words: str, program: str = "pass", command=None, **environment: str) -> subprocess.Popen:
        """Start a worker whose tasks are each done by a program in Python."""
        command = command or [sys.executable, "-I", "-S", "-c", program]
        options = [*words] if "--wait" in words else ["--wait", "0.5", *words]
        words = [
            sys.executable,
            "-I",
            "-S",
            str(self.pyz),
            run,
            *options,
            "--scratch",
            str(self.folder),
            "--",
            *command,
        ]
        return self.start_program(words, **{"JOBDECK_TOKEN": self.token, **environment})

    def start_program(self, words: Sequence[str], **environment: str) -> subprocess.Popen:
        """Start a program beside the worker's file."""
        worker = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **environment},
        )
        self.workers.append(worker)
        return worker

    def work(self, farmed, *words: str, **values) -> str:
        """Let a worker do a whole run; what it said."""
        return self.end(self.start(self.api(farmed), *words, **values))

    def end(self, worker: subprocess.Popen, exit_code: int = 0, within: float = 20) -> str:
        """Wait for a worker's end, the monitor doing its part; what it said on standard error."""
        deadline = time.monotonic() + within
        while worker.poll() is None and time.monotonic() < deadline:
            settle()
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(0.1)
        assert worker.poll() is not None, "the worker does not end"
        said = worker.communicate()[1]
        assert worker.returncode == exit_code, said
        return said

    def wait_for(self, name: str) -> Path:
        """Wait until a task has written a file into the worker's folder."""
        path = self.folder / name
        eventually(path.exists)
        return path

    def lines(self, name: str) -> list[str]:
        """What the tasks have written into a file of the worker's folder."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def site(live_server, ann, tmp_path):
    made = Site(live_server.url, ann, tmp_path)
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.kill()
        print(worker.communicate()[1])


def tasks_of(farmed) -> list[FarmTask]:
    return list(FarmTask.objects.filter(run=farmed.run.pk).order_by("number"))
