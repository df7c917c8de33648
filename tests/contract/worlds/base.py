"""What the suite has to know of an engine, and of the world outside in which its jobs really run."""

import itertools
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

    def __init__(self, user: User, outside: Path, engine: Engine):
        self.user = user
        self.outside = outside
        self.engine = engine
        self.jobs: list[Job] = []

    @classmethod
    @abstractmethod
    def running_engine(cls) -> AbstractContextManager[Engine]:
        """The engine, as a process that just started has it; with what it needs around it."""

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

    @abstractmethod
    def impossible(self, **attributes) -> Job:
        """A job that the engine refuses."""

    # --- what happens outside

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
