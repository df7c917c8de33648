"""Executions from the decision to their end: handed to supervisors, watched, taken up again after the agent was ended."""

import logging
import socket
import threading
from pathlib import Path
from typing import NamedTuple

from jobs.faultpoints import FaultPoint
from jobs.processes.identity import ProcessesLeftError, boot_id, end_tagged
from jobs.schedules.agent.clock import Clock
from jobs.schedules.agent.commands import NotAllowedError, Rules, tag_of
from jobs.schedules.agent.records import LeftOut, Open
from jobs.schedules.agent.runs import RunFile
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.supervisor import ENDED, STARTED, STOP_SIGNAL

HAND_OVER = FaultPoint("agent.hand_over")
TAKE = FaultPoint("agent.take")

UNKNOWN = "outcome unknown: the agent's host, or what watched the command, was ended while it ran"

log = logging.getLogger("jobdeck-agent")


class UnderWay(NamedTuple):
    """An execution that waits or runs; `started` is None where it is not known to have been started."""

    schedule: str
    due: int
    started: int | None


class KeeperDiedError(Exception):
    """There is nothing left that could start commands."""


class Executions:
    """All that is to run and runs. One thread works with it; `running` may be asked from any.

    Args:
        runs: folder of their files.
        most: so many run at once.
    """

    def __init__(self, store: Store, runs: Path, rules: Rules, clock: Clock, keeper: socket.socket, most: int):
        self._store, self._runs, self._rules, self._clock, self._keeper = store, runs, rules, clock, keeper
        self._most = most
        self.output_limit = 65536
        self.open: dict[str, dict[str, Open]] = {}
        """By schedule."""
        self._waiting: list[Open] = []
        self._handed: dict[str, Open] = {}
        self._stopping: set[str] = set()
        self._lock = threading.Lock()
        self._started: dict[str, int] = {}
        self._under_way: dict[str, UnderWay] = {}

    # --- from other threads

    def running(self) -> dict[str, UnderWay]:
        """What is under way, by its id."""
        with self._lock:
            return dict(self._under_way)

    # --- at the beginning

    def take_up(self) -> list[Open]:
        """Find out what became of those that were open; those of which it is certain that they were not started."""
        never_started = []
        for one in self._store.open():
            self.open.setdefault(one.schedule, {})[one.id] = one
            if self._was_never_started(one):
                never_started.append(one)
            else:
                self._handed[one.id] = one
        known = {one.id for ones in self.open.values() for one in ones.values()}
        for path in self._runs.iterdir():
            # Taken before, or written for nobody.
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)
        self._publish()
        self.look(list(self._handed))
        return never_started

    def _was_never_started(self, one: Open) -> bool:
        run = RunFile(self._runs, one.id)
        if run.outcome() is not None or one.boot != boot_id():
            return False
        if not run.is_there():
            return True
        if not run.lock():
            return False
        try:
            # Whoever was told to start it and has yet to begin finds that it has gone.
            if run.outcome() is None and run.trace().supervisor is None:
                run.remove()
                return True
            return False
        finally:
            run.release()

    # --- running

    def add(self, decided: list[Open]) -> None:
        """Run these as soon as there is room."""
        self._waiting += decided
        self._publish()

    def start(self) -> None:
        """Start what there is room for.

        Raises:
            KeeperDiedError: this agent has to begin anew.
        """
        count = min(len(self._waiting), self._most - len(self._handed))
        if count <= 0:
            return
        for one in self._waiting[:count]:
            self._hand_over(one)
        del self._waiting[:count]
        self._publish()

    def _hand_over(self, one: Open) -> None:
        try:
            what = self._rules.description(one, self.output_limit, self._clock.offset)
        except NotAllowedError as error:
            # It was allowed when it was decided, before the agent was started anew.
            self._end({one.id: {"exit_code": None, "reason": str(error)}})
            return
        run = RunFile(self._runs, one.id)
        try:
            with HAND_OVER:
                run.write(what)
                self._keeper.sendall(one.id.encode("ascii"))
        except (BrokenPipeError, ConnectionResetError) as error:
            run.remove()
            raise KeeperDiedError from error
        except OSError as error:
            run.remove()
            reason = f"could not be started: the agent's folder cannot be written: {error.strerror}"
            self._end({one.id: {"exit_code": None, "reason": reason}})
            return
        self._handed[one.id] = one

    def stop(self, executions: list[str]) -> None:
        """End these: a person wants it, or their schedule has gone."""
        for one in [one for one in self._waiting if one.id in executions]:
            self._waiting.remove(one)
            self.open.get(one.schedule, {}).pop(one.id, None)
            left_out = LeftOut(one.id, one.schedule, one.due, "skipped", "stopped before it was started", one.asked)
            self._store.decide({}, [], [left_out], self._clock.now())
        for execution in executions:
            if execution in self._handed:
                self._stopping.add(execution)
                self._signal(execution)
        self._publish()

    def _signal(self, execution: str) -> None:
        # Where it has yet to begin, this comes once more when it has.
        supervisor = RunFile(self._runs, execution).trace().supervisor
        if supervisor is not None:
            supervisor.signal(STOP_SIGNAL)

    def heard(self, lines: list[tuple[str, str]]) -> None:
        """Take what the bell said: a word and an id each."""
        for word, execution in lines:
            if word == STARTED and execution in self._handed:
                self._note_start(execution)
        self.look([execution for word, execution in lines if word == ENDED], is_over=True)

    def _note_start(self, execution: str) -> None:
        started = RunFile(self._runs, execution).trace().started
        if started is not None:
            self._started[execution] = started
            self._publish()
        if execution in self._stopping:
            self._signal(execution)

    def look(self, executions: list[str] | None = None, is_over: bool = False) -> None:
        """See which of these (all) are over.

        Args:
            is_over: nobody is about to begin with one of these any more.
        """
        outcomes = {}
        for execution in list(self._handed) if executions is None else executions:
            if execution not in self._handed:
                continue
            run = RunFile(self._runs, execution)
            outcome = run.outcome()
            if outcome is None and run.is_free():
                # It may have ended between the two looks.
                outcome = run.outcome() or self._outcome_without_witness(run, execution, is_over)
            if outcome is not None:
                outcomes[execution] = outcome
            elif execution not in self._started:
                self._note_start(execution)
        if outcomes:
            self._end(outcomes)

    def _outcome_without_witness(self, run: RunFile, execution: str, is_over: bool) -> dict | None:
        trace = run.trace()
        if trace.supervisor is None and run.is_there() and self._handed[execution].boot == boot_id():
            reason = "could not be started: the host could start no process for it"
            return {"exit_code": None, "reason": reason} if is_over else None
        try:
            end_tagged(tag_of(execution))
        except ProcessesLeftError as error:
            log.error("%s", error)
        return {"exit_code": None, "reason": UNKNOWN, "started": trace.started, "completed": self._clock.now()}

    def _end(self, outcomes: dict[str, dict]) -> None:
        with TAKE:
            self._store.end(outcomes, self._clock.now())
        for execution in outcomes:
            RunFile(self._runs, execution).remove()
            one = self._handed.pop(execution, None)
            for ones in [self.open.get(one.schedule, {})] if one else self.open.values():
                ones.pop(execution, None)
            self._started.pop(execution, None)
            self._stopping.discard(execution)
        self._publish()

    def _publish(self) -> None:
        ones = (*self._waiting, *self._handed.values())
        under_way = {one.id: UnderWay(one.schedule, one.due, self._started.get(one.id)) for one in ones}
        with self._lock:
            self._under_way = under_way
