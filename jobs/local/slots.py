"""Which waiting command starts next: at most so many at once on this machine, users in turn."""

import logging
from collections import Counter
from collections.abc import Callable
from subprocess import Popen

from jobs.conf import conf
from jobs.engine import make_tag
from jobs.faultpoints import FaultPoint
from jobs.local.attempts import AttemptFolder, start_runner
from jobs.models import job_rows
from jobs.status import Status

log = logging.getLogger(__name__)

START = FaultPoint("monitor.start_runner")


class Slots:
    """Starts runners. What it remembers, it may forget: an attempt's folder is taken by the first runner only."""

    def __init__(self):
        self._started: dict[str, Popen] = {}
        self._served: dict[int, int] = {}
        self._turn = 0

    def has_started(self, tag: str) -> bool:
        """Whether this process has started a runner for the attempt."""
        return tag in self._started

    def start_waiting(self, scheduler, folder_of: Callable[[str], AttemptFolder]) -> None:
        """Start as many waiting commands of this scheduler as there are free slots."""
        waiting = self._waiting(scheduler)
        self._forget_started({make_tag(row["uuid"], row["attempt"]) for row in waiting}, folder_of)
        busy = job_rows().filter(scheduler=scheduler, status_code__in=[Status.RUNNING, Status.PAUSED])
        running = Counter(busy.values_list("user_id", flat=True))
        free = conf.LOCAL_SLOTS - sum(running.values())
        if free <= 0:
            return
        starting = [row for row in waiting if make_tag(row["uuid"], row["attempt"]) in self._started]
        running.update(row["user_id"] for row in starting)
        free -= len(starting)
        candidates = [row for row in waiting if row not in starting]
        while free > 0 and candidates:
            row = min(
                candidates, key=lambda row: (running[row["user_id"]], self._served.get(row["user_id"], 0), row["id"])
            )
            candidates.remove(row)
            if self._start(row, folder_of):
                running[row["user_id"]] += 1
                self._turn += 1
                self._served[row["user_id"]] = self._turn
                free -= 1

    def _forget_started(self, waiting: set[str], folder_of: Callable[[str], AttemptFolder]) -> None:
        """Forget runners that ended, but not before the database knows how far their attempts came.

        Until then `has_started` has to say that such an attempt, though it waits by the database, is to be looked at. One
        that ended without having taken its attempt is forgotten too: another one has to be started.
        """
        for tag, runner in list(self._started.items()):
            if runner.poll() is not None and not (tag in waiting and folder_of(tag).claimed):
                del self._started[tag]

    def _waiting(self, scheduler) -> list[dict]:
        rows = job_rows().filter(scheduler=scheduler, status_code=Status.SUBMITTED).order_by("execute_time", "id")
        return list(rows.values("id", "uuid", "attempt", "user_id"))

    def _start(self, row: dict, folder_of: Callable[[str], AttemptFolder]) -> bool:
        tag = make_tag(row["uuid"], row["attempt"])
        folder = folder_of(tag)
        if folder.claimed or folder.spec() is None:
            return False
        try:
            with START:
                self._started[tag] = start_runner(folder.path)
        except OSError as error:
            log.warning("job %s: its runner could not be started: %s", row["id"], error)
            return False
        return True
