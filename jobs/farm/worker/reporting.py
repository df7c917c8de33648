"""What the site is told about tasks: a thread says it, many tasks in one call, until it is taken; it also renews leases."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .client import Farm, HandedOut
from .errors import NotAnswered, Refused

log = logging.getLogger("jobdeck_worker")

MOST = 200
MOST_BYTES = 2_000_000
"""Tasks and about so many bytes of one call."""
LONGEST_MESSAGE = 4000
"""Characters; of a longer one, its end."""
PROGRESS_EVERY = 1.0
"""Seconds between two reports of one task's progress."""
HEARTBEAT = 20.0
"""Seconds after which a task is spoken of at the latest, so that the worker learns in time that it has lost it."""
RENEWALS = 3
"""Tries to renew a lease before it ends."""
LOOK = 0.25
"""Seconds between two looks for leases that have ended."""


@dataclass(slots=True, eq=False)
class _Entry:
    """A task that this worker has, and what the site is still to be told of it; `renewed` is when its lease last began."""

    task: HandedOut
    due: float
    renewed: float
    said_at: float = 0.0
    percent: float | None = None
    message: str | None = None
    is_news: bool = False
    end: dict[str, Any] | None = None
    size: int = 0
    is_refused: bool = False
    handed_out_again: bool = False


class Reporter:
    """Speaks of tasks from `hold` until their end was taken, or they are lost.

    Args:
        farm: the run.
        on_lost: called with a task that is not the worker's any more, from the reporter's thread.
        on_change: called when there is nothing more to be told, or when `error` is set; from that thread too.

    Attributes:
        lease_seconds: of the run's tasks.
        error: why the site takes no reports, after which nothing is said any more.
    """

    def __init__(
        self,
        farm: Farm,
        on_lost: Callable[[HandedOut], None] = lambda task: None,
        on_change: Callable[[], None] = lambda: None,
    ):
        self.lease_seconds: float | None = None
        self.error: Refused | None = None
        self._farm, self._on_lost, self._on_change = farm, on_lost, on_change
        self._entries: dict[int, _Entry] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch_leases, name="leases", daemon=True).start()

    # --- what the worker says

    def hold(self, task: HandedOut) -> bool:
        """Have the task's lease renewed from now on; False where this worker has it already."""
        with self._changed:
            known = self._entries.get(task.number)
            if known is not None and known.task.token == task.token:
                # Given back, and handed out by the same token: what was said of it may have come before that.
                known.handed_out_again = known.end is not None and known.end["state"] == "waiting"
                return False
            now = time.monotonic()
            self._entries[task.number] = _Entry(task, now + self._period, now)
            self._changed.notify_all()
        if known is not None:
            self._on_lost(known.task)
        return True

    def progress(self, task: HandedOut, percent: float | None, message: str | None = None) -> None:
        """Say how far a task is; of several such words in a second the last is sent."""
        with self._changed:
            entry = self._entry(task)
            if entry is None or entry.end is not None:
                return
            entry.percent = entry.percent if percent is None else min(max(float(percent), 0.0), 100.0)
            entry.message = entry.message if message is None else storable(message)
            entry.is_news = True
            self._changed.notify_all()

    def end(self, task: HandedOut, state: str, *, message: str | None = None, result: Any = None) -> None:
        """Say how a task ended.

        Args:
            task: one that is held.
            state: done, failed, or waiting, which gives it back.
            message: for people.
            result: a JSON value; None for none.

        Raises:
            ValueError: the result is none that JSON can hold.
        """
        end: dict[str, Any] = {"state": state}
        size = 200
        if result is not None:
            try:
                size += len(json.dumps(result, allow_nan=False))
            except (TypeError, ValueError, RecursionError) as error:
                raise ValueError(f"the result is no JSON value: {error}") from error
            end["result"] = result
        if message:
            end["message"] = storable(message)
            size += 6 * len(end["message"])
        with self._changed:
            entry = self._entry(task)
            if entry is not None and entry.end is None:
                entry.end, entry.size = end, size
                self._changed.notify_all()

    def has(self, task: HandedOut) -> bool:
        """Whether the task is this worker's, as far as is known here."""
        with self._changed:
            return self._entry(task) is not None

    def ask_at_once(self) -> None:
        """Speak of all tasks now, to learn which are lost."""
        with self._changed:
            for entry in self._entries.values():
                entry.due = 0.0
            self._changed.notify_all()

    @property
    def is_idle(self) -> bool:
        """All that ended was told."""
        with self._changed:
            return not any(entry.end for entry in self._entries.values())

    def untold(self) -> list[int]:
        """The numbers of the tasks of which the site does not know how they ended."""
        with self._changed:
            return sorted(self._entries)

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until all that ended was told, at most so long; whether it was."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not any(e.end for e in self._entries.values()), seconds)
        return self.is_idle

    def close(self) -> None:
        """Say nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # --- the threads

    def _watch_leases(self) -> None:
        """Give up tasks whose leases have ended while the site did not answer: it may hand them to others by now."""
        while not self._closed:
            time.sleep(LOOK)
            with self._changed:
                if not self.lease_seconds:
                    continue
                ended = time.monotonic() - self.lease_seconds
                # How a task ended is told all the same: perhaps nobody else has had it.
                late = [entry for entry in self._entries.values() if entry.end is None and entry.renewed < ended]
                for entry in late:
                    self._forget(entry)
            for entry in late:
                log.warning("task %s: its lease has ended, and the site does not answer", entry.task.number)
                self._on_lost(entry.task)

    @property
    def _period(self) -> float:
        return min(self.lease_seconds / RENEWALS, HEARTBEAT) if self.lease_seconds else HEARTBEAT

    def _entry(self, task: HandedOut) -> _Entry | None:
        entry = self._entries.get(task.number)
        return entry if entry is not None and entry.task.token == task.token else None

    def _run(self) -> None:
        try:
            self._report()
        finally:
            self._farm.close()

    def _report(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not (batch := self._batch()):
                    self._changed.wait(self._pause())
                if self._closed:
                    return
            try:
                self._send(batch)
            except NotAnswered:
                self.close()
            except Refused as error:
                self.error = error
                self.close()
                self._on_change()

    def _when(self, entry: _Entry) -> float:
        """The moment from which there is something to say of a task."""
        if entry.end is not None:
            return 0.0
        return min(entry.due, entry.said_at + PROGRESS_EVERY) if entry.is_news else entry.due

    def _pause(self) -> float | None:
        moments = [self._when(entry) for entry in self._entries.values()]
        return max(min(moments) - time.monotonic(), 0.0) if moments else None

    def _batch(self) -> list[tuple[_Entry, dict]]:
        now = time.monotonic()
        speaking = [entry for entry in self._entries.values() if self._when(entry) <= now]
        if not speaking:
            return []
        # Whose turn is soon comes along: one call for all of them.
        soon = now + self._period / 2
        known = set(map(id, speaking))
        speaking += [e for e in self._entries.values() if id(e) not in known and self._when(e) <= soon]
        batch, size = [], 0
        for entry in speaking[:MOST]:
            size += entry.size
            if batch and size > MOST_BYTES:
                break
            batch.append((entry, self._words(entry)))
        return batch

    def _words(self, entry: _Entry) -> dict:
        words: dict[str, Any] = {"number": entry.task.number, "token": entry.task.token}
        if entry.percent is not None:
            words["percent"] = entry.percent
        if entry.message is not None:
            words["message"] = entry.message
        entry.said_at = time.monotonic()
        entry.due = entry.said_at + self._period
        entry.is_news = False
        return words | (entry.end or {})

    def _send(self, batch: list[tuple[_Entry, dict]]) -> None:
        asked = time.monotonic()
        try:
            answer = self._farm.report([words for _, words in batch])
        except Refused as error:
            if error.status not in (400, 413):
                raise
            if len(batch) > 1:
                for one in batch:
                    self._send([one])
            else:
                self._note_refusal(batch[0][0], error)
            return
        lost = [entry for entry, _ in batch if entry.task.number in answer.lost]
        with self._changed:
            for entry, words in batch:
                entry.renewed = asked
                if entry in lost and not entry.handed_out_again:
                    self._forget(entry)
                elif "state" in words:
                    if entry.handed_out_again:
                        entry.handed_out_again = False
                    else:
                        self._forget(entry)
            self._changed.notify_all()
        for entry in lost:
            if entry.end is None or entry.end["state"] != "waiting":
                self._on_lost(entry.task)
        self._on_change()

    def _forget(self, entry: _Entry) -> None:
        if self._entries.get(entry.task.number) is entry:
            del self._entries[entry.task.number]

    def _note_refusal(self, entry: _Entry, error: Refused) -> None:
        """The site does not take what was said of one task."""
        log.warning("task %s: %s", entry.task.number, error)
        with self._changed:
            entry.percent = entry.message = None
            if entry.end is None:
                return
            if entry.is_refused:
                raise error
            entry.is_refused, entry.size = True, 0
            if entry.end["state"] == "waiting":
                entry.end = {"state": "waiting"}
            else:
                entry.end = {"state": "failed", "message": storable(f"Its result was not taken: {error}")}


def storable(message: str) -> str:
    """A message as the site takes it."""
    text = str(message).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= LONGEST_MESSAGE else f"…{text[-LONGEST_MESSAGE + 1 :]}"
