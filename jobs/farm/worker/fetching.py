"""Tasks on their way in, and result files on their way out, in threads: commands never wait for the site."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .client import Farm, HandedOut
from .errors import NotAnswered, Refused
from .reporting import Reporter
from .running import Scratch

log = logging.getLogger("jobdeck_worker")

CARRIERS = 4
"""Files on their way at a time."""
MOST_AT_ONCE = 500
"""Tasks of one call."""


class Carriers:
    """Threads that do what has to be done with files, one thing each at a time."""

    def __init__(self, count: int = CARRIERS):
        self._things: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open = 0
        for number in range(count):
            threading.Thread(target=self._run, name=f"files {number}", daemon=True).start()

    def carry(self, thing: Callable[[], None]) -> None:
        """Have it done soon."""
        with self._lock:
            self._open += 1
        self._things.put(thing)

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        with self._lock:
            return not self._open

    def _run(self) -> None:
        while True:
            thing = self._things.get()
            try:
                thing()
            finally:
                with self._lock:
                    self._open -= 1


class Fetcher:
    """Takes as many tasks as are wanted, and makes their folders.

    Args:
        farm: the run.
        reporter: holds the tasks.
        carriers: bring the input files.
        folder: the worker's, for those of the tasks.
        wait: seconds for which the site waits for a task.
        on_change: called when something is ready, or the fetcher has ended.

    Attributes:
        ready: folders of the tasks that can be begun.
        error: why the site gives no tasks to this worker; or why there can be no folders for them.
        is_over: the run gives no tasks any more.
    """

    def __init__(
        self,
        farm: Farm,
        reporter: Reporter,
        carriers: Carriers,
        folder: Path,
        wait: float,
        on_change: Callable[[], None],
    ):
        self.ready: deque[Scratch] = deque()
        self.error: Refused | OSError | None = None
        self.is_over = False
        self._farm, self._reporter, self._carriers = farm, reporter, carriers
        self._folder, self._wait, self._on_change = folder, wait, on_change
        self._wanted = 0
        self._coming = 0  # their input files are
        self._made = 0
        self._asks_no_more = False
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    def start(self) -> None:
        """Begin to take tasks."""
        self._thread.start()

    def want(self, count: int) -> None:
        """Have so many tasks ready."""
        with self._changed:
            self._wanted = count
            self._changed.notify_all()

    def stop(self) -> None:
        """Take no more, and give back what was not begun."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        while (scratch := self.take()) is not None:
            self._give_back(scratch)

    def take(self) -> Scratch | None:
        """The next that is ready, if any."""
        try:
            return self.ready.popleft()
        except IndexError:
            return None

    @property
    def has_ended(self) -> bool:
        """Nothing is ready, and nothing will be."""
        return self._asks_no_more and not self._coming and not self.ready

    def _run(self) -> None:
        try:
            while self._wait_until_wanted():
                self._fetch()
            if not self.is_over:
                for task in self._farm.settle_doubts():
                    if self._reporter.hold(task):
                        self._reporter.end(task, "waiting")
        except NotAnswered:
            log.info("no more tasks are asked for")
        except (Refused, OSError) as error:
            self._fail(error)
        finally:
            self._asks_no_more = True
            self._on_change()

    def _missing(self) -> int:
        return self._wanted - self._coming - len(self.ready)

    def _wait_until_wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped.is_set() or self.error or self.is_over or self._missing() > 0)
        return not (self._stopped.is_set() or self.error or self.is_over)

    def _fetch(self) -> None:
        count = min(max(self._missing(), 1), MOST_AT_ONCE)
        checkout = self._farm.checkout(count, self._wait, wanted=lambda: not self._stopped.is_set())
        self._reporter.lease_seconds = checkout.lease_seconds
        if checkout.is_over:
            self.is_over = True
            log.info("the run is %s", checkout.state)
            # What still runs of it may be lost.
            self._reporter.ask_at_once()
            return
        held = [task for task in checkout.tasks if self._reporter.hold(task)]
        for position, task in enumerate(held):
            try:
                self._prepare(task)
            except OSError:
                for left in held[position:]:
                    self._reporter.end(left, "waiting")
                raise
        if not checkout.tasks:
            self._stopped.wait(checkout.retry_after)

    def _prepare(self, task: HandedOut) -> None:
        self._made += 1
        scratch = Scratch(self._folder / f"{task.number}-{self._made}", task)
        if not task.input_files:
            scratch.make(self._farm.save_input)
            self._have(scratch)
            return
        with self._changed:
            self._coming += 1
        self._carriers.carry(lambda: self._bring(scratch))

    def _bring(self, scratch: Scratch) -> None:
        try:
            scratch.make(self._farm.save_input)
            self._have(scratch)
        except NotAnswered:
            scratch.remove()
        except Refused as error:
            if error.status == 404:
                scratch.remove()
                self._reporter.end(scratch.task, "failed", message=f"An input file could not be had: {error}")
            else:
                # Not the task's fault, and the next one's would be the same.
                self._give_back(scratch)
                self._fail(error)
        except OSError as error:
            self._give_back(scratch)
            self._fail(error)
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()
            self._on_change()

    def _have(self, scratch: Scratch) -> None:
        self.ready.append(scratch)
        if self._stopped.is_set():
            # `stop` may have looked before.
            self.stop()
        self._on_change()

    def _give_back(self, scratch: Scratch) -> None:
        scratch.remove()
        self._reporter.end(scratch.task, "waiting")

    def _fail(self, error: Refused | OSError) -> None:
        self.error = error
        self._stopped.set()
        self._on_change()
