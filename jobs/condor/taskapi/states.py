"""How the task API shows a job: pure functions of its row and its task's.

States are those of seed 000: 0 queued, 1 submitted, 2 completed, 3 completed with error, 4 timed out, -1 ignored.
"""

from dataclasses import dataclass
from datetime import datetime

from jobs.status import ACTIVE, Status

QUEUED, SUBMITTED, COMPLETED, FAILED, TIMED_OUT, IGNORED = 0, 1, 2, 3, 4, -1
_GOES_ON = ACTIVE | {Status.RESULTS_READY}
_FAILED = frozenset({Status.ERROR, Status.VARIOUS_COMPLETE})
STATUSES_OF = {QUEUED: _FAILED | {Status.PENDING}, COMPLETED: frozenset({Status.COMPLETE})}
"""Statuses that jobs may have whose tasks are in that state."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What states follow from.

    Attributes:
        status, attempt: of the job.
        submissions, expires, expired_attempt, ignored_attempt, settled: see `HtcTask`.
    """

    status: str
    attempt: int
    submissions: int
    expires: datetime | None = None
    expired_attempt: int = 0
    ignored_attempt: int = 0
    settled: bool = False

    @property
    def used(self) -> int:
        """Submissions so far."""
        return self.attempt - (self.status == Status.PENDING)

    @property
    def retries_left(self) -> int:
        """Submissions that it may still have; each takes one."""
        return max(0, self.submissions - self.used)

    def is_past(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= now

    @property
    def is_given_up(self) -> bool:
        """Whether nothing more is to be tried."""
        return self.attempt in (self.expired_attempt, self.ignored_attempt)

    def is_to_be_tried_again(self, now: datetime) -> bool:
        """Whether it has failed and is submitted again by itself; one that was settled belongs to who ran it since."""
        due = self.status in _FAILED and self.retries_left > 0 and not self.settled
        return due and not self.is_given_up and not self.is_past(now)

    def state(self, now: datetime) -> int:
        """Its state. One that is to be tried again is queued: a client that waits for the end must not stop there."""
        if self.status == Status.COMPLETE:
            return COMPLETED
        if self.status in _GOES_ON:
            return SUBMITTED
        if self.attempt == self.expired_attempt:
            return TIMED_OUT
        if self.attempt == self.ignored_attempt or self.status == Status.ABORTED:
            return IGNORED
        if self.status == Status.PENDING or self.is_to_be_tried_again(now):
            return QUEUED
        return FAILED

    def step(self, now: datetime, *, is_wanted: bool) -> str:
        """What is to be done about it now: 'run', 'resubmit', 'expire', 'settle', or nothing.

        Args:
            is_wanted: something is asked for and under way already.
        """
        if self.status in _GOES_ON | {Status.PENDING} and self.is_past(now) and not self.is_given_up:
            return "expire"
        if self.status == Status.PENDING and self.retries_left and not is_wanted and not self.is_given_up:
            return "run"
        if self.is_to_be_tried_again(now):
            return "" if is_wanted else "resubmit"
        over = self.status not in _GOES_ON | {Status.PENDING}
        return "settle" if over and not is_wanted else ""
