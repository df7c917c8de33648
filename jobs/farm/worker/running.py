"""One task's command: started in a folder of its own, listened to, ended, and what it left."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .client import HandedOut, inside
from .tree import Tree, die_with_parent

log = logging.getLogger("jobdeck_worker")

GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""
TAIL = 4000
"""Bytes of what a command says last on its standard error, of which a failure's message is made."""
LAST_LINES = 20
RESULT = "result.json"
_PERCENT = re.compile(rb"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*")
_LONGEST_LINE = 4096
SECRETS = ("JOBDECK_TOKEN", "JOBDECK_USER", "JOBDECK_PASSWORD")
"""What commands do not inherit."""


class Scratch:
    """A task's folder: its input as `input.json`, its input files in `inputs`, and `results` for what it leaves."""

    def __init__(self, folder: Path, task: HandedOut):
        self.folder, self.task = folder, task
        self.input, self.inputs, self.results = folder / "input.json", folder / "inputs", folder / "results"

    def make(self, save_input: Callable[[HandedOut, str, Path], None]) -> None:
        """Make it, with what the task starts from.

        Raises:
            OSError: there is no room, or no right.
        """
        for folder in (self.folder, self.inputs, self.results):
            folder.mkdir()
        self.input.write_text(json.dumps(self.task.input))
        for name in self.task.input_files:
            path = inside(self.inputs, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_input(self.task, name, path)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill_in(self, words: Sequence[str]) -> list[str]:
        """A command with this task's values in it."""
        values = {
            "{task}": str(self.task.number),
            "{input}": str(self.input),
            "{inputs}": str(self.inputs),
            "{results}": str(self.results),
        }
        return [re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], word) for word in words]

    def environment(self) -> dict[str, str]:
        """What tells a command about the task."""
        return {
            "JOBDECK_TASK": str(self.task.number),
            "JOBDECK_INPUT": str(self.input),
            "JOBDECK_INPUTS": str(self.inputs),
            "JOBDECK_RESULTS": str(self.results),
        }

    # --- what the command left

    def result(self) -> Any:
        """What `result.json` says; None where there is none.

        Raises:
            ValueError: it is no JSON.
        """
        try:
            text = (self.results / RESULT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"its {RESULT} is no JSON: {error}") from error

    def files(self) -> list[tuple[str, Path]]:
        """The result files, by their names at the site; links are not followed."""
        found = []
        for folder, _, names in os.walk(self.results):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink() and path != self.results / RESULT:
                    found.append((path.relative_to(self.results).as_posix(), path))
        return sorted(found)


class Run:
    """A command that runs.

    Args:
        scratch: of its task, made.
        command: its words, with places for the task's values.
        timeout: seconds after which it is ended; None for never.

    Attributes:
        streams: its standard output and error, to be read without waiting.
        percent: the last line of its output that is a percentage.
        ending: why it is being ended by the worker: lost, timed out, given back; empty while it is not.
        exit_code: negative for a signal; None while it runs.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, scratch: Scratch, command: Sequence[str], timeout: float | None, environment: Mapping[str, str]):
        self.scratch, self.task, self.timeout = scratch, scratch.task, timeout
        self.percent: float | None = None
        self.ending = ""
        self.exit_code: int | None = None
        self.began = time.monotonic()
        self._tail, self._line = b"", b""
        self._kill_at = 0.0
        self._process = subprocess.Popen(
            scratch.fill_in(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, **scratch.environment()},
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        self._tree = Tree(self._process.pid, f"JOBDECK_RESULTS={scratch.results}")
        self.streams: tuple[BinaryIO, BinaryIO] = (self._process.stdout, self._process.stderr)
        for stream in self.streams:
            os.set_blocking(stream.fileno(), False)

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self.began

    def read(self, stream: BinaryIO) -> bool:
        """Take what it has said; False when it will say no more there."""
        return self._take(stream) != b""

    def _take(self, stream: BinaryIO) -> bytes | None:
        """What it has said there; None where that is nothing new, empty at the end."""
        try:
            data = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return None
        if stream is self.streams[1]:
            self._tail = (self._tail + data)[-TAIL:]
            return data
        *lines, self._line = re.split(rb"[\r\n]+", self._line + data)
        for line in lines if data else [self._line]:
            if (found := _PERCENT.fullmatch(line)) and float(found[1]) <= 100:
                self.percent = float(found[1])
        # Longer than any percentage: what follows of the line makes it none.
        self._line = self._line[:_LONGEST_LINE]
        return data

    # --- its end

    def has_ended(self) -> bool:
        """Whether it is over; what it has left running is ended with it, and so is what it says."""
        if self.exit_code is None and self._is_over():
            # Before its pid is free for another process to have.
            self._tree.signal_group(signal.SIGKILL)
            self.exit_code = self._process.wait()
            if self.ending:
                self._tree.signal_all(signal.SIGKILL)
            for stream in self.streams:
                # What it said at its end; bounded, because what has left its group may go on saying things.
                for _ in range(64):
                    if stream.closed or not self._take(stream):
                        break
                stream.close()
        return self.exit_code is not None

    def _is_over(self) -> bool:
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self, why: str) -> None:
        """Ask it to end, with all that it has started; `look` ends it after a grace."""
        if not self.ending:
            self.ending, self._kill_at = why, time.monotonic() + GRACE
            self._tree.signal_all(signal.SIGTERM)

    def kill(self) -> None:
        """End it, with all that it has started."""
        self.ending, self._kill_at = self.ending or "killed", 0.0
        self._tree.signal_all(signal.SIGKILL)

    def look(self) -> float | None:
        """End it where its time is over; seconds until it is to be looked at again, None for when something happens."""
        if self.ending:
            left = self._kill_at - time.monotonic()
            if left > 0:
                return left
            self.kill()
            return 0.2
        if self.timeout is None:
            return None
        left = self.timeout - self.seconds
        if left <= 0:
            self.end("timed out")
            return 0.05
        return left

    def outcome(self) -> tuple[str, str]:
        """How its task ended: the state, and a message for people."""
        if self.ending == "timed out":
            return "failed", self._explained(f"It ran longer than {self.timeout:g} s and was ended.")
        if self.exit_code == 0:
            return "done", ""
        if self.exit_code < 0:
            return "failed", self._explained(f"The command was ended by signal {_name_of(-self.exit_code)}.")
        return "failed", self._explained(f"The command ended with exit code {self.exit_code}.")

    def _explained(self, message: str) -> str:
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        return "\n".join([message, *lines])


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def environment_for_commands() -> dict[str, str]:
    """This process's environment without the login."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}
