"""What the suite has to know of an engine, and of the world outside in which its jobs really run."""

import itertools
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

from django.contrib.auth.models import User

from jobs.engine import Engine, Supports
from jobs.manager import JobManager
from jobs.models import Job

_numbers = itertools.count(1)


class World(ABC):
    """One engine with jobs of which the suite knows what they do, and eyes to see what they really did.

    Subclass it in a file of its own in this folder, and the whole suite runs on the engine. One object serves one test.

    Attributes:
        name: in the names of the tests.
        model: the type of its jobs.
        supports: what the engine says that it can; what it cannot is not tested.
        drivers: what carries out the tests of whole jobs: 'settle' (this process plays worker and monitor, for engines
            whose outside lives in this process) or the names of brokers (real processes).
        exit_codes: the engine's work has an exit code.
        full_answers: some of the engine's answers are full.
        can_be_away: `away` makes it unreachable.
        makes_schedulers: the engine makes its own scheduler rows; those of others are set up by operators.
        pause_interrupts: a job that is resumed after a pause begins anew, as HTCondor's held jobs do.
        keeps_history: the engine's history knows of an attempt also after it was forgotten.
        only_on: 'on_sqlite' or 'on_postgresql' for a world that is tested on one of the two, where both are.
        transactional: its outside is in the database, and other processes have to see the tests' rows.
        processes: what a site has beside worker and monitor: name → arguments of manage.py.
        has_messages: a message to a broker has a job started.
        takes_work: which process a message is for that has a job started.
        broker_queues: the queues at the broker that those messages are in, behind the name of the site's own.
        driver_on: 'on_sqlite' or 'on_postgresql' by driver, likewise; by None for the engine's own tests.
        patience: seconds after which what a test waits for has not happened.
        step: seconds between two questions while a test waits.
        user: whose the jobs are.
        outside: a folder of this test, for what jobs leave as their traces.
        engine: the engine as this process has it.
    """

    name: ClassVar[str]
    model: ClassVar[type[Job]]
    supports: ClassVar[Supports]
    drivers: ClassVar[tuple[str, ...]] = ("embedded", "redis", "rabbitmq")
    exit_codes: ClassVar[bool] = True
    full_answers: ClassVar[bool] = True
    can_be_away: ClassVar[bool] = False
    makes_schedulers: ClassVar[bool] = True
    pause_interrupts: ClassVar[bool] = False
    keeps_history: ClassVar[bool] = False
    only_on: ClassVar[str] = ""
    driver_on: ClassVar[dict[str | None, str]] = {}
    transactional: ClassVar[bool] = False
    processes: ClassVar[dict[str, tuple[str, ...]]] = {}
    has_messages: ClassVar[bool] = True
    takes_work: ClassVar[str] = "worker"
    broker_queues: ClassVar[tuple[str, ...]] = ("",)
    patience: ClassVar[float] = 20.0
    step: ClassVar[float] = 0.02

    def __init__(self, user: User, outside: Path, engine: Engine):
        self.user = user
        self.outside = outside
        self.engine = engine
        self.jobs: list[Job] = []

    @classmethod
    @abstractmethod
    def running_engine(cls) -> AbstractContextManager[Engine]:
        """The engine, as a process that just started has it; with what it needs around it."""

    @classmethod
    def is_up(cls, pid: int) -> bool:
        """Whether one of `processes` is at work."""
        raise NotImplementedError(f"{cls.name} has no processes of its own")

    @classmethod
    def start_workers(cls, folder: Path) -> subprocess.Popen | None:
        """Start what takes jobs on the test database where no driver does so; it writes into the folder."""
        return None

    # --- jobs

    def job(self, **attributes) -> Job:
        """A pending job of this world's type."""
        name = f"{self.name} {next(_numbers)}"
        self.jobs.append(JobManager("contract").create_job(name, self.user, self.model, **attributes))
        return self.jobs[-1]

    @abstractmethod
    def succeeding(self, **attributes) -> Job:
        """A job that ends well, soon."""

    @abstractmethod
    def failing(self, exit_code: int, **attributes) -> Job:
        """A job that ends with this exit code, soon. Without `exit_codes`: one that fails."""

    @abstractmethod
    def lasting(self, **attributes) -> Job:
        """A job that works until it is stopped."""

    def writing(self, text: str, **attributes) -> Job:
        """A job that writes the text to its first log and then works until it is stopped. With `live_logs` only."""
        raise NotImplementedError(f"{self.name} says that it has live logs; its world has no job that writes one")

    def leaving(self, name: str, text: str, **attributes) -> Job:
        """A job that leaves the text in a file and ends well, soon. With `fetch` only."""
        raise NotImplementedError(f"{self.name} says that it fetches outputs; its world has no job that leaves one")

    @abstractmethod
    def impossible(self, **attributes) -> Job:
        """A job that the engine refuses."""

    # --- what happens outside

    def has_message(self, job: Job, broker) -> bool:
        """Whether a message was sent to the site's broker that has the job started."""
        return bool(job.intents.get().sends)

    def turn(self) -> None:
        """Let the outside go on a little; nothing to do where it goes on by itself."""

    def restart(self) -> None:
        """Have the engine as a process has it that was started anew after a crash."""

    @abstractmethod
    def starts(self, job: Job, attempt: int | None = None) -> int:
        """How often the work of an attempt (the current one) was really started, as seen outside of the engine."""

    @abstractmethod
    def work_done(self, job: Job) -> int:
        """A figure that grows while a lasting job works, and only then."""

    @abstractmethod
    def works(self, job: Job) -> bool:
        """Whether anything that the current attempt started still runs, as seen outside of the engine."""

    @abstractmethod
    def traces(self, job: Job) -> list[str]:
        """All that is there of the job's attempts outside of its workspace."""

    @abstractmethod
    def lose(self, job: Job) -> None:
        """Have the engine lose all that it knows of the current attempt."""

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have the engine be unreachable. With `can_be_away` only."""
        raise NotImplementedError(f"{self.name} says that it can be away; its world does not say how")
        yield

    def close(self) -> None:
        """End whatever still runs."""
