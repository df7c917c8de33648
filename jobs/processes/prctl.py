"""What Linux lets a process ask for about itself (prctl(2)); where there is no such thing, it is not to be had."""

import ctypes
import os
import signal

_PDEATHSIG = 1  # these three from linux/prctl.h
_NAME = 15
_CHILD_SUBREAPER = 36


def _prctl():
    """The function of the C library, or None on a system that has none."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return prctl


_PRCTL = _prctl()


def adopt_orphans() -> bool:
    """Make this process the parent of every descendant that loses its own; False where the system cannot."""
    return _PRCTL is not None and _PRCTL(_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def die_with(parent: int) -> None:
    """Have this process killed when its parent dies; a change of account, which undoes it, comes before.

    Args:
        parent: pid of who forked it. If it is dead already, this process ends here.
    """
    if _PRCTL is None:
        return
    _PRCTL(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(127)


def call_this_process(name: str) -> None:
    """What `ps` and `top` show for it: at most 15 letters."""
    if _PRCTL is not None:
        buffer = ctypes.create_string_buffer(name.encode()[:15])
        _PRCTL(_NAME, ctypes.addressof(buffer), 0, 0, 0)
