"""An sshd of a test's own on the schedd's machine, which can be killed with all that it serves."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.local.conftest import eventually
from tests.project.site import free_port


class Sshd:
    """It listens on loopback at a port of its own.

    Args:
        folder: the chroot of the schedd's machine.

    Attributes:
        port: where.
    """

    def __init__(self, folder: str):
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        """Have it listen, at the same port as before."""
        options = ["ListenAddress=127.0.0.1", "UsePAM=no", "PidFile=none", "MaxStartups=100", "MaxSessions=50"]
        argv = ["chroot", self._folder, "/usr/sbin/sshd", "-D", "-p", str(self.port)]
        self._process = subprocess.Popen(
            [*argv, *(word for one in options for word in ("-o", one))], stdin=subprocess.DEVNULL
        )
        eventually(self._listens, within=20)

    def kill(self) -> None:
        """Kill it, and every process of the sessions that it has."""
        if self._process is None:
            return
        # Whoever stands still takes no new connection, and its children stay its own.
        self._process.send_signal(signal.SIGSTOP)
        for pid in [*_descendants(self._process.pid), self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
        return False


def _descendants(pid: int) -> list[int]:
    """All processes that come from one, as they are now."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, _, rest = status.read_text().partition(" (")
            children.setdefault(int(rest.rpartition(") ")[2].split()[1]), []).append(int(number))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
