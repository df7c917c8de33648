"""The guard: ends the supervisor's children should the supervisor itself be killed.

A child of `make run` cannot be told of the supervisor's death by SIGKILL in a way that every system knows, and its own
children (a web server's worker, a pool) would not hear of it either. So one small process waits at the end of a pipe
whose other end only the supervisor has. The kernel closes that end when the supervisor dies, however it dies; then the
guard ends the process groups it was told of: TERM first, KILL after `GRACE`. It also keeps the data folder's lock
open, so that the next start does not begin before the last one's processes are gone.

Run as a script by `Guard`; imports nothing but the standard library's `os`, `signal`, `sys` and `time`.
"""

import os
import signal
import sys
import time

GRACE = 10.0
"""Seconds between TERM and KILL."""


def gone(group: int) -> bool:
    """Has every process of this group ended?"""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # only processes that changed their user are left; nothing of ours
        return True
    return False


def send(group: int, signum: int) -> None:
    """Signal a whole process group; it may be gone already."""
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return


def end(groups: set[int], grace: float = GRACE) -> None:
    """End these process groups: TERM, and KILL for what is left after `grace` seconds."""
    for group in groups:
        send(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        groups = {group for group in groups if not gone(group)}
        if not groups:
            return
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def main() -> None:
    """Read `+group` and `-group` lines until the pipe's other end is closed, then end the groups that remain."""
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        if line[0] == "+":
            groups.add(number)
        else:
            groups.discard(number)
    end(groups)


if __name__ == "__main__":
    main()
