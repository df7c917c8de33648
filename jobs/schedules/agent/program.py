"""The agent as a whole: waits for what comes next, and does it."""

import logging
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobs.processes.identity import boot_id
from jobs.schedules.agent.client import Client
from jobs.schedules.agent.clock import Clock
from jobs.schedules.agent.commands import Rules
from jobs.schedules.agent.decisions import Decisions, check
from jobs.schedules.agent.exchange import Exchange
from jobs.schedules.agent.execution import Executions
from jobs.schedules.agent.folder import DataFolder
from jobs.schedules.agent.listener import Listener
from jobs.schedules.agent.records import Identity, Open
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.timetable import SECOND
from jobs.schedules.agent.transport import Transport

MOST_ENDS = 100_000
"""Executions of which the end is kept while the site is away."""
_LOOK_EVERY = 10.0
_TIDY_EVERY = 60.0
_FIRST_ANSWER = 3.0
"""Seconds for which the agent waits at its start for the site to say what time it is and what there is to run."""

log = logging.getLogger("jobdeck-agent")


class BrokenError(Exception):
    """A part of the agent has failed, and has said why."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an agent works.

    Attributes:
        listen: host and port; None where it takes no calls.
        unsigned: it takes calls from anybody on this host.
        at_once: commands that run at a time.
        keep_hours, keep_mb: bounds of what is kept while the site is away.
    """

    rules: Rules
    listen: tuple[str, int] | None = None
    unsigned: bool = False
    at_once: int = 64
    keep_hours: float = 24.0
    keep_mb: float = 256.0


class Agent:
    """Runs schedules until it is told to end.

    Args:
        folder: locked.
        who: let in.
        keeper: takes ids of executions to be started.

    Raises:
        OSError: it cannot listen where it is to.
        AddressError: the site cannot be spoken with.
    """

    def __init__(self, folder: DataFolder, store: Store, who: Identity, options: Options, keeper: socket.socket):
        self._folder, self._store, self._who, self._options, self._keeper = folder, store, who, options, keeper
        self._bell = os.open(folder.bell, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung = b""
        self._woken, self._wake = os.pipe()
        for handle in (self._woken, self._wake):
            os.set_blocking(handle, False)
        self._has_ended = self._is_broken = self._schedules_changed = False
        self._asked: deque[list[dict]] = deque()
        self._to_stop: deque[list[str]] = deque()
        self._clock = Clock(store.fact("clock"))
        self._kept_clock = self._clock.keep()
        self._executions = Executions(store, folder.runs, options.rules, self._clock, keeper, options.at_once)
        self._decisions = Decisions(store, who.agent, options.rules, self._executions.open)
        self._listener = None
        if options.listen is not None:
            self._listener = Listener(
                options.listen,
                who,
                options.unsigned,
                self._clock,
                store,
                lambda: self._exchange.sync_soon(),
                self._change,
            )
        self._exchange = Exchange(
            Client(who, Transport(who.site, who.ca), self._clock), store, self._clock, self._executions, options.rules,
            who.site, who.name, self._listener.address if self._listener else "", self._change, self._ask, self._stop,
            self._break,
        )  # fmt: skip
        self._look_at = self._tidy_at = 0.0

    # --- from other threads

    def _change(self) -> None:
        self._schedules_changed = True
        self._ring()

    def _ask(self, wanted: list[dict]) -> None:
        self._asked.append(wanted)
        self._ring()

    def _stop(self, executions: list[str]) -> None:
        self._to_stop.append(executions)
        self._ring()

    def _break(self) -> None:
        self._is_broken = True
        self._ring()

    def _ring(self) -> None:
        try:
            os.write(self._wake, b".")
        except BlockingIOError:
            return  # it is awake

    def _end(self, number, frame) -> None:
        self._has_ended = True

    # --- the loop

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises:
            KeeperDiedError: the program has to begin anew.
            BrokenError, sqlite3.Error: it cannot go on.
        """
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        never_started = self._executions.take_up()
        self._exchange.start()
        if self._listener:
            self._listener.start()
        until = time.monotonic() + _FIRST_ANSWER
        while not self._exchange.tried.is_set() and not self._has_ended and (left := until - time.monotonic()) > 0:
            self._exchange.tried.wait(min(left, 0.05))
        # Before they are read: a change that comes in between must not be forgotten.
        self._schedules_changed = False
        self._decisions.load()
        if not self._has_ended:
            self._decide(never_started)
        while not self._has_ended:
            self._hear(self._wait())
            if self._is_broken:
                self._exchange.join(1.0)
                raise BrokenError
            if self._has_ended:
                break
            self._do_what_is_wanted()
            self._decide()
            self._executions.start()
            self._look_around()
        log.info("ended; commands that run go on, and the next start takes them up")
        self._exchange.end()
        if self._listener:
            self._listener.end()
        self._exchange.join(1.0)
        self._keep_clock()

    def _wait(self) -> list[int]:
        pause = min(self._look_at, self._tidy_at) - time.monotonic()
        due = self._decisions.next_due()
        if due is not None:
            pause = min(pause, (due - self._clock.now()) / SECOND)
        # Not before it is due.
        ready, _, _ = select.select([self._bell, self._woken], [], [], max(pause + 0.001, 0.0))
        return ready

    def _hear(self, ready: list[int]) -> None:
        if self._woken in ready:
            os.read(self._woken, 65536)
        if self._bell in ready:
            *lines, self._rung = (self._rung + os.read(self._bell, 65536)).split(b"\n")
            words = [line.decode("ascii", "replace").split(" ") for line in lines]
            self._executions.heard([(one[0], one[1]) for one in words if len(one) == 2])
            self._exchange.report_soon()
            if self._store.kept_bytes > self._most_bytes:
                self._throw_away()

    def _do_what_is_wanted(self) -> None:
        if self._schedules_changed:
            self._schedules_changed = False
            self._decisions.load()
        while self._asked:
            wanted = [one for one in map(self._read_asked, self._asked.popleft()) if one is not None]
            under_way = self._executions.running()
            new = [one for one in wanted if one.id not in under_way and not self._store.was_asked(one.id)]
            if new:
                self._executions.add(self._decisions.ask(new, self._clock.now()))
                self._exchange.report_soon()
        while self._to_stop:
            self._executions.stop(self._to_stop.popleft())
            self._exchange.report_soon()

    def _read_asked(self, said: dict) -> Open | None:
        try:
            document = said["schedule"]
            check(document)
            one = Open(str(UUID(said["id"])), str(UUID(document["id"])), int(said["due"]), True, document, boot_id())
        except (KeyError, TypeError, ValueError) as error:
            log.error("%s asks for an execution that means nothing: %s", self._who.site, error)
            return None
        return one

    def _decide(self, never_started: Sequence[Open] = ()) -> None:
        now = self._clock.now()
        due = self._decisions.next_due()
        if never_started or (due is not None and due <= now):
            self._executions.add(self._decisions.decide(now, never_started))
            self._exchange.report_soon()

    # --- now and then

    def _look_around(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            self._executions.look()
            self._keep_clock()
        if now >= self._tidy_at:
            self._tidy_at = now + min(_TIDY_EVERY, max(self._options.keep_hours * 360, 0.1))
            self._throw_away()
            self._store.tidy(self._clock.now() - 7 * 86_400 * SECOND)

    @property
    def _most_bytes(self) -> int:
        return int(self._options.keep_mb * 1_000_000)

    def _throw_away(self) -> None:
        before = self._clock.now() - int(self._options.keep_hours * 3600 * SECOND)
        count = self._store.throw_away(before, self._most_bytes, MOST_ENDS)
        if count:
            log.warning("thrown away, because %s has not taken them: outputs of %d executions", self._who.site, count)

    def _keep_clock(self) -> None:
        kept = self._clock.keep()
        if self._clock.is_learnt and any(
            abs(kept[name] - self._kept_clock[name]) > 20_000 for name in ("steady", "wall")
        ):
            self._kept_clock = kept
            self._store.keep_fact("clock", kept)
