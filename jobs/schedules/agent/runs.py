"""The files of what runs: how agent and supervisor speak of one execution, also where one of them was ended meanwhile.

`runs/<id>` says what to run. The supervisor holds a lock on it as long as it is there, and adds a line before it starts
the command (`claim`) and one after. `runs/<id>.outcome` appears whole, before the lock goes. Who finds the lock free and
no outcome knows from the lines whether the command may have begun.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from jobs.processes.identity import ProcessId


@dataclass(frozen=True, slots=True)
class Trace:
    """What the file of an execution says.

    Attributes:
        supervisor: who has claimed it; None where nobody has, so that its command was never started.
        started: when the command was, by the site's clock; None where it is not known to have been.
    """

    supervisor: ProcessId | None = None
    started: int | None = None


class RunFile:
    """The files of one execution.

    Args:
        folder: `runs`.
        execution: its id.
    """

    def __init__(self, folder: Path | str, execution: str):
        self.path = f"{folder}/{execution}"
        self.outcome_path = f"{self.path}.outcome"
        self._handle: int | None = None

    # --- the agent

    def write(self, what: dict) -> None:
        """Say what to run."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, json.dumps(what).encode() + b"\n")
        finally:
            os.close(handle)

    def trace(self) -> Trace:
        """How far it is."""
        try:
            lines = Path(self.path).read_bytes().split(b"\n")[1:]
        except FileNotFoundError:
            return Trace()
        supervisor = started = None
        for line in lines:
            if not line:
                continue
            try:
                said = json.loads(line)
            except ValueError:
                continue  # the host went down while it was written
            if "supervisor" in said:
                supervisor = ProcessId(*said["supervisor"])
            started = said.get("started", started)
        return Trace(supervisor, started)

    def outcome(self) -> dict | None:
        """How it ended; None where it is not known."""
        try:
            return json.loads(Path(self.outcome_path).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            # It was made durable before it got its name.
            return {"exit_code": None, "reason": f"outcome unknown: {self.outcome_path} is damaged ({error})"}

    def remove(self) -> None:
        """Leave nothing."""
        for path in (self.path, self.outcome_path):
            Path(path).unlink(missing_ok=True)

    def is_there(self) -> bool:
        """Whether there is the file that says what to run."""
        return os.path.exists(self.path)  # noqa: PTH110 the path is a text

    def is_free(self) -> bool:
        """Whether nobody works with it."""
        if self.lock():
            self.release()
            return True
        return not self.is_there()

    # --- both

    def lock(self, *, waits: bool = False) -> bool:
        """Whether nobody else holds it, and it is there; then it is held until this process ends or `release`.

        Args:
            waits: for whoever holds it now; an agent that looks whether it is free does so for a moment.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It may have been removed between the two.
            if os.fstat(handle).st_ino != os.stat(self.path).st_ino:  # noqa: PTH116 the path is a text
                raise FileNotFoundError
        except (BlockingIOError, FileNotFoundError):
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Give the lock up."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    # --- the supervisor, which holds the lock

    def claim(self) -> dict | None:
        """What is to be run; None where it was claimed before, and may have been started."""
        with open(self._handle, "rb", closefd=False) as file:
            what, *rest = file.read().split(b"\n")
        if any(rest):
            return None
        self._add(supervisor=list(ProcessId.of(os.getpid())))
        return json.loads(what)

    def note_start(self, moment: int) -> None:
        """Say that the command was started."""
        self._add(started=moment)

    def finish(self, outcome: dict) -> None:
        """Say how it ended, once and for all.

        Raises:
            OSError: it could not be written.
        """
        temporary = f"{self.outcome_path}.part"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, json.dumps(outcome).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, self.outcome_path)  # noqa: PTH105 the paths are texts
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH120
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _add(self, **said) -> None:
        _write_all(self._handle, json.dumps(said).encode() + b"\n")


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
