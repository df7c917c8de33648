"""What a function may ask and say of its own job while it runs: `current_job()`."""

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path

SHORTEST_PAUSE = 0.5
"""Seconds between two writes of progress and message."""


class JobStopped(Exception):
    """The job is to stop; a function that lets this pass ends as Aborted."""


class CurrentJob:
    """The job that is running here.

    Outside of a worker, where a function is called as any other, the same calls work: nothing is written down, and the
    workspace is a temporary folder.

    Args:
        name: of the job.
        workspace: its folder; a temporary one is made where there is none.
        log: where its lines go.
        write: takes what it says of progress and message.
    """

    def __init__(
        self,
        name: str = "",
        *,
        uuid: str = "",
        attempt: int = 1,
        workspace: Path | None = None,
        log: logging.Logger | None = None,
        write: Callable[[dict], None] | None = None,
    ):
        self.name = name
        self.uuid = uuid
        self.attempt = attempt
        self.log = log or logging.getLogger("jobs.functions")
        self.was_told = False
        self.is_late = False
        self._workspace = workspace
        self._write = write
        self._stop = threading.Event()
        self._said: dict = {}
        self._lock = threading.Lock()
        self._last = 0.0
        self._timer: threading.Timer | None = None

    # --- what it says

    def progress(self, percent: float, message: str | None = None) -> None:
        """Say how far it is.

        Args:
            percent: 0 to 100.
            message: shown beside the status; None leaves what stands there.

        Raises:
            ValueError: it is no number from 0 to 100.
        """
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise ValueError(f"progress: must be a number from 0 to 100 (percent), not {percent!r}")
        self._say(progress=float(percent), **({} if message is None else {"message": str(message)}))

    def message(self, text: str) -> None:
        """Say what it is doing; shown beside the status."""
        self._say(message=str(text))

    @cached_property
    def workspace(self) -> Path:
        """The job's folder; files in it are shown as its results."""
        return self._workspace or Path(tempfile.mkdtemp(prefix="function-"))

    # --- when to stop

    @property
    def should_stop(self) -> bool:
        """Whether somebody wants it stopped, or its time is over. In a process it is ended; in a thread it has to ask."""
        self.was_told = self.was_told or self._stop.is_set()
        return self.was_told

    def check(self) -> None:
        """Raise `JobStopped` if it should stop."""
        if self.should_stop:
            raise JobStopped

    def sleep(self, seconds: float) -> None:
        """Sleep, and raise `JobStopped` as soon as it should stop."""
        self._stop.wait(seconds)
        self.check()

    # --- for the worker

    def ask_to_stop(self, *, late: bool = False) -> None:
        """Have `should_stop` be true; `late` because its time is over, and not because somebody wants that."""
        self.is_late = late
        self._stop.set()

    def flush(self) -> dict:
        """End what writes later; what was said last and is not written yet."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            said, self._said = self._said, {}
            self._write = None
        return said

    def _say(self, **values) -> None:
        with self._lock:
            self._said.update(values)
            if self._write is None or self._timer is not None:
                return
            wait = self._last + SHORTEST_PAUSE - time.monotonic()
            if wait > 0:
                self._timer = threading.Timer(wait, self._write_now)
                self._timer.daemon = True
                self._timer.start()
                return
        self._write_now()

    def _write_now(self) -> None:
        with self._lock:
            self._timer = None
            said, self._said, write = self._said, {}, self._write
            self._last = time.monotonic()
        if said and write is not None:
            write(said)


current: ContextVar[CurrentJob | None] = ContextVar("current_job", default=None)


def current_job() -> CurrentJob:
    """The job that runs the calling function; outside of one, a stand-in that writes nothing down."""
    job = current.get()
    if job is None:
        job = CurrentJob("no job")
        current.set(job)
    return job
