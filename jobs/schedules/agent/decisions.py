"""What becomes of each due time: run, skipped or missed. Decided once, and kept before anything is done about it."""

import heapq
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from jobs.faultpoints import FaultPoint
from jobs.processes.identity import boot_id
from jobs.schedules.agent.commands import NotAllowedError, Rules
from jobs.schedules.agent.records import LeftOut, Open
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.timetable import SECOND, FrequencyError, Timetable, execution_id, zone_of

DECIDE = FaultPoint("agent.decide")

LATE = 5 * SECOND
"""A due time that is longer ago when the agent looks passed while it, or its host, was down."""
_ABSENT = "the agent was not there at that time"

log = logging.getLogger("jobdeck-agent")


def check(document: dict) -> None:
    """See that a schedule says what is needed to run it.

    Raises:
        ValueError: it does not.
    """
    missing = {"id", "argv", "shell", "zone", "timeout", "overlap", "missed", "keep"} - set(document)
    if missing or not (document["shell"] or document["argv"]):
        raise ValueError(f"it does not say {', '.join(sorted(missing)) or 'what to run'}")


class _Planned:
    """A schedule, and how far it is."""

    def __init__(self, document: dict, handled: int):
        self.document = document
        self.id: str = document["id"]
        check(document)
        self.timetable = Timetable(document["frequency"], document["zone"], document["start"], document["end"])
        self.handled = max(handled, document["since"])


class Decisions:
    """Decides about due times as they come.

    Args:
        store: where decisions are kept.
        agent: its id.
        rules: say what may run here.
        is_open: executions of a schedule that are not over, as a mapping from its id; kept up to date by the caller.
    """

    def __init__(self, store: Store, agent: str, rules: Rules, is_open: dict[str, dict[str, Open]]):
        self._store, self._agent, self._rules, self._open = store, UUID(agent), rules, is_open
        self._planned: dict[str, _Planned] = {}
        self._dues: list[tuple[int, int, _Planned]] = []
        self._count = 0

    def load(self) -> None:
        """Look into the store for which schedules there are."""
        self._planned = {}
        self._dues = []
        for document, handled in self._store.schedules():
            try:
                planned = _Planned(document, handled)
            except (FrequencyError, KeyError, TypeError, ValueError) as error:
                log.error(
                    "the schedule %s (%s) cannot be run here: %s", document.get("name"), document.get("id"), error
                )
                continue
            self._planned[planned.id] = planned
            self._plan(planned)

    def _plan(self, planned: _Planned) -> None:
        due = planned.timetable.after(planned.handled)
        if due is not None:
            self._count += 1
            heapq.heappush(self._dues, (due, self._count, planned))

    def next_due(self) -> int | None:
        """When there is something to decide."""
        return self._dues[0][0] if self._dues else None

    def decide(self, now: int, never_started: Iterable[Open] = ()) -> list[Open]:
        """Settle all due times up to now.

        Args:
            never_started: what was decided to run before the agent was ended, and was not started.

        Returns: what is to be run, in this order.
        """
        marks: dict[str, int] = {}
        run: list[Open] = []
        left_out: list[LeftOut] = []
        again: dict[str, list[Open]] = {}
        for one in never_started:
            if one.asked:
                run.append(one)
            else:
                again.setdefault(one.schedule, []).append(one)
        due_now = dict.fromkeys(self._pop(now))
        for planned in [*due_now, *(self._planned[id] for id in again if id in self._planned)]:
            if planned.id in marks:
                continue
            dues = planned.timetable.last(planned.handled, now, planned.document["keep"])
            before = again.pop(planned.id, [])
            self._settle(planned, before, dues, now, run, left_out)
            planned.handled = max([planned.handled, *dues])
            marks[planned.id] = planned.handled
        for one in (one for ones in again.values() for one in ones):
            left_out.append(_left_out(one, "missed", "its schedule was ended before it could be started"))
        if marks or left_out:
            with DECIDE:
                self._store.decide(marks, run, left_out, now)
        for planned in due_now:
            self._plan(planned)
        for one in left_out:
            self._open.get(one.schedule, {}).pop(one.id, None)
        return run

    def ask(self, wanted: Iterable[Open], now: int) -> list[Open]:
        """Settle executions that a person asked for; what is to be run of them."""
        run, left_out = [], []
        for one in wanted:
            reason = self._against(one.document, one.schedule)
            if reason:
                left_out.append(_left_out(one, "skipped", reason))
            else:
                run.append(one)
                self._open.setdefault(one.schedule, {})[one.id] = one
        with DECIDE:
            self._store.decide({}, run, left_out, now)
        return run

    def _pop(self, now: int) -> Iterable[_Planned]:
        while self._dues and self._dues[0][0] <= now:
            yield heapq.heappop(self._dues)[2]

    def _settle(self, planned, before: list[Open], dues: list[int], now: int, run: list, left_out: list) -> None:
        """Of one schedule: what was decided before and never started, and what is due now."""
        document = planned.document
        ones = before + [self._made(planned, due) for due in dues]
        if ones and ones[0].due < now - LATE:
            # One run, late, does for all.
            all_missed = [one for one in ones if one.due < now - LATE]
            missed = all_missed if document["missed"] == "none" else ones[:-1]
            left_out += [_left_out(one, "missed", _ABSENT) for one in missed]
            ones = ones[len(missed) :]
        for one in ones:
            self._open.get(planned.id, {}).pop(one.id, None)
        for one in ones:
            reason = self._against(document, planned.id)
            if reason:
                left_out.append(_left_out(one, "skipped", reason))
            else:
                run.append(one)
                self._open.setdefault(planned.id, {})[one.id] = one

    def _made(self, planned: _Planned, due: int) -> Open:
        execution = str(execution_id(UUID(planned.id), self._agent, due))
        return Open(execution, planned.id, due, False, planned.document, boot_id())

    def _against(self, document: dict, schedule: str) -> str:
        """Why a due time is skipped; empty where it is not."""
        try:
            self._rules.program(document)
        except NotAllowedError as error:
            return str(error)
        others = self._open.get(schedule)
        if others and document["overlap"] == "skip":
            first = min(others.values(), key=lambda one: one.due)
            return f"the execution of {_time_of_day(first.due, document['zone'])} is not over"
        return ""


def _left_out(one: Open, state: str, reason: str) -> LeftOut:
    return LeftOut(one.id, one.schedule, one.due, state, reason, one.asked)


def _time_of_day(due: int, zone: str) -> str:
    try:
        shown = datetime.fromtimestamp(due // SECOND, zone_of(zone))
    except FrequencyError:
        shown = datetime.fromtimestamp(due // SECOND, UTC)
    return f"{shown:%H:%M:%S}"
