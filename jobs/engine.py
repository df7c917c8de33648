"""The contract between the core and an engine. Each docstring is a guarantee that `tests/contract` checks."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from jobs.conf import conf


class EngineError(Exception):
    """What an engine raises; anything else that comes out of it is a bug of its own."""


class EngineRefused(EngineError):
    """Permanent: asking again will bring the same answer. The message is for the person who owns the job."""


class EngineUnavailable(EngineError):
    """Passing: nothing is known of what was asked, and it will be asked again."""


def make_tag(uuid: UUID, attempt: int) -> str:
    """What marks one attempt of one job of this installation, at the engine and outside."""
    return f"{conf.INSTANCE}.{uuid.hex}.{attempt}"


def parse_tag(tag: str) -> tuple[UUID, int] | None:
    """The job's UUID and the attempt of a tag, or None where it is not one of this installation's."""
    parts = tag.rsplit(".", 2)
    if len(parts) != 3 or parts[0] != conf.INSTANCE:
        return None
    try:
        return UUID(hex=parts[1]), int(parts[2])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Handle:
    """One attempt, as its engine knows it.

    Attributes:
        tag: see `make_tag`.
        external_id: what `submit` returned; empty where that is not known.
        scheduler: the `jobs.models.Scheduler` row.
        workspace: the job's folder on this side.
    """

    tag: str
    external_id: str
    scheduler: Any
    workspace: Path


@dataclass(frozen=True, slots=True)
class Watched:
    """What `poll` gets of each job that it should know about: light, so that ten thousand cost little."""

    tag: str
    external_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a job of many parts; None leaves what is known of it."""

    name: str
    status: str
    exit_code: int | None = None
    tries: int = 0
    external_id: str = ""
    message: str | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine says about one attempt; None means 'nothing said', and leaves what is known.

    Attributes:
        status: a code of `jobs.status.Status`, or a custom status.
        progress: percent, 0 to 100.
        counts: for jobs of many parts: how many parts are in which status code.
        resources: what the work used: `cpu_seconds`, `max_rss_bytes`, and what else the engine measures.
    """

    tag: str
    status: str | None = None
    message: str | None = None
    exit_code: int | None = None
    started: datetime | None = None
    finished: datetime | None = None
    progress: float | None = None
    counts: dict[str, int] | None = None
    parts: Sequence[Part] = ()
    resources: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """The answer to one question.

    Attributes:
        reports: about jobs that were asked for; others are ignored.
        cursor: JSON; given back with the next question.
        full: only where it is true does a watched job's absence from `reports` count as missing.
        pause: seconds from the question to the next one that the engine asks for, where that is longer than its
            `poll_interval`: a large queue is asked less often.
    """

    reports: Sequence[Report]
    cursor: Any = None
    full: bool = False
    pause: float = 0.0


class Outcome(StrEnum):
    """What became of an action at the engine."""

    DONE = "done"
    """The engine has taken it; the next reports show its effect."""
    OVER = "over"
    """There is nothing to act on any more: the attempt has ended, or the engine never had it."""
    LATER = "later"
    """Not possible just now; ask again."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log of an attempt, read in ranges of bytes.

    Attributes:
        name: 'stdout', 'stderr', or what the engine calls it.
        size: bytes at the moment.
        path: the file on this side.
        inside: a folder above it where jobs may write: no link on the way from there to the file is followed. Without it
            only the file itself must be no link.
    """

    name: str
    size: int
    path: Path
    inside: Path | None = None

    def open(self) -> BinaryIO:
        """The file, for reading bytes.

        Raises:
            OSError, InvalidAttribute: it is gone, or a job put a link in its place.
        """
        from jobs.workspaces import open_inside

        folder = self.inside or self.path.parent
        return open_inside(folder, self.path.relative_to(folder).as_posix())

    def read(self, offset: int = 0, length: int = 65536) -> bytes:
        """At most `length` bytes from `offset` on; a negative offset counts from the end. Empty beyond the end."""
        with self.open() as file:
            size = file.seek(0, 2)
            file.seek(max(0, size + offset) if offset < 0 else min(offset, size))
            return file.read(length)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a test of a scheduler looked at.

    Attributes:
        name: what was looked at, for people: 'Reach', 'Login', …
        ok: whether it is well; None where it was not looked at, because something before it failed.
        detail: what was found, or what is wrong and what to do.
        offer: what was found and nobody has accepted yet, such as a host's key, for the form that asks staff to.
    """

    name: str
    ok: bool | None
    detail: str = ""
    offer: str = ""


@dataclass(frozen=True)
class Supports:
    """What an engine can do; pages and the API offer only that."""

    pause: bool = False
    live_logs: bool = False
    timeout: bool = False
    """It ends a job at its timeout by itself; for the others the monitor writes a stop intent."""
    parts: bool = False
    progress: bool = field(default=False)
    fetch: bool = False
    """Outputs are elsewhere when a job ends: a worker fetches them before the job is over here, then has the engine
    forget the attempt."""
    in_database: bool = False
    """A submission is rows of this database and nothing else: they are written in the transaction that wants the job to
    run, and no worker is needed for it."""
    test: bool = False
    """It can say what works at a scheduler."""


class Engine(ABC):
    """What runs jobs. One object for each process; it keeps nothing that a crash may not lose."""

    name: str
    supports: Supports = Supports()
    poll_interval: float = 1.0
    """Seconds from one answer to the next question while there are jobs; a scheduler's least interval may be longer."""

    @abstractmethod
    def choose_scheduler(self, job):
        """The `Scheduler` row for a job that names none.

        Raises:
            EngineRefused: there is none that could run it.
        """

    @abstractmethod
    def submit(self, job) -> str:
        """Hand over the job's current attempt and return the external id.

        Called twice for one attempt it has the effect of one call and returns the same id. After it returned, `poll`
        and `recover` know the attempt.

        Raises:
            EngineRefused: the attempt cannot run as it is; nothing was left at the engine.
            EngineUnavailable: it is not known whether it was handed over; `recover` will tell.
        """

    @abstractmethod
    def poll(self, scheduler, cursor, watched: Sequence[Watched]) -> Poll:
        """Ask, in one round trip, how the watched attempts are.

        Raises:
            EngineUnavailable: no answer, or one that was cut off; nothing is known about any job.
        """

    @abstractmethod
    def resolve(self, scheduler, handles: Sequence[Handle]) -> list[Report]:
        """One bounded look into the engine's history for attempts that two full answers lacked.

        Attempts that it knows nothing of are left out: they are lost.
        """

    @abstractmethod
    def stop(self, handles: Sequence[Handle], *, force: bool = False) -> dict[str, Outcome]:
        """End the attempts with all that they started; an outcome for each tag. `force` after the deadline has passed."""

    @abstractmethod
    def forget(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        """Remove all that is left of ended attempts outside of the workspace.

        For what is not there: OVER. For what has not ended: LATER, and it is left alone.
        """

    @abstractmethod
    def recover(self, scheduler, tag: str) -> str | None:
        """The external id of an attempt that was perhaps submitted, or None if it certainly was not.

        Raises:
            EngineUnavailable: it cannot be told now.
        """

    @abstractmethod
    def logs(self, handle: Handle) -> list[LogFile]:
        """The logs that there are now; also while it runs where `supports.live_logs`."""

    def pause(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        """Suspend the attempts; an outcome for each tag. Only where `supports.pause`."""
        raise EngineRefused(f"{self.name} cannot pause jobs")

    def resume(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        """Let paused attempts go on; an outcome for each tag. Only where `supports.pause`."""
        raise EngineRefused(f"{self.name} cannot resume jobs")

    def fetch(self, handle: Handle, into: Path) -> Report | None:
        """Bring the output files of an ended attempt in; only where `supports.fetch`.

        Done twice it has the effect of one time. What the engine does not have any more is left out.

        Args:
            into: the job's workspace.

        Returns:
            What only the outputs tell of how the attempt ended; it comes over what was reported of its end.

        Raises:
            EngineRefused: they cannot be brought in, however often it is tried.
            EngineUnavailable: not now.
        """

    def test(self, scheduler) -> list[Check]:
        """Look what works at the scheduler; only where `supports.test`. Says what is wrong rather than raise."""
        raise EngineRefused(f"{self.name} has no test for its schedulers")

    def prepare(self) -> None:
        """Make the scheduler rows that the engine needs on this host; the monitor calls it when it starts."""

    def wait(self, scheduler, seconds: float) -> bool:
        """Sleep until something may have changed at the scheduler, at most `seconds`; whether it did, as a hint."""
        time.sleep(seconds)
        return False

    def tick(self, scheduler) -> None:
        """What the engine has to do on its own after each look (for example start what waits for a slot)."""


def handle_of(job, *, attempt: int | None = None, external_id: str | None = None) -> Handle:
    """The handle of a job's current attempt, or of an earlier one, whose external id is not known any more."""
    from jobs.workspaces import workspace_path

    if external_id is None:
        external_id = job.external_id if attempt in (None, job.attempt) else ""
    return Handle(
        tag=make_tag(job.uuid, attempt or job.attempt),
        external_id=external_id,
        scheduler=job.scheduler,
        workspace=workspace_path(job),
    )


def by_tag(reports: Iterable[Report]) -> dict[str, Report]:
    """The reports by tag; of two about one attempt the later one counts."""
    return {report.tag: report for report in reports}
