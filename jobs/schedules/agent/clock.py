"""The site's time on the agent's host: the host's own steady clock, and how far the site's is from it.

The host's wall clock may be wrong and may be set while the agent runs. It is only looked at after the host was started
anew while the site is away: then the time since the last answer of the site is known from nowhere else.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from jobs.processes.identity import boot_id

DRIFT = 100e-6
"""So many seconds a second two clocks may run apart; quartz is better than that."""
_MOST_ESTIMATES = 64
_FORGET = 3600 * 1_000_000
"""Microseconds after which an estimate is not looked at any more."""


def steady() -> int:
    """Microseconds that never go back, and go on while the host sleeps (where its system can tell)."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


def wall() -> int:
    """What the host takes for the time, in microseconds since 1970."""
    return time.time_ns() // 1000


class _Estimate(NamedTuple):
    offset: int
    """Of the site's time from the steady clock."""
    doubt: float
    """By so much it may be wrong, as it was made."""
    made: int

    def doubt_at(self, moment: int) -> float:
        return self.doubt + (moment - self.made) * DRIFT


class Clock:
    """Tells the site's time.

    Args:
        kept: what `keep` gave before the agent was started anew; None where there is nothing.
        steady, wall: the host's clocks.
    """

    def __init__(self, kept: dict | None = None, steady: Callable[[], int] = steady, wall: Callable[[], int] = wall):
        self._steady, self._wall = steady, wall
        self._lock = threading.Lock()
        self._estimates: deque[_Estimate] = deque(maxlen=_MOST_ESTIMATES)
        self.is_learnt = False
        """Whether the site has told the time since this agent began."""
        kept = kept or {}
        if kept.get("boot") == boot_id():
            self.offset = int(kept["steady"])
        else:
            self.offset = wall() - steady() + int(kept.get("wall", 0))

    def now(self) -> int:
        """The site's time."""
        return self._steady() + self.offset

    def steady(self) -> int:
        """The host's steady clock, for `learn`."""
        return self._steady()

    def learn(self, sent: int, received: int, now: int) -> None:
        """Take what the site said the time was.

        Args:
            sent, received: by `steady`, before the request and after its answer.
            now: the site's time somewhere between.
        """
        new = _Estimate(now - (sent + received) // 2, (received - sent) / 2 + 1, received)
        with self._lock:
            if self._estimates:
                best = min(self._estimates, key=lambda one: one.doubt_at(received))
                if abs(best.offset - new.offset) > best.doubt_at(received) + new.doubt:
                    # Both cannot be true: the site's clock was set.
                    self._estimates.clear()
            while self._estimates and self._estimates[0].made < received - _FORGET:
                self._estimates.popleft()
            self._estimates.append(new)
            self.offset = min(self._estimates, key=lambda one: one.doubt_at(received)).offset
            self.is_learnt = True

    def keep(self) -> dict:
        """What a later start needs to tell the time without the site."""
        return {"boot": boot_id(), "steady": self.offset, "wall": self.now() - self._wall()}
