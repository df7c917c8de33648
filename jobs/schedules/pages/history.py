"""The history of a schedule, page by page, and what of it is asked for."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.utils.http import urlencode

from jobs.paging import number
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.due import moment_of
from jobs.schedules.models import Execution, Schedule
from jobs.status import FINAL, Status

SIZE = 50
LATEST = 4_102_444_800_000_000
"""No moment of a key lies beyond it: the year 2100."""

_RAN = Q(state=Execution.State.RAN)
_JOB_OVER = Q(job=None) | Q(job__status_code__in=FINAL)
_JOB_BAD = Q(job__status_code__in=[Status.ERROR, Status.ABORTED, Status.VARIOUS_COMPLETE])
_BAD = ~Q(exit_code=0) | _JOB_BAD
OUTCOMES = {
    "ran": _RAN & _JOB_OVER & ~_BAD,
    "failed": _RAN & _BAD,
    "running": Q(state=Execution.State.RUNNING) | (_RAN & ~_JOB_OVER),
    "due": Q(state=Execution.State.DUE),
    "skipped": Q(state=Execution.State.SKIPPED),
    "missed": Q(state=Execution.State.MISSED),
}
"""Of a schedule of jobs, what became of the job counts."""


@dataclass(frozen=True)
class History:
    """A page of executions, the newest first.

    Attributes:
        rows: on it.
        outcome: only such; empty: all.
        agent: only of the agent of that name; empty: of all.
        key: what of the page before it begins after; empty on the first.
        next_key: of the next page; empty on the last.
    """

    rows: list[Execution]
    outcome: str = ""
    agent: str = ""
    key: str = ""
    next_key: str = ""

    @property
    def signature(self) -> list[tuple]:
        """What is another one when it has to be shown anew."""
        return [(str(one.pk), one.status_display, one.reason, one.is_late) for one in self.rows]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Each outcome that can be asked for, the query that asks for it, and whether it is the one that is shown."""
        return [(name or "all", self._query(outcome=name), name == self.outcome) for name in ("", *OUTCOMES)]

    @property
    def of_all_agents(self) -> str:
        """The query without the agent."""
        return self._query(agent="")

    @property
    def newest(self) -> str:
        """The query of the first page."""
        return self._query()

    @property
    def older(self) -> str:
        """The query of the next page; empty on the last."""
        return self._query(before=self.next_key) if self.next_key else ""

    def _query(self, **changed) -> str:
        asked = {"outcome": self.outcome, "agent": self.agent, **changed}
        return "?" + urlencode({name: value for name, value in asked.items() if value})


def history_of(request: HttpRequest, schedule: Schedule) -> History:
    """The page of a schedule's history that a request asks for: `outcome`, `agent`, and `before`, a key."""
    rows = schedule.executions.without_output().select_related("agent", "job").order_by("-due", "-pk")
    outcome, agent = request.GET.get("outcome", ""), request.GET.get("agent", "").replace("\0", "")
    if outcome in OUTCOMES:
        rows = rows.filter(OUTCOMES[outcome])
    else:
        outcome = ""
    if agent:
        rows = rows.filter(agent__name=agent)
    asked = request.GET.get("before", "")
    key = _key(asked)
    if key is not None:
        rows = rows.filter(Q(due__lt=key[0]) | Q(due=key[0], pk__lt=key[1]))
    found = list(rows[: SIZE + 1])
    following = ""
    if len(found) > SIZE:
        last = found[SIZE - 1]
        following = f"{microseconds(last.due)}_{last.pk}"
    return History(found[:SIZE], outcome, agent, "" if key is None else asked, following)


def _key(text: str):
    moment, _, pk = text.partition("_")
    try:
        found = number(moment)
        return None if found is None or found > LATEST else (moment_of(found), UUID(pk))
    except ValueError:
        return None
