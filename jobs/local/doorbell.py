"""The doorbell: a runner rings when something happened, so that the monitor need not look often to look soon.

A hint only: without it everything is found at the next look.
"""

import atexit
import contextlib
import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

from jobs.conf import conf


class Doorbell:
    """A datagram socket of this host and data folder, opened by whoever waits at it first."""

    def __init__(self):
        self._socket: socket.socket | None = None

    @property
    def path(self) -> str:
        """Where to ring. A short path: a socket's may have no more than about 100 bytes."""
        name = hashlib.sha256(os.fsencode(conf.data_dir)).hexdigest()[:16]
        return str(Path(tempfile.gettempdir()) / f"jobdeck-{os.getuid()}-{name}.ring")

    def wait(self, seconds: float) -> bool:
        """Sleep until it rings, at most `seconds`; whether it rang."""
        bell = self._socket or self._open()
        if bell is None:
            time.sleep(seconds)
            return False
        bell.settimeout(seconds)
        try:
            bell.recv(16)
        except TimeoutError:
            return False
        bell.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while bell.recv(16):
                pass
        return True

    def _open(self) -> socket.socket | None:
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                Path(self.path).unlink()
            bell.bind(self.path)
        except OSError:
            bell.close()
            return None
        self._socket = bell
        atexit.register(self._remove, Path(self.path).stat().st_ino)
        return bell

    def _remove(self, inode: int) -> None:
        """Take the socket's file away, unless it is another monitor's by now."""
        with contextlib.suppress(OSError):
            if Path(self.path).stat().st_ino == inode:
                Path(self.path).unlink()
