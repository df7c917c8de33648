"""Who this process is: in claims, leases and signs of life."""

import os
import socket
from functools import cache
from uuid import uuid4

HOST = socket.gethostname()
"""The name of this machine, as local scheduler rows and processes are marked with."""


@cache
def _for_process(pid: int) -> str:
    return f"{HOST}:{pid}:{uuid4().hex[:8]}"


def holder() -> str:
    """host:pid:random. A forked child is another holder than its parent; so is a later process with the same pid."""
    return _for_process(os.getpid())
