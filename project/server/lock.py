"""One site per data folder: a lock that ends with the processes that hold it."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

GIVE_WAY = 1.0
"""Seconds for which taking the lock is tried: another start may be looking at it at this moment."""


@dataclass(frozen=True)
class Holder:
    """Who has a data folder: the supervisor's process id and the site's URL."""

    pid: int
    url: str

    @property
    def alive(self) -> bool:
        """Does that supervisor still run? If not, what it started is just being ended."""
        if not self.pid:  # it had not yet written who it is
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # somebody else's process
            return True
        return True


class FolderTaken(Exception):
    """Another site runs on this data folder; `holder` says which."""

    def __init__(self, holder: Holder):
        super().__init__(holder)
        self.holder = holder


class FolderLock:
    """An exclusive lock on a data folder, in `run.lock`.

    The kernel keeps it for as long as any process has the open file (here the supervisor and its guard), so that it
    needs no clearing up after a crash and says nothing false after one.
    """

    def __init__(self, data_dir: Path):
        self.path = data_dir / "run.lock"
        self.descriptor: int | None = None

    def holder(self) -> Holder | None:
        """Who has the folder now; None if it is free or does not exist. Touches nothing."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._read(descriptor)
        finally:
            os.close(descriptor)
        return None

    def take(self, url: str) -> None:
        """Take the lock and write who has it. The folder must exist.

        Raises:
            FolderTaken: another process has it.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + GIVE_WAY
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = self._read(descriptor)
                    os.close(descriptor)
                    raise FolderTaken(holder) from None
                time.sleep(0.05)
            else:
                break
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(Holder(os.getpid(), url))).encode(), 0)
        self.descriptor = descriptor

    def release(self) -> None:
        """Give the folder up (the guard has ended by then)."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    @staticmethod
    def _read(descriptor: int) -> Holder:
        # Between taking the lock and writing into it the file is empty, or still names the one before.
        with suppress(ValueError, KeyError, TypeError):
            return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
        return Holder(0, "")
