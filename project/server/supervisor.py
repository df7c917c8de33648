"""The supervisor: starts the site's processes, keeps them running, ends them together."""

import queue
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from project.server import guard
from project.server.child import Child, Console
from project.server.readiness import Readiness

GRACE = 10.0
"""Seconds between TERM and KILL at the end."""

TICK = 0.1
"""Seconds between two looks at the children."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Guard:
    """The guard process, and what it has been told; see `project/server/guard.py`.

    Args:
        keep_open: descriptor of the data folder's lock, which the guard is to hold as well.
    """

    def __init__(self, keep_open: int):
        self.keep_open = keep_open
        self.groups: set[int] = set()
        self.process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        """Start a guard and tell it all groups there are."""
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            # Whoever reads the supervisor's output is not to wait for the guard.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            pass_fds=(self.keep_open,),
            start_new_session=True,
        )
        for group in self.groups:
            self._tell(f"+{group}\n")

    def watch(self, group: int, runs: bool) -> None:
        """Tell the guard that this process group runs, or has ended."""
        if runs:
            self.groups.add(group)
        else:
            self.groups.discard(group)
        self._tell(f"{'+' if runs else '-'}{group}\n")

    def look(self) -> None:
        """Start it again if somebody ended it."""
        if self.process.poll() is not None:
            self.start()

    def end(self) -> None:
        """Let it go: with nothing left to guard it ends by itself."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=GRACE + 5)

    def _tell(self, line: str) -> None:
        try:
            self.process.stdin.write(line)
        except BrokenPipeError:
            return  # `look` starts another one and tells it everything


class Supervisor:
    """Runs the children of one site until it is told to end.

    Args:
        commands: name and argv of each child, in the order of starting.
        environment: of all children.
        log_folder: where their log files go.
        console: where their lines go.
        guardian: the guard that is told of each process group.
        readiness: the thread that finds out when the site is ready.
    """

    def __init__(
        self,
        commands: Sequence[tuple[str, Sequence[str]]],
        environment: Mapping[str, str],
        log_folder: Path,
        console: Console,
        guardian: Guard,
        readiness: Readiness,
    ):
        console.width = max(len(name) for name, _ in commands) + 1
        self.console = console
        self.guardian = guardian
        self.readiness = readiness
        # Its `put` may be called from a signal handler whatever the main thread is doing; an Event's `set` may not.
        self.signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.children = [Child(name, argv, environment, log_folder, console, guardian.watch) for name, argv in commands]

    def run(self) -> None:
        """Start all, keep them running until a signal comes, then end all."""
        for signum in ENDING:
            # Who was started by nohup is not to end with the terminal.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, lambda signum, frame: self.signals.put(signum))
        try:
            for child in self.children:
                child.start()
            self.readiness.start()
            while not self._told_to_end(TICK):
                self.guardian.look()
                for child in self.children:
                    child.look()
        finally:
            self.readiness.ended.set()
            self._end()

    def _told_to_end(self, seconds: float) -> bool:
        try:
            self.signals.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def _end(self) -> None:
        self.console.plain(
            "ending; running commands go on under their own runners and are found again at the next start"
        )
        for child in self.children:
            child.terminate()
        deadline = time.monotonic() + GRACE
        while any(child.running for child in self.children):
            if self._told_to_end(TICK):
                self.console.plain("told to end again: killing what still runs")
                break
            if time.monotonic() > deadline:
                names = ", ".join(child.name for child in self.children if child.running)
                self.console.plain(f"{names} did not end within {GRACE:g} s: killed")
                break
        for child in self.children:
            child.clear_up()
        self.guardian.end()
        self.console.plain("ended")
