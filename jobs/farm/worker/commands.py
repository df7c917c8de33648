"""A command for each task, on every core, until the run gives no more tasks or somebody ends the worker."""

import logging
import os
import selectors
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .client import Farm, HandedOut
from .errors import NotAnswered, Refused
from .fetching import Carriers, Fetcher
from .library import PATIENCE, WAIT
from .pace import Pace
from .reporting import Reporter
from .running import GRACE, Run, Scratch, environment_for_commands

log = logging.getLogger("jobdeck_worker")

OVER, REFUSED = 0, 1
"""Exit codes."""
NOT_THE_TASKS = (401, 403, 404)
"""Statuses that refuse the worker, or the run: no reason for a task to fail."""
_LONGEST_SLEEP = 1.0


class Commands:
    """The worker: its main thread starts commands and listens to them, threads of its own speak with the site.

    Args:
        farm: the run.
        command: its words; `{task}`, `{input}`, `{inputs}` and `{results}` stand for the task's values.
        jobs: commands at a time.
        timeout: seconds that one may take; None for any.
        scratch: a folder for the tasks' folders; None for the system's.
        wait: seconds for which the site waits for a task.
    """

    def __init__(
        self,
        farm: Farm,
        command: Sequence[str],
        *,
        jobs: int,
        timeout: float | None = None,
        scratch: Path | None = None,
        wait: float = WAIT,
    ):
        self._farm, self._command, self._jobs, self._timeout = farm, command, jobs, timeout
        self._environment = environment_for_commands()
        self._pace = Pace(jobs)
        self._runs: dict[HandedOut, Run] = {}
        self._lost: set[HandedOut] = set()
        self._error: Exception | None = None
        self._refusal: Refused | None = None  # of a file
        self._signals, self._seen = 0, 0
        self._leave_at: float | None = None
        self._count = {"done": 0, "failed": 0}
        self._selector = selectors.DefaultSelector()
        self._bell, self._ring = os.pipe()
        for end in (self._bell, self._ring):
            os.set_blocking(end, False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._folder = tempfile.TemporaryDirectory(prefix="jobdeck-worker-", dir=scratch, ignore_cleanup_errors=True)
        self._carriers = Carriers()
        self._reporter = Reporter(farm, self._note_lost, self._wake)
        self._fetcher = Fetcher(farm, self._reporter, self._carriers, Path(self._folder.name), wait, self._wake)

    def run(self) -> int:
        """Work; the exit code. In the main thread, whose end is also that of the commands."""
        self._listen_to_signals()
        self._fetcher.start()
        try:
            while not self._is_over():
                self._begin()
                self._listen()
                self._look_at_signals()
                self._look_at_runs()
            return self._say_goodbye()
        finally:
            self._farm.give_up()
            for run in self._runs.values():
                run.kill()
            self._folder.cleanup()

    # --- woken by

    def _wake(self) -> None:
        try:
            os.write(self._ring, b"!")
        except BlockingIOError:  # full: it will wake
            return

    def _note_lost(self, task: HandedOut) -> None:
        self._lost.add(task)
        self._wake()

    def _listen_to_signals(self) -> None:
        signal.set_wakeup_fd(self._ring, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # nohup has it ignored.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._count_signal)

    def _count_signal(self, number, frame) -> None:
        self._signals += 1

    # --- the loop

    def _is_over(self) -> bool:
        if self._leave_at is not None and (time.monotonic() >= self._leave_at or self._signals > 2):
            return True
        if self._runs:
            return False
        if self._reporter.error is not None:
            return True
        return self._fetcher.has_ended and self._carriers.is_idle and self._reporter.is_idle

    @staticmethod
    def _is_final(error: Exception) -> bool:
        return isinstance(error, Refused)

    def _begin(self) -> None:
        while len(self._runs) < self._jobs and not self._signals and self._error is None:
            scratch = self._fetcher.take()
            if scratch is None:
                break
            if not self._reporter.has(scratch.task):
                scratch.remove()
                continue
            self._start(scratch)
        self._fetcher.want(self._jobs - len(self._runs) + self._pace.ahead)

    def _start(self, scratch: Scratch) -> None:
        try:
            run = Run(scratch, self._command, self._timeout, self._environment)
        except (OSError, ValueError) as error:
            scratch.remove()
            if self._command[0] != scratch.fill_in(self._command[:1])[0] or isinstance(error, ValueError):
                # The task's own program.
                self._reporter.end(scratch.task, "failed", message=f"The command could not be started: {error}")
                return
            # The machine's trouble: no reason for all tasks to fail.
            self._reporter.end(scratch.task, "waiting")
            self._stop_for(error)
            return
        self._runs[scratch.task] = run
        for stream in run.streams:
            self._selector.register(stream, selectors.EVENT_READ, run)

    def _listen(self) -> None:
        looks = [look for run in self._runs.values() if (look := run.look()) is not None]
        moments = [_LONGEST_SLEEP, *looks]
        if self._leave_at is not None:
            moments.append(max(self._leave_at - time.monotonic(), 0.0))
        for key, _ in self._selector.select(min(moments)):
            if key.fd == self._bell:
                os.read(self._bell, 4096)
                continue
            run = key.data
            before = run.percent
            if not run.read(key.fileobj):
                self._selector.unregister(key.fileobj)
            elif run.percent != before and not run.ending:
                self._reporter.progress(run.task, run.percent)

    def _look_at_signals(self) -> None:
        error = self._reporter.error or self._fetcher.error or self._refusal
        if error is not None and self._error is None:
            self._stop_for(error)
        if self._signals and not self._seen:
            log.warning("no more tasks are taken; those that run are finished (once more: they are given back)")
            self._fetcher.stop()
        if self._signals > 1 and self._seen < 2:
            log.warning("the commands are ended, and their tasks given back")
            self._leave_at = time.monotonic() + GRACE + PATIENCE
            for run in self._runs.values():
                run.end("given back")
        self._seen = self._signals

    def _stop_for(self, error: Exception) -> None:
        self._error = error
        self._fetcher.stop()
        if self._is_final(error):
            for run in self._runs.values():
                run.end("refused")

    def _look_at_runs(self) -> None:
        while self._lost:
            task = self._lost.pop()
            if task in self._runs:
                log.warning("task %s is not this worker's any more; its command is ended", task.number)
                self._runs[task].end("lost")
        for task, run in list(self._runs.items()):
            if not run.has_ended():
                continue
            for stream in run.streams:
                self._forget(stream)
            del self._runs[task]
            self._pace.note(run.seconds)
            self._hand_in(run)

    def _forget(self, stream) -> None:
        for key in [key for key in self._selector.get_map().values() if key.fileobj is stream]:
            self._selector.unregister(key.fileobj)

    # --- results

    def _hand_in(self, run: Run) -> None:
        if run.ending and run.ending != "timed out":
            run.scratch.remove()
            self._reporter.end(run.task, "waiting")  # of a lost one nothing is said
            return
        state, message = run.outcome()
        result = None
        try:
            result = run.scratch.result()
            files = run.scratch.files()
        except (OSError, ValueError) as error:
            state, message, files = "failed", message or f"The command ended well, but {error}", run.scratch.files()
        if files:
            self._carriers.carry(lambda: self._put(run, files, state, message, result))
        else:
            self._end(run, state, message, result)

    def _put(self, run: Run, files: Sequence[tuple[str, Path]], state: str, message: str, result) -> None:
        try:
            for name, path in files:
                if not self._reporter.has(run.task):
                    break
                self._farm.put_file(run.task, name, path)
        except NotAnswered:
            return
        except (Refused, OSError) as error:
            if isinstance(error, Refused) and error.status in NOT_THE_TASKS:
                run.scratch.remove()
                self._reporter.end(run.task, "waiting")
                self._refusal = error
                self._wake()
                return
            state, message = "failed", message or f"A result file was not taken: {error}"
        self._end(run, state, message, result)

    def _end(self, run: Run, state: str, message: str, result) -> None:
        try:
            self._reporter.end(run.task, state, message=message, result=result)
        except ValueError as error:
            state = "failed"
            self._reporter.end(run.task, state, message=f"The command ended well, but {error}")
        run.scratch.remove()
        self._count[state] += 1
        if state == "failed":
            log.warning("task %s failed: %s", run.task.number, message.partition("\n")[0])
        self._wake()

    def _say_goodbye(self) -> int:
        log.info("%s tasks done, %s failed", self._count["done"], self._count["failed"])
        if self._error is not None:
            if not isinstance(self._error, Refused):
                log.error("the command cannot be run here: %s", self._error)
            else:
                log.error("%s", self._error)
            return REFUSED
        if untold := self._reporter.untold():
            numbers = ", ".join(map(str, untold[:20])) + (", …" if len(untold) > 20 else "")
            log.error(
                "the site could not be told of tasks %s; it learns that they are free when their leases end", numbers
            )
            return REFUSED
        return OVER
