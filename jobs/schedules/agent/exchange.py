"""The agent's talk with its site: asks what there is to run, and reports what became of it, for as long as it takes."""

import getpass
import json
import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable

from jobs.faultpoints import FaultPoint
from jobs.schedules.agent.client import Client, Refused
from jobs.schedules.agent.clock import Clock, wall
from jobs.schedules.agent.commands import Rules
from jobs.schedules.agent.enrolment import host_facts
from jobs.schedules.agent.execution import Executions
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.transport import Away

APPLY = FaultPoint("agent.apply")
REPORTED = FaultPoint("agent.reported")

MOST_REPORTS = 500
MOST_REPORT_BYTES = 1_800_000
"""Of one report; the site takes 2 MB."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
REFUSED_PAUSE = 60.0
"""Seconds after which a site is asked again that does not know this agent."""
GATHERING = 0.1
"""Seconds that a report waits for others to go with it."""
MOST_POLL = 60.0
_LONGEST_REPORTING = 3.0

log = logging.getLogger("jobdeck-agent")


class Exchange(threading.Thread):
    """Speaks with the site.

    Args:
        changed: called when there are other schedules than before.
        asked: called with the documents of executions that persons asked for.
        stop: called with the ids of executions that are to be ended.
        listens: address at which the agent takes calls, or nothing.
        broken: called when it cannot go on, which it says itself.
    """

    def __init__(
        self, client: Client, store: Store, clock: Clock, executions: Executions, rules: Rules, site: str, name: str,
        listens: str, changed: Callable[[], None], asked: Callable[[list], None], stop: Callable[[list], None],
        broken: Callable[[], None],
    ):  # fmt: skip
        super().__init__(name="exchange", daemon=True)
        self._client, self._store, self._clock, self._executions = client, store, clock, executions
        self._rules, self._site, self._called, self._listens = rules, site, name, listens
        self._changed, self._asked, self._stop_executions, self._broken = changed, asked, stop, broken
        self._wakes = threading.Condition()
        self._ended = self._wants_sync = self._wants_report = False
        self._told_running: set[str] = set()
        self._poll = 1.0
        self._tries = 0
        self._most = MOST_REPORTS
        self._began: int | None = None
        self.tried = threading.Event()
        """Set when the site has answered, or has not."""

    def report_soon(self) -> None:
        """There is something to report."""
        with self._wakes:
            self._wants_report = True
            self._wakes.notify()

    def sync_soon(self) -> None:
        """There is something to ask."""
        with self._wakes:
            self._wants_sync = True
            self._wakes.notify()

    def end(self) -> None:
        """Ask no more."""
        with self._wakes:
            self._ended = True
            self._wakes.notify()

    def run(self) -> None:
        """Talk until `end`, or until something is wrong here."""
        try:
            self._talk_on()
        except sqlite3.Error as error:
            log.error("what the agent knows cannot be kept or read: %s", error)
        finally:
            self.tried.set()
            if not self._ended:
                self._broken()

    def _talk_on(self) -> None:
        while not self._ended:
            pause = self._talk(self._sync)
            self.tried.set()
            until = time.monotonic() + (pause or self._poll)
            while not self._ended and self._wait(until, waits_for_reports=pause is None):
                pause = self._talk(self._report)
                if pause is not None:
                    until = time.monotonic() + pause

    def _wait(self, until: float, waits_for_reports: bool) -> bool:
        """Until it is time for a sync (False) or for a report (True)."""
        with self._wakes:
            while not self._ended and (left := until - time.monotonic()) > 0:
                if self._tries == 0 and self._wants_sync:
                    break
                if self._tries == 0 and waits_for_reports and self._wants_report:
                    self._wakes.wait(GATHERING)
                    self._wants_report = False
                    return True
                self._wakes.wait(left)
            self._wants_sync = False
            return False

    def _talk(self, do: Callable[[], None]) -> float | None:
        """Do it; seconds to wait where the site is away or refuses."""
        try:
            do()
        except Away as error:
            if self._tries == 0:
                log.warning("%s does not answer (%s); it is asked again until it does", self._site, error)
            pause = min(FIRST_PAUSE * 2 ** min(self._tries, 10), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
            self._tries += 1
            return pause
        except Refused as error:
            log.error("%s refuses this agent: %s", self._site, error)
            if error.is_certain and error.status == 403 and error.code == "removed":
                self._give_up_schedules()
            self._tries += 1
            return REFUSED_PAUSE
        if self._tries:
            self._tries = 0
            log.warning("%s answers again", self._site)
        return None

    def _give_up_schedules(self) -> None:
        if self._store.schedules():
            log.error("it was removed there: its schedules are not run any more")
            self._store.take_schedules([], 0)
            self._changed()

    # --- sync

    def _sync(self) -> None:
        said = self._client.ask("sync", self._state())
        if self._began is None:
            self._began = self._clock.now()
            log.info("ready: agent %s of %s", self._called, self._site)
        self._poll = min(max(_number(said.get("poll"), 1.0), 0.05), MOST_POLL)
        self._executions.output_limit = int(_number(said.get("output_limit"), 65536))
        if isinstance(schedules := said.get("schedules"), list):
            known = [one for one in schedules if isinstance(one, dict) and isinstance(one.get("id"), str)]
            with APPLY:
                self._store.take_schedules(known, int(said["revision"]))
            self._changed()
        if run := said.get("run"):
            self._asked(run)
        if stop := said.get("stop"):
            self._stop_executions([str(one) for one in stop])
        self._report()

    def _state(self) -> dict:
        # Before what is unsent: one that ends in between is in both, not in neither.
        running = self._executions.running()
        own = self._store.own_schedules()
        account = self._rules.account
        allowed = self._rules.allowed
        return host_facts() | {
            "revision": self._store.fact("revision", 0),
            "clock": wall(),
            "account": _own_account() if account is None else account.name,
            "folder": self._rules.folder,
            "allowed": None if allowed is None else list(allowed),
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 2),
            "unsent": self._store.unsent(),
            "dropped": self._store.fact("dropped", 0),
            "started": self._began or self._clock.now(),
            "listens": self._listens,
            # What was taken without the site is not the site's to end.
            "running": {one: run.schedule for one, run in running.items() if run.schedule not in own},
        }

    # --- report

    def _report(self) -> None:
        """Tell what there is to be told, but not for so long that nothing is asked meanwhile."""
        self._wants_report = False
        until = time.monotonic() + _LONGEST_REPORTING
        while time.monotonic() < until:
            batch, is_all = self._batch()
            running = self._newly_running() if is_all else []
            if not batch and not running:
                return
            # One that ended just now may be in both.
            ended = {one["id"] for one in batch}
            running = [one for one in running if one["id"] not in ended]
            try:
                said = self._client.ask("report", {"executions": batch + running})
            except Refused as error:
                if error.status not in (400, 413) or not error.is_certain:
                    raise
                if not running:
                    self._take_back(batch, error)
                # That they run need not be told; how they end will be.
                self._told_running |= {one["id"] for one in running}
                continue
            done = self._settle(said, batch)
            self._told_running |= {one["id"] for one in running}
            self._most = MOST_REPORTS
            if batch and not done:
                raise Away("it takes none of what is reported to it")
            if is_all:
                return
        self._wants_report = True

    def _batch(self) -> tuple[list[dict], bool]:
        """What goes into one report, and whether that is all."""
        batch, size = [], 0
        for report in self._store.reports(self._most):
            size += len(json.dumps(report, ensure_ascii=False).encode()) + 2
            if batch and size > MOST_REPORT_BYTES:
                return batch, False
            batch.append(report)
        # With room left for what runs.
        return batch, len(batch) < self._most // 2

    def _take_back(self, batch: list[dict], error: Refused) -> None:
        """The site does not take such a report: a smaller one, and what it does not take alone is not kept for ever."""
        if len(batch) > 1:
            self._most = max(len(batch) // 2, 1)
            return
        for one in batch:
            log.error("%s does not take the execution %s: %s", self._site, one["id"], error)
        self._store.forget([one["id"] for one in batch])

    def _settle(self, said: dict, batch: list[dict]) -> bool:
        accepted = said.get("accepted")
        refused = said.get("refused")
        accepted = accepted if isinstance(accepted, list) else []
        refused = refused if isinstance(refused, dict) else {}
        sent = {one["id"] for one in batch}
        for execution in sent & set(refused):
            log.warning("%s does not take the execution %s: %s", self._site, execution, str(refused[execution])[:300])
        done = sent & {*accepted, *refused}
        with REPORTED:
            self._store.forget(done)
        return bool(done)

    def _newly_running(self) -> list[dict]:
        running = self._executions.running()
        self._told_running &= set(running)
        reports = [
            {
                "id": one,
                "schedule": run.schedule,
                "due": run.due,
                "state": "running",
                "reason": "",
                "started": run.started,
            }
            for one, run in running.items()
            if run.started is not None and one not in self._told_running
        ]
        return reports[: MOST_REPORTS // 2]


def _number(value, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _own_account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
