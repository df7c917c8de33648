"""The agent's folder: its database, the files of what runs, and the lock that keeps a second agent out."""

import fcntl
import os
from pathlib import Path


class FolderError(Exception):
    """The folder cannot be used; says why, and what to do."""


class DataFolder:
    """Where an agent keeps what it knows; readable for its own account only.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path):
        self.path = path.expanduser().absolute()
        self.database = self.path / "agent.sqlite3"
        self.runs = self.path / "runs"
        self.bell = self.path / "bell"
        self._lock: int | None = None

    def make(self) -> None:
        """Make it where it is not there.

        Raises:
            FolderError: it cannot be made, or is another account's.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = self.path.stat()
            if state.st_uid != os.geteuid():
                raise FolderError(f"{self.path} belongs to another account; give another folder with --data")
            if state.st_mode & 0o077:
                self.path.chmod(0o700)
            self.runs.mkdir(mode=0o700, exist_ok=True)
            if not self.bell.is_fifo():
                self.bell.unlink(missing_ok=True)
                os.mkfifo(self.bell, 0o600)
        except OSError as error:
            raise FolderError(
                f"{self.path} cannot be used: {error.strerror}; give another folder with --data"
            ) from error

    def lock(self) -> None:
        """Keep others out until this process ends.

        Raises:
            FolderError: an agent works in it.
        """
        if not self.try_lock():
            raise FolderError(
                f"an agent works with {self.path} already; end it first, or give this one a folder of its own with --data"
            )

    def try_lock(self) -> bool:
        """The same, and whether it came to be."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def unlock(self) -> None:
        """Let others in again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
