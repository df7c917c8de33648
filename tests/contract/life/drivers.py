"""What carries out the wishes of a test: this process itself, or real processes and a broker."""

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from jobs.models import Heartbeat
from jobs.testing import settle
from tests.contract.life.brokers import Broker
from tests.contract.worlds import World

PATIENCE = 40.0
"""Seconds after which what a test waits for has not happened; the machine may be busy."""
STEP = 0.05


class Driver(ABC):
    """Carries out what is wanted, while a test waits for it."""

    def until(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait until the condition holds, at most `patience` seconds."""
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, f"not within {patience:g} s: {what}\n{self.said()}"
            self.step()

    @abstractmethod
    def step(self) -> None:
        """Let a moment pass."""

    @contextmanager
    def without_worker(self, kind: str = "worker") -> Iterator[None]:
        """Have no worker (of that kind); it is killed rather than asked to leave."""
        yield

    def said(self) -> str:
        """What the processes wrote, for a person who looks for the fault."""
        return ""

    def open(self) -> None:
        """Start what it needs."""

    def close(self) -> None:
        """End what was started."""


class Settling(Driver):
    """This process plays worker and monitor, for engines whose outside lives in its memory."""

    def step(self) -> None:
        settle()
        time.sleep(STEP / 10)


class Processes(Driver):
    """A worker and a monitor, started as a site starts them, on the test database.

    Args:
        broker: how the monitor wakes the worker.
        folder: for what they write.
        world: what other processes there are.
        environment: variables of theirs beside those of the site.
    """

    def __init__(self, broker: Broker, folder: Path, world: type[World], environment: dict[str, str] | None = None):
        self.world = world
        self.arguments = {"monitor": ("monitor",), "worker": ("worker",), **world.processes}
        self.broker = broker
        self.environment = environment or {}
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}

    def open(self) -> None:
        """Start all, and wait until they are at work."""
        for kind in self.arguments:
            self.start(kind)
        self.until(lambda: all(map(self.alive, self.arguments)), f"{', '.join(self.arguments)} are there")

    def start(self, kind: str, **variables: str) -> None:
        """Start 'worker', 'monitor', or what else the world has."""
        environment = {
            **os.environ,
            **variables,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "CELERY_BROKER_URL": self.broker.url,
            "JOBDECK_QUEUE": self.broker.queue,
            **self.environment,
        }
        with (self.folder / f"{kind}.log").open("ab") as log:
            argv = [sys.executable, "manage.py", *self.arguments[kind]]
            self.processes[kind] = subprocess.Popen(
                argv, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def alive(self, kind: str) -> bool:
        """Whether the process has given a sign of life."""
        process = self.processes[kind]
        assert process.poll() is None, f"the {kind} ended with {process.returncode}\n{self.said()}"
        if kind in self.world.processes:
            return self.world.is_up(process.pid)
        return Heartbeat.objects.filter(kind=kind, pid=process.pid).exists()

    def step(self) -> None:
        time.sleep(STEP)

    @contextmanager
    def without_worker(self, kind: str = "worker") -> Iterator[None]:
        self.processes[kind].kill()
        self.processes[kind].wait()
        try:
            yield
        finally:
            self.start(kind)

    def lose_messages(self) -> int:
        return self.broker.lose_messages(self.world.broker_queues)

    def said(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-4000:]}" for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        codes = {}
        for kind, process in self.processes.items():
            try:
                codes[kind] = process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[kind] = process.wait()
        self.broker.remove(self.world.broker_queues)
        left = list(Heartbeat.objects.filter(pid__in=[process.pid for process in self.processes.values()]))
        assert set(codes.values()) == {0}, f"{codes}\n{self.said()}"
        assert not left, "a process that leaves takes its sign of life with it"


def empty_database() -> None:
    """Bring the test database back to what it was after the migrations."""
    name = Path(connection.settings_dict["NAME"]).name
    assert name.startswith("test"), f"{name} is no test database"
    call_command("flush", interactive=False, verbosity=0)
