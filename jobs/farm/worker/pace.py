"""How long tasks take, and how many to have at hand, so that short ones need not each wait for the site."""

HORIZON = 1.0
"""Seconds of work to have at hand: more would keep tasks from workers that have none."""
MOST = 500
_WEIGHT = 0.2


class Pace:
    """The pace of a worker.

    Args:
        slots: tasks that it does at a time.
    """

    def __init__(self, slots: int = 1):
        self._slots = slots
        self._mean: float | None = None

    def note(self, seconds: float) -> None:
        """Note how long a task took."""
        seconds = max(seconds, 1e-4)
        self._mean = seconds if self._mean is None else (1 - _WEIGHT) * self._mean + _WEIGHT * seconds

    @property
    def ahead(self) -> int:
        """Tasks to have at hand beside those that are being done: none where they take longer than a second."""
        if self._mean is None or self._mean >= HORIZON:
            return 0
        return min(int(self._slots * HORIZON / self._mean), MOST)
