"""The attempts of a job, told from its events, and what differs between two of them."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jobs import clock
from jobs.models import JobEvent
from jobs.status import FINAL, Status
from jobs.web.history import Moment, moments
from jobs.web.logs import logs_of, piece

MOST_ATTEMPTS = 50
"""Attempts that are shown, the latest ones."""
MOST_EVENTS = 2000
COMPARED_BYTES = 64 * 1024
COMPARED_LINES = 400
"""Only the end of two logs is compared."""
COMPARED_LOGS = 20
"""Logs that are compared; a job of many processes has some for each."""


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Attributes:
        number: 1 for the first.
        status_code, status_display: where it ended, or where it is.
        started, ended: of the current attempt as its engine said; of earlier ones as the history has them.
        exit_code: known of the current attempt only; what earlier ones said at their end is in `message`.
        message: of its last event.
        history: its part of the job's timeline, the latest first.
        current: it is the job's last one.
    """

    number: int
    status_code: str
    status_display: str
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    message: str = ""
    history: Sequence[Moment] = field(default_factory=list)
    current: bool = False

    @property
    def took(self) -> timedelta | None:
        """From start to end; to now for one that still runs."""
        if self.started is None or (self.ended is None and not self.current):
            return None
        return max((self.ended or clock.now()) - self.started, timedelta(0))


def attempts_of(job) -> list[Attempt]:
    """The latest attempts of a job, the last one first; one query."""
    least = job.attempt - MOST_ATTEMPTS
    found: dict[int, list[JobEvent]] = {number: [] for number in range(max(1, least + 1), job.attempt + 1)}
    for event in job.events.filter(attempt__gt=least).order_by("-id")[:MOST_EVENTS]:
        if event.attempt in found:
            found[event.attempt].append(event)
    return [_current(job, found[job.attempt])] + [
        _earlier(number, found[number]) for number in sorted(found, reverse=True) if number != job.attempt
    ]


def _current(job, events: Sequence[JobEvent]) -> Attempt:
    return Attempt(
        job.attempt,
        job.status_code,
        job.status_display,
        started=job.start_time,
        ended=job.completion_time,
        exit_code=job.exit_code,
        message=job.status_message,
        history=moments(events, ()),
        current=True,
    )


def _earlier(number: int, events: Sequence[JobEvent]) -> Attempt:
    """Args: events: the latest first."""
    last = events[0] if events else None
    code = last.new_status if last else Status.OTHER
    return Attempt(
        number,
        code,
        (last.label or Status(code).label) if last else "not in the history any more",
        started=next((event.time for event in reversed(events) if event.new_status == Status.RUNNING), None),
        ended=next((event.time for event in events if event.new_status in FINAL), None),
        message=last.message if last else "",
        history=moments(events, ()),
    )


@dataclass(frozen=True)
class Difference:
    """What differs in one log of two attempts.

    Attributes:
        log: its name.
        lines: of a unified difference, each with its kind: 'same', 'gone', 'new' or 'place'.
        note: said instead of lines, or beside them.
    """

    log: str
    lines: Sequence[tuple[str, str]] = ()
    note: str = ""


def compare_logs(job, first: int, second: int) -> list[Difference]:
    """What differs between the ends of the logs of two attempts, one entry for each log that either has."""
    before, after = logs_of(job, first), logs_of(job, second)
    names = dict.fromkeys(file.name for file in (*before.files, *after.files))
    if not names:
        return [Difference("Logs", note=after.problem or before.problem or "Neither attempt has a log.")]
    found = [_compare(name, before.get(name), after.get(name)) for name in list(names)[:COMPARED_LOGS]]
    if len(names) > COMPARED_LOGS:
        found.append(Difference("Others", note=f"{len(names) - COMPARED_LOGS} further logs are not compared here."))
    return found


def _compare(name: str, before, after) -> Difference:
    try:
        old, new = _end(before), _end(after)
    except OSError:
        return Difference(name, note="It cannot be read at the moment.")
    if old == new:
        return Difference(name, note="Both wrote the same." if new[0] else "Neither wrote anything.")
    lines = list(difflib.unified_diff(old[0], new[0], lineterm="", n=2))[2:]
    note = f"Only the last {COMPARED_LINES} lines are compared." if old[1] or new[1] else ""
    return Difference(name, [(_KINDS[line[0]], line if line[0] == "@" else line[1:]) for line in lines], note)


_KINDS = {" ": "same", "-": "gone", "+": "new", "@": "place"}


def _end(log) -> tuple[list[str], bool]:
    """The last lines of a log, and whether there are others before them."""
    if log is None:
        return [], False
    found = piece(log, -COMPARED_BYTES, COMPARED_BYTES)
    lines = found.text.splitlines()
    return lines[-COMPARED_LINES:], found.start > 0 or len(lines) > COMPARED_LINES
