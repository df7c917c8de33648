"""Waiting for a job with an open request: a few at a time, and none of them holds a database connection."""

import threading
import time

from django.db import connections

from jobs.conf import conf
from jobs.models import job_rows
from jobs.status import FINAL

LONGEST = 25.0
"""Seconds; proxies give up after thirty."""
STEP = 0.25

_waiting = 0
_lock = threading.Lock()


def has_room() -> bool:
    """Take a place among those who wait in this process; whether there was one. `leave` gives it back."""
    global _waiting
    with _lock:
        if _waiting >= conf.API_WAITERS:
            return False
        _waiting += 1
        return True


def leave() -> None:
    """Give the place back."""
    global _waiting
    with _lock:
        _waiting -= 1


def until_changed(job_id: int, status: str, attempt: int, seconds: float) -> None:
    """Wait until the job's status or attempt is another one, it is over or gone, or so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while True:
        row = job_rows().filter(pk=job_id, hidden=False).values_list("status_code", "attempt").first()
        if row is None or row != (status, attempt) or row[0] in FINAL or time.monotonic() >= deadline:
            return
        connections.close_all()
        time.sleep(min(STEP, max(0.0, deadline - time.monotonic())))
