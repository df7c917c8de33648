"""Attempts for the tests: each a real folder, run by a real runner, and ended whatever the test came to."""

import os
import sys
import time
import uuid
from pathlib import Path

import pytest

from jobs.local.attempts import AttemptFolder, start_runner
from jobs.processes.identity import end_tagged, tagged_processes

PYTHON = [sys.executable, "-I", "-S", "-c"]


def eventually(condition, within: float = 10.0):
    """Wait until the condition holds and return what it answered; fail after so many seconds."""
    deadline = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.01)
    return answer


class Attempt(AttemptFolder):
    """One attempt in a folder of its own, with its files beside it."""

    def __init__(self, folder: Path):
        super().__init__(folder / "attempt")
        self.folder = folder
        self.tag = f"test-{uuid.uuid4()}"
        self.runners = []

    def described(self, **spec) -> "Attempt":
        """Write the spec: as the test says, the rest as usual."""
        usual = {
            "tag": self.tag,
            "cwd": str(self.folder),
            "environment": {"PATH": os.environ["PATH"]},
            "stdout": str(self.folder / "stdout"),
            "stderr": str(self.folder / "stderr"),
            "timeout": None,
            "grace": 5,
            "doorbell": None,
        }
        self.prepare({**usual, **spec})
        return self

    def start(self):
        """Start a runner; returns its Popen."""
        self.runners.append(start_runner(self.path))
        return self.runners[-1]

    def result(self) -> dict:
        """Wait for the outcome."""
        for runner in self.runners:
            runner.wait(15)
        outcome = self.outcome()
        assert outcome is not None, self.text("attempt/runner.log")
        return outcome

    def text(self, name: str) -> str:
        """The content of a file in the attempt's working folder; empty when there is none."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def living(self) -> list:
        """The command's processes that still run."""
        return tagged_processes(self.tag)

    def clean_up(self) -> None:
        for runner in self.runners:
            if runner.poll() is None:
                runner.kill()
            runner.wait()
        end_tagged(self.tag)


@pytest.fixture
def new_attempt(tmp_path):
    """A function that makes attempts, described by keywords of the spec."""
    made = []

    def new(**spec) -> Attempt:
        folder = tmp_path / f"job-{len(made)}"
        folder.mkdir()
        made.append(Attempt(folder))
        return made[-1].described(**spec)

    yield new
    for attempt in made:
        attempt.clean_up()


@pytest.fixture
def ran(new_attempt):
    """A function that runs a command to its end and returns the attempt."""

    def run(**spec) -> Attempt:
        attempt = new_attempt(**spec)
        attempt.start()
        attempt.result()
        return attempt

    return run
