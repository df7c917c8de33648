"""The processes of a task's command: ended as a whole, and gone when the worker is gone."""

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PROCESSES = Path("/proc")


def _prctl():
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return prctl


_PRCTL = _prctl()


def die_with_parent() -> Callable[[], None] | None:
    """What a forked child calls so that it is killed when the worker is; None where the system has no such thing.

    Else the command of a worker that was killed would go on, while another worker computes its task again.
    """
    if _PRCTL is None:
        return None
    parent = os.getpid()

    def in_child() -> None:
        _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(127)

    return in_child


class Tree:
    """A command and all that it has started.

    Args:
        pid: of the command, which leads a process group of its own.
        mark: `NAME=value`, in the environment of all its processes and of no other: what has left the group is found by it,
            on Linux.
    """

    def __init__(self, pid: int, mark: str):
        self._pid, self._mark = pid, os.fsencode(mark)

    def signal_group(self, number: int) -> None:
        """Signal the process group."""
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):  # PermissionError: on macOS, where only zombies are left
            return

    def signal_all(self, number: int) -> bool:
        """Signal the group and what has left it; whether any was found that had."""
        self.signal_group(number)
        strays = self._strays()
        for pid in strays:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue
        return bool(strays)

    def _strays(self) -> list[int]:
        found = []
        for folder in _PROCESSES.glob("[0-9]*"):
            pid = int(folder.name)
            try:
                environment = (folder / "environ").read_bytes()
                if self._mark in environment.split(b"\0") and os.getpgid(pid) != self._pid:
                    found.append(pid)
            except OSError:  # another person's, or over
                continue
        return found
