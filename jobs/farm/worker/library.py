"""A worker in Python, for whoever computes tasks in their own program: `for task in Worker(url, token): …`."""

import atexit
import logging
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from .client import Checkout, Farm, HandedOut, inside
from .errors import NotAnswered, TaskLost
from .pace import Pace
from .reporting import Reporter

log = logging.getLogger("jobdeck_worker")

WAIT = 10.0
"""Seconds for which the site waits for a task before it answers that there is none: so long `stop` may take."""
PATIENCE = 15.0
"""Seconds for which a program that ends tries to tell the site about its tasks."""


class Task:
    """A task that this program is to compute.

    As a context manager, `with task:`, it is done when the block ends, and failed with the message of an exception that the
    block raises; the exception is logged, and the program goes on with the next task.

    Attributes:
        number: from 0 on.
        tries: times that it was handed out, with this one.
        percent: how far an earlier try came with it.
        input: its JSON value; None where it has none.
        input_files: names of its files.
        is_ended: it was said how it ended.
    """

    def __init__(self, worker: "Worker", handed_out: HandedOut):
        self._worker, self._handed_out = worker, handed_out
        self.number, self.tries, self.percent = handed_out.number, handed_out.tries, handed_out.percent
        self.input, self.input_files = handed_out.input, handed_out.input_files
        self.is_ended = False

    def __repr__(self):
        return f"<Task {self.number}>"

    @property
    def lost(self) -> bool:
        """It is not this worker's any more: what is computed of it is in vain."""
        return not self.is_ended and not self._worker._reporter.has(self._handed_out)

    def check(self) -> None:
        """Nothing, while the task is this worker's.

        Raises:
            TaskLost: it is not any more.
            Refused: the site takes no reports.
        """
        if self._worker._reporter.error is not None:
            raise self._worker._reporter.error
        if self.lost:
            raise TaskLost(f"task {self.number} is not this worker's any more; its lease ended, or somebody stopped it")

    def progress(self, percent: float, message: str | None = None) -> None:
        """Say how far it is, 0 to 100; as often as you like, one word in a second is sent.

        Raises:
            TaskLost: as `check` does.
        """
        self.check()
        self._worker._reporter.progress(self._handed_out, percent, message)

    def done(self, result: Any = None, message: str | None = None) -> None:
        """It is done. Returns at once; the site is told in the background, until it has taken it.

        Args:
            result: a JSON value.
            message: for people.

        Raises:
            ValueError: the result is none that JSON can hold.
            TaskLost: as `check` does.
        """
        self._end("done", message=message, result=result)

    def fail(self, message: str) -> None:
        """It has failed, and why."""
        self._end("failed", message=message)

    def give_back(self) -> None:
        """Leave it to another worker, as if it had never been taken."""
        self._end("waiting")

    def _end(self, state: str, **values) -> None:
        self.check()
        self._worker._reporter.end(self._handed_out, state, **values)
        self.is_ended = True

    # --- files

    def input_file(self, name: str, folder: Path | str = ".") -> Path:
        """Save an input file below a folder, with the folders in its name; its path there."""
        path = inside(Path(folder), name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._worker.farm.save_input(self._handed_out, name, path)
        return path

    def put_file(self, name: str, content: bytes | Path | str) -> None:
        """Send a result file, before the task is done; returns when the site has it.

        Args:
            name: at the site; it may have folders.
            content: its bytes, or the path of a file.

        Raises:
            Refused: the site does not take it.
        """
        self.check()
        self._worker.farm.put_file(self._handed_out, name, content if isinstance(content, bytes) else Path(content))

    # --- with task:

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, error, trace) -> bool:
        if self.is_ended:
            return False
        if self.lost:
            log.warning("task %s is not this worker's any more", self.number)
            return error is None or isinstance(error, Exception)
        if error is None:
            self._worker._reporter.end(self._handed_out, "done")
            self.is_ended = True
            return False
        return self._end_by(error) and isinstance(error, Exception)

    def _end_by(self, error: BaseException | None) -> bool:
        """End it where an exception has left it; whether the program can go on."""
        if self.is_ended or self.lost or self._worker._reporter.error is not None:
            return False
        if error is None or not isinstance(error, Exception):
            self.give_back()
        else:
            log.warning("task %s failed", self.number, exc_info=error)
            self.fail("".join(traceback.format_exception_only(error)).strip())
        return True


class Worker:
    """Takes tasks of a run and hands them to a loop, until the run gives no more.

    What a task is left at when the loop goes on without a word is a failure; so is what an exception leaves behind that ends the
    program, or the block of `with Worker(…) as worker:`. Where the program ends otherwise its tasks are given back.

    Args:
        url: of the run's API, `https://site/api/jobs/<uuid>/farm/`.
        token: a personal token with the scope write; or else `user` and `password`.

    Raises:
        ValueError: the address is none, or there is no login.
    """

    def __init__(self, url: str, token: str | None = None, *, user: str | None = None, password: str | None = None):
        self.farm = Farm(url, token, user=user, password=password)
        self._reporter = Reporter(self.farm)
        self._ready: deque[HandedOut] = deque()
        self._pace = Pace()
        self._task: Task | None = None
        self._stopped = False
        self._closed = False
        self._pid = os.getpid()
        atexit.register(self._leave)

    def stop(self) -> None:
        """Take no more tasks: the loop ends when its task has ended. May be called from a signal handler."""
        self._stopped = True

    @property
    def is_stopped(self) -> bool:
        """It takes no more tasks."""
        return self._stopped

    def __iter__(self) -> Iterator[Task]:
        """Tasks, one by one.

        Raises:
            Refused: the site does not let this worker take tasks.
        """
        while (handed_out := self._next()) is not None:
            began = time.monotonic()
            self._task = Task(self, handed_out)
            yield self._task
            self._pace.note(time.monotonic() - began)
            if not self._task.is_ended and not self._task.lost and self._reporter.error is None:
                self._task.fail("The worker's program went on without saying how the task ended.")
            self._task = None
        if self._stopped:
            self._ready.extend(task for task in self.farm.settle_doubts() if self._reporter.hold(task))
        self._give_back()
        self._reporter.flush()
        if self._reporter.error is not None:
            raise self._reporter.error

    def _next(self) -> HandedOut | None:
        while not self._stopped:
            if self._reporter.error is not None:
                raise self._reporter.error
            while self._ready:
                handed_out = self._ready.popleft()
                if self._reporter.has(handed_out):
                    return handed_out
            checkout = self._check_out()
            if checkout is None or checkout.is_over:
                return None
            if not checkout.tasks:
                self._sleep(checkout.retry_after)
        return None

    def _check_out(self) -> Checkout | None:
        try:
            checkout = self.farm.checkout(1 + self._pace.ahead, WAIT, wanted=lambda: not self._stopped)
        except NotAnswered:
            return None
        self._reporter.lease_seconds = checkout.lease_seconds
        self._ready.extend(task for task in checkout.tasks if self._reporter.hold(task))
        return checkout

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _give_back(self) -> None:
        for handed_out in self._ready:
            self._reporter.end(handed_out, "waiting")
        self._ready.clear()

    # --- the end of the program

    def close(self, error: BaseException | None = None, patience: float | None = None) -> None:
        """Take no more, end what is left, and wait until the site knows.

        Args:
            error: what has ended the task in hand.
            patience: seconds to wait at most.
        """
        if self._closed:
            return
        self._closed, self._stopped = True, True
        atexit.unregister(self._leave)
        if self._reporter.error is None:
            if self._task is not None:
                self._task._end_by(error)
            self._give_back()
            if not self._reporter.flush(patience):
                log.warning("the site was not told how tasks %s ended", self._reporter.untold())
        self._reporter.close()
        self.farm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.close(error, None if error is None else PATIENCE)

    def _leave(self) -> None:
        if os.getpid() != self._pid:
            return  # a forked child ends, and the tasks are its parent's
        # Python leaves here what ended the program, if it was an exception that nobody caught.
        self.close(getattr(sys, "last_value", None), PATIENCE)
