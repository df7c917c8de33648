"""The strip of a schedule's last executions, and what is read for it: never an output."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q

from jobs.filters import among
from jobs.schedules.models import Execution, Schedule
from jobs.status import Status

MOST = 30
WORST = (Status.ERROR, Status.VARIOUS_COMPLETE, Status.ABORTED, Status.OTHER, Status.RUNNING)
"""What of several agents is told first."""

_OF_JOBS = ("job__status_code", "job__status_label")
READ = ("schedule_id", "due", "state", "exit_code", "started", "agent__name", *_OF_JOBS)
"""Of an execution, for its mark; a list reads 1,500 of them, each few seconds."""


@dataclass(frozen=True)
class Strip:
    """The last executions of a schedule, the newest last.

    Attributes:
        executions: at most `MOST`.
    """

    executions: tuple[Execution, ...] = ()

    @property
    def latest(self) -> list[Execution]:
        """Those of the newest due time of which more is known than that it is due; else of the newest."""
        known = [one for one in self.executions if one.state != Execution.State.DUE]
        newest = (known or list(self.executions))[-1:]
        return [one for one in known or self.executions if one.due == newest[0].due]

    @property
    def last(self) -> Execution | None:
        """The worst of the latest: one failure among a hundred agents shows."""
        ranks = {code: rank for rank, code in enumerate(WORST)}
        return min(self.latest, key=lambda one: ranks.get(one.status_code, len(WORST)), default=None)

    @property
    def share(self) -> str:
        """On how many of its agents it came out so; empty where there is only one."""
        last, latest = self.last, self.latest
        asked = [one for one in self.executions if last is not None and one.due == last.due]
        if last is None or len(asked) < 2:
            return ""
        alike = sum(one.status_display == last.status_display for one in latest)
        if len(asked) == MOST:
            # With more agents than there are marks, how many there are in all is not known here.
            return f"on {alike} of the last {MOST}"
        return f"on all {alike} agents" if alike == len(asked) else f"on {alike} of {len(asked)} agents"

    @property
    def summary(self) -> str:
        """It in words."""
        counts: dict[str, int] = {}
        for one in self.executions:
            word = one.status_display.lower()
            counts[word] = counts.get(word, 0) + 1
        return ", ".join(f"{count} {word}" for word, count in counts.items()) or "none yet"

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Status code and title of each."""
        return [(one.status_code, _title(one)) for one in self.executions]

    @property
    def goes_on(self) -> bool:
        """Whether the end of one of them is yet to come."""
        return any(one.state in Execution.OPEN for one in self.executions)

    @property
    def signature(self) -> tuple:
        """What is another one when it has to be shown anew."""
        return tuple((str(one.pk), one.status_display) for one in self.executions)


def strips(schedules: Sequence[Schedule]) -> dict[int, Strip]:
    """The strip of each schedule, in one query that reads as many rows as are shown."""
    newest = [
        Execution.objects.filter(schedule=schedule.pk).order_by("-due", "-pk").values("pk")[:MOST]
        for schedule in schedules
    ]
    if not newest:
        return {}
    rows = Execution.objects.filter(reduce(or_, (Q(among(some)) for some in newest)))
    found: dict[int, list[Execution]] = {}
    for one in rows.select_related("job", "agent").only(*READ).order_by("due", "agent__name", "pk"):
        found.setdefault(one.schedule_id, []).append(one)
    return {pk: Strip(tuple(some)) for pk, some in found.items()}


def _title(execution: Execution) -> str:
    where = f" on {execution.agent.name}" if execution.agent_id else ""
    return f"{execution.due:%Y-%m-%d %H:%M:%S} UTC{where}: {execution.status_display}"
