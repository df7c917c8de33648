"""Functions that process results, for the tests: each goes wrong in its own way, or takes its time."""

import os
import signal
import sys
import time

from jobs.workspaces import make_workspace
from tests.exampleapp.results import count


def killed_once(job):
    """Count, and be killed before the count is kept; well the second time."""
    count(job)
    marker = make_workspace(job) / "was killed"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def killed_always(job):
    """Be killed each time."""
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(job):
    """Count, and end the process as if all were well."""
    count(job)
    sys.exit(0)


def vanishes(job):
    """Count, and end the process without a word."""
    count(job)
    os._exit(0)


def hangs(job):
    """Come to no end."""
    time.sleep(600)


def thinks(job):
    """Take a while, then count."""
    folder = make_workspace(job)
    (folder / "thinking").touch()
    deadline = time.monotonic() + 20
    while folder.exists() and not (folder / "go on").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    count(job)


def reads_and_thinks(job):
    """Read first, take a while, then count: on SQLite that is what cannot be kept with others writing meanwhile."""
    list(job.groups.all())
    thinks(job)
