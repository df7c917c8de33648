"""Watching a pool's queue: one query a look, mostly for what changed since the one before.

Changes are asked for by the schedd's own clock (`EnteredCurrentStatus`), so this host's clock does not matter. What a
delta cannot show (a job that is gone, a schedd whose clock was set back, one that was set up anew) a look at the whole
queue does, every `full_interval` seconds. HTCondor's manual asks for at most one such look a minute.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from jobs import clock
from jobs.condor.answers import OVERLAP, PROJECTION, REMOVED, SUSPENDED, QueueView
from jobs.condor.classads import quoted
from jobs.condor.models import CondorScheduler
from jobs.condor.reach import Reach
from jobs.condor.submission.description import DAYS_IN_QUEUE
from jobs.condor.workflows import answers as workflows
from jobs.conf import conf
from jobs.engine import Handle, Poll, Report, Watched

SHARE = 0.05
"""Of a schedd's time so much may go into answering us: after an answer that took a second comes a pause of twenty."""
CLOCKS = timedelta(hours=1)
"""How far a schedd's clock may be behind this host's, where its history is searched."""
STAY = timedelta(days=DAYS_IN_QUEUE)
"""How long a job may stay in the queue after its end; also the schedd's own rule for spooled jobs of others."""
MOST_MISSING = 100
"""Jobs that a whole look lacked are asked for by name in the next; where they are more, the whole is looked at again."""


QUESTION = (*PROJECTION, *workflows.PROJECTION)
"""What every look asks for."""


class Watch:
    """What this process knows of one scheduler's queue. It may be lost: the next look is a whole one then."""

    def __init__(self):
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.id = uuid4().hex
        self.view = QueueView()
        self.workflows = workflows.WorkflowsView()
        self.number = 0
        self.told: set[str] = set()
        self.last_full = 0.0
        self.full_took = 0.0
        self.absent: list[str] = []

    def poll(self, scheduler: CondorScheduler, reach: Reach, cursor, watched: Sequence[Watched]) -> Poll:
        """Ask once, and say what is new of the watched jobs."""
        if not isinstance(cursor, dict) or cursor.get("watch") != self.id:
            self._begin_anew()
        elif cursor.get("number") != self.number:
            # Our last answer was not written down: all that it said is said again.
            self.told.clear()
            self.workflows.forget_told()
        now = clock.now().timestamp()
        pause = max(scheduler.full_interval, self.full_took / SHARE)
        whole = self.view.latest is None or not 0 <= now - self.last_full < pause or len(self.absent) > MOST_MISSING
        began = time.monotonic()
        ads = reach.query(self._constraint(whole), QUESTION)
        took = time.monotonic() - began
        changed = self.view.apply(ads, full=whole) | self.workflows.apply(ads, full=whole)
        if whole:
            self.last_full, self.full_took = now, took
            self.told.clear()
            self.view.keep(watch.tag for watch in watched)
            self.workflows.keep(watch.tag for watch in watched)
        self.told -= changed
        by_name, self.absent = bool(self.absent) and not whole, []
        # Who was asked for by name and is not there is missing; the others are as the last whole look and the deltas say.
        named = [report for watch in watched if (report := self._report(watch)) is not None] if by_name else None
        reports = self._reports(watched) if named is None else named
        full = whole or by_name
        if whole:
            seen = {report.tag for report in reports}
            self.absent = [watch.tag for watch in watched if watch.tag not in seen]
        self.number += 1
        return Poll(reports, {"watch": self.id, "number": self.number}, full, pause=took / SHARE)

    def _constraint(self, whole: bool) -> str:
        ours = self._ours()
        if whole:
            return ours
        # Being suspended, or ended after a removal, is no change of status to HTCondor.
        quiet = f"JobStatus == {SUSPENDED} || LastJobStatus == {SUSPENDED} || JobStatus == {REMOVED}"
        changed = f"{ours} && (EnteredCurrentStatus >= {self.view.latest - OVERLAP} || {quiet})"
        return " || ".join([f"({changed})", *(f"JobdeckTag == {quoted(tag)}" for tag in self.absent)])

    def _ours(self) -> str:
        return f"JobdeckInstance == {quoted(conf.INSTANCE)}"

    def _reports(self, watched: Sequence[Watched]) -> list[Report]:
        """What is to be said: of jobs that changed, and of those that were never spoken of."""
        reports = []
        for watch in watched:
            if watch.tag not in self.told:
                report = self._report(watch)
                if report is not None:
                    reports.append(report)
                    self.told.add(watch.tag)
        return reports

    def _report(self, watch: Watched) -> Report | None:
        said = self.view.report(watch.tag, external_id=watch.external_id, was=watch.status)
        if said is not None:
            said = self.workflows.extended(said)
            self.view.remember(said)
        return said

    def resolve(self, reach: Reach, handles: Sequence[Handle], since: datetime | None, processes: int) -> list[Report]:
        """Look for jobs in the schedd's history, and once more in its queue, where a part of their processes may be.

        Args:
            since: when the oldest of them was submitted, by this host's clock: the history is read no further back.
            processes: how many processes they have in all: when so many are found, the history is read no further.
        """
        # The latest to leave the queue come first, however long they were in it. One that ended earlier than a spooled job
        # may stay after its end has left before any of ours was submitted.
        bound = f"EnteredCurrentStatus < {int((since - CLOCKS - STAY).timestamp())}" if since else ""
        named = " || ".join(f"JobdeckTag == {quoted(handle.tag)}" for handle in handles)
        which = named if len(handles) <= MOST_MISSING else self._ours()
        past = reach.history(which, PROJECTION, match=processes if which is named else -1, since=bound)
        for ad in past:
            ad.pop("RemoteHost", None)  # out of the queue it is over, even if it was thrown out while it ran
        view = QueueView()
        view.apply([*past, *reach.query(which, PROJECTION)], full=False)
        return [report for handle in handles if (report := _found(view, handle)) is not None]


def _found(view: QueueView, handle: Handle) -> Report | None:
    return view.report(handle.tag, external_id=handle.external_id, lost_are_errors=True)
