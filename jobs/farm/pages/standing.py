"""How far a run is, as its pages say it: from the totals that the monitor has folded."""

from dataclasses import dataclass, field
from datetime import datetime

from jobs import clock
from jobs.farm.models import FarmAttempt, Phase
from jobs.farm.totals import Totals, eta_of

LATE_AFTER = 10.0
"""Seconds; the monitor folds every second or two."""


@dataclass(frozen=True)
class Standing:
    """A run at the moment `as_of`; it differs from another one as soon as something that is shown does.

    Attributes:
        percent: the mean percentage, rounded down: what is not over never stands there as 100.
        rate: in words; empty where nothing has ended lately.
        eta: seconds until it has ended; None where nothing is known of that.
        as_of: when the totals were counted; None for a run that is not going on.
        told: the same, as far as it has to be said: where nobody has a task the totals do not become old.
        is_late: they should have been counted since.
    """

    num_tasks: int
    done: int = 0
    failed: int = 0
    computing: int = 0
    percent: float = 0.0
    rate: str = ""
    is_late: bool = False
    phase: str = ""
    generation: int = 0
    told: datetime | None = None
    eta: float | None = field(default=None, repr=False, compare=False)
    as_of: datetime | None = field(default=None, repr=False, compare=False)

    @property
    def waiting(self) -> int:
        """Tasks that nobody has and that have not ended."""
        return self.num_tasks - self.done - self.failed - self.computing

    @property
    def goes_on(self) -> bool:
        """Its attempt has not ended."""
        return self.phase in (Phase.OPEN, Phase.PAUSED)

    @property
    def tasks(self) -> str:
        """How many there are."""
        return f"{self.num_tasks:,}"

    @property
    def share(self) -> str:
        """The mean percentage as a person reads it."""
        return f"{self.percent:.1f}".removesuffix(".0") + " %"

    @property
    def counts(self) -> list[tuple[str, str]]:
        """Of tasks in each state: its word, and how many."""
        return [(name, f"{getattr(self, name):,}") for name in ("done", "failed", "computing", "waiting")]


def standing_of(attempt: FarmAttempt | None, num_tasks: int) -> Standing:
    """How far a run is; of one that was not started that all of its tasks wait."""
    if attempt is None:
        return Standing(num_tasks)
    totals = Totals(num_tasks, attempt.done, attempt.failed, attempt.computing, attempt.percent * num_tasks)
    goes_on = attempt.phase in (Phase.OPEN, Phase.PAUSED)
    age = (clock.now() - (attempt.folded or attempt.started)).total_seconds()
    return Standing(
        num_tasks,
        attempt.done,
        attempt.failed,
        attempt.computing,
        int(attempt.percent * 10 + 1e-6) / 10,
        rate_in_words(attempt.rate) if goes_on else "",
        goes_on and age > LATE_AFTER,
        attempt.phase,
        attempt.generation,
        attempt.folded if goes_on and attempt.computing else None,
        eta_of(attempt, totals),
        attempt.folded if goes_on else None,
    )


def rate_in_words(rate: float) -> str:
    """Tasks per second as a person would say it; empty for none in a day."""
    for seconds, unit in ((1, "second"), (60, "minute"), (3600, "hour"), (86400, "day")):
        number = rate * seconds
        if number >= 0.95:
            return f"{_rounded(number)} per {unit}"
    return ""


def _rounded(number: float) -> str:
    if number >= 9.95:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0")
