"""One child of the supervisor: a process group of its own, its output on the terminal and in a file."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from project.server import guard
from project.server.environment import ROOT

LOG_LIMIT = 5_000_000
"""Bytes after which a log file is put aside as `<name>.log.1`, in place of the one before."""

DELAYS = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a child that died is started again: the first time, the second, … and from then on the last."""

STEADY = 30.0
"""Seconds after which a child counts as well again: the next death is a first one."""


class Console:
    """The terminal, shared by all children: whole lines only, each with the name of who wrote it."""

    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.lock = threading.Lock()
        self.width = 8

    def say(self, name: str, line: str) -> None:
        """Print one line. A terminal that is gone is no reason to end: the log files have it all."""
        with self.lock, suppress(BrokenPipeError, OSError):
            self.stream.write(f"{name:{self.width}}| {line}\n")
            self.stream.flush()

    def plain(self, line: str) -> None:
        """Print one line of the supervisor's own, without a name before it."""
        with self.lock, suppress(BrokenPipeError, OSError):
            self.stream.write(f"{line}\n")
            self.stream.flush()


class LogFile:
    """A file that grows line by line up to about twice `LOG_LIMIT`."""

    def __init__(self, path: Path):
        self.path = path
        self.lock = threading.Lock()
        path.parent.mkdir(exist_ok=True)
        self.file = path.open("ab")

    def write(self, line: bytes) -> None:
        with self.lock:
            if self.file.tell() > LOG_LIMIT:
                self.file.close()
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self.file = self.path.open("ab")
            self.file.write(line)
            self.file.flush()

    def close(self) -> None:
        with self.lock:
            self.file.close()


def how_it_ended(returncode: int) -> str:
    """An exit code of `subprocess` in words."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


class Child:
    """A process that is to run for as long as the site does.

    Args:
        name: short; stands before its lines and in the name of its log file.
        argv: the command.
        environment: its whole environment.
        folder: where its log file goes; made if missing.
        console: where its lines go.
        watch: called with the process group after each start and, with False, after its end.
    """

    def __init__(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], folder: Path, console: Console, watch
    ):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.environment = environment
        self.console = console
        self.watch = watch
        self.log = LogFile(folder / f"{name}.log")
        self.process: subprocess.Popen | None = None
        self.reader: threading.Thread | None = None
        self.started = 0.0
        self.deaths = 0
        self.start_at: float | None = None

    def start(self) -> None:
        """Start it now, in the repository's folder."""
        self.start_at = None
        self.started = time.monotonic()
        # A session of its own: Ctrl-C on the terminal is the supervisor's to pass on, and what the child started can
        # be ended with it as one process group.
        self.process = subprocess.Popen(
            self.argv,
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.watch(self.process.pid, True)
        self.reader = threading.Thread(target=self._pass_on, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _pass_on(self, pipe) -> None:
        with pipe:
            for line in pipe:
                self.log.write(line)
                self.console.say(self.name, line.decode(errors="replace").rstrip("\r\n"))

    def look(self) -> None:
        """Notice that it died, and start it again when its time has come."""
        if self.start_at is not None:
            if time.monotonic() >= self.start_at:
                self.start()
            return
        if self.process.poll() is None:
            return
        self.clear_up()
        if time.monotonic() - self.started > STEADY:
            self.deaths = 0
        delay = DELAYS[min(self.deaths, len(DELAYS) - 1)]
        self.deaths += 1
        self.start_at = time.monotonic() + delay
        again = "now" if not delay else f"in {delay:g} s"
        self.console.plain(f"{self.name} ended ({how_it_ended(self.process.returncode)}); starting it again {again}")

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        """Ask it to end; what it started it ends itself."""
        if self.running:
            self.process.terminate()

    def clear_up(self) -> None:
        """End what it left behind in its process group, itself included."""
        if self.process is not None:
            guard.send(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.watch(self.process.pid, False)
            # Its last lines; not for ever, in case something outside the group still has the pipe.
            self.reader.join(1.0)


def run_to_end(name: str, argv: Sequence[str], environment: Mapping[str, str], console: Console) -> int:
    """Run one command to its end with its lines on the terminal; gives its exit code. An interruption ends it too."""
    process = subprocess.Popen(
        [str(word) for word in argv],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        with process.stdout:
            for line in process.stdout:
                console.say(name, line.decode(errors="replace").rstrip("\r\n"))
        return process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
