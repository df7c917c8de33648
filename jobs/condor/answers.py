"""What a schedd's answers mean: job ads in, reports out; pure.

Names and values of the attributes are those of HTCondor's manual, 'Job ClassAd Attributes'. A CondorJob is one cluster
of one or many processes, each with an ad of its own.
"""

import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from jobs.engine import Report
from jobs.status import FINAL, Status

IDLE, RUNNING, REMOVED, COMPLETED, HELD, TRANSFERRING_OUTPUT, SUSPENDED = range(1, 8)
"""Values of JobStatus."""

SPOOLING = 16
"""HoldReasonCode of a process whose input files are still on their way: no trouble, but the beginning."""

OUR_REASON = "asked for by Jobdeck"
"""What the ads of processes say that Jobdeck itself held or removed."""

OVERLAP = 2
"""Seconds that a delta answer reaches back before `QueueView.latest`: what changed late in that second is asked again."""

FACTS = (
    "JobStatus",
    "LastJobStatus",
    "EnteredCurrentStatus",
    "JobStartDate",
    "CompletionDate",
    "ExitBySignal",
    "ExitCode",
    "ExitSignal",
    "JobSuccessExitCode",
    "HoldReason",
    "HoldReasonCode",
    "RemoveReason",
    "CumulativeRemoteUserCpu",
    "CumulativeRemoteSysCpu",
    "ResidentSetSize",
    "RemoteHost",
    "TotalSubmitProcs",
)

PROJECTION = ("JobdeckTag", "ClusterId", "ProcId", "ServerTime", *FACTS)
"""The attributes that every query has to ask for."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """How one process is.

    Attributes:
        status: a code of `jobs.status.Status`.
        message: what is wrong, or why it stands still; empty where all is well.
        started, finished: seconds since 1970 by the schedd's clock.
        cpu_seconds, max_rss_bytes: what it used, once it is over.
    """

    status: str
    message: str = ""
    exit_code: int | None = None
    started: int | None = None
    finished: int | None = None
    cpu_seconds: float | None = None
    max_rss_bytes: int | None = None


LOST = ProcessState(Status.ERROR, "The pool knows nothing of it any more; its outcome is unknown.")
"""A process that neither queue nor history has, while they have others of its job."""


def process_state(ad: Mapping[str, Any]) -> ProcessState:
    """How a process is, from its ad; an attribute that is not set may be absent or None."""
    return state_of(tuple(map(ad.get, FACTS)))


def state_of(facts: tuple) -> ProcessState:
    """The same, from the values of `FACTS`."""
    (
        status,
        last,
        since,
        started,
        completed,
        by_signal,
        code,
        number,
        success,
        held,
        held_code,
        removed,
        *used,
        host,
        _,
    ) = facts
    if status == COMPLETED or (status == REMOVED and last == COMPLETED):
        # Who has a process that had ended removed from the queue changes nothing of how it ended.
        verdict, message, exit_code = _ended(by_signal, code, number, success or 0)
        return ProcessState(verdict, message, exit_code, started or None, completed or since, *_used(*used))
    if status == REMOVED and host is not None:
        # Its program is being ended; taken out of the queue now, it would keep its slot until its lease is over.
        return ProcessState(Status.RUNNING, _reason(removed, "It is being removed."), started=started or None)
    if status == REMOVED:
        message = _reason(removed, "Removed from the queue.")
        return ProcessState(Status.ABORTED, message, None, started or None, since, *_used(*used))
    if status == HELD and held_code == SPOOLING:
        return ProcessState(Status.SUBMITTED)
    if status == HELD:
        return ProcessState(Status.PAUSED, _reason(held, "Held; HTCondor gives no reason."), started=started or None)
    if status == SUSPENDED:
        return ProcessState(Status.PAUSED, "Suspended where it runs.", started=started or None)
    if status in _UNDER_WAY:
        return ProcessState(_UNDER_WAY[status], started=started or None)
    return ProcessState(Status.OTHER, f"HTCondor gives its JobStatus as {status!r}, which Jobdeck does not know.")


_UNDER_WAY = {IDLE: Status.SUBMITTED, RUNNING: Status.RUNNING, TRANSFERRING_OUTPUT: Status.RUNNING}


def _ended(by_signal, code, number, success: int) -> tuple[str, str, int | None]:
    """Status, message and exit code of an ended process. What an earlier run left in its ad is of no account."""
    if by_signal is True:
        return Status.ERROR, f"The program was ended by signal {number} ({_signal_name(number)}).", None
    if code is None:
        return Status.ERROR, "HTCondor calls it completed and gives no exit code; its outcome is unknown.", None
    if code == success:
        return Status.COMPLETE, "", code
    return Status.ERROR, f"The program ended with exit code {code}.", code


def _signal_name(number) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown here"


def _used(user, system, kibibytes) -> tuple[float | None, int | None]:
    # A pool that does not measure says 0.
    return (user or 0) + (system or 0) or None, (kibibytes or 0) * 1024 or None


def _reason(value, otherwise: str) -> str:
    """What the pool gives as a reason; empty where it was Jobdeck: here stands who asked for it, there only that it was us."""
    text = _text(value)
    return "" if text.startswith(OUR_REASON) else text or otherwise


def _text(value) -> str:
    # After a release HTCondor leaves an undefined HoldReason in the ad, which is no text.
    return value if isinstance(value, str) else ""


def report(tag: str, states: Mapping[int, ProcessState], processes: int) -> Report:
    """What is to be said of an attempt, all processes of which are known.

    Args:
        tag: the attempt's.
        states: of the processes by number.
        processes: how many the attempt has.
    """
    if processes == 1:
        return _report_of_one(tag, next(iter(states.values())))
    ordered = [states[number] for number in sorted(states)]
    counts = Counter(state.status for state in ordered)
    over = [state for state in ordered if state.status in FINAL]
    all_over = len(over) == processes
    status = _status_of_many(counts, all_over)
    return Report(
        tag,
        status,
        _message_of_many(states, counts, processes),
        exit_code=_exit_code_of_many(ordered, status) if all_over else None,
        started=_time(min((state.started for state in ordered if state.started), default=None)),
        finished=_time(max((state.finished for state in over if state.finished), default=None)) if all_over else None,
        progress=round(100 * len(over) / processes, 1),
        counts={str(code): number for code, number in counts.items()},
        resources=_resources(over),
    )


def _report_of_one(tag: str, state: ProcessState) -> Report:
    return Report(
        tag,
        state.status,
        state.message or None,
        exit_code=state.exit_code,
        started=_time(state.started),
        finished=_time(state.finished),
        resources=_resources([state]),
    )


def _status_of_many(counts: Mapping[str, int], all_over: bool) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    if counts.keys() - FINAL == {Status.PAUSED}:
        return Status.PAUSED  # what is not over stands still: it can be resumed
    return Status.VARIOUS_COMPLETE if all_over else Status.VARIOUS


_TROUBLES = {Status.ERROR: "failed", Status.PAUSED: "held", Status.ABORTED: "removed", Status.OTHER: "in doubt"}
"""What of many processes the message tells of, the worst first."""


def _message_of_many(states: Mapping[int, ProcessState], counts: Mapping[str, int], processes: int) -> str | None:
    troubles = [status for status in _TROUBLES if status in counts]
    if not troubles:
        return None
    summary = ", ".join(f"{counts[status]} of {processes} {_TROUBLES[status]}" for status in troubles)
    first = min(number for number, state in states.items() if state.status == troubles[0])
    why = states[first].message
    return f"{summary}. Process {first}: {why}" if why else f"{summary}."


def _exit_code_of_many(ordered: list[ProcessState], status: str) -> int | None:
    if status == Status.COMPLETE:
        return 0
    return next((state.exit_code for state in ordered if state.status == Status.ERROR and state.exit_code), None)


def _resources(over: Iterable[ProcessState]) -> dict[str, float] | None:
    cpu = [state.cpu_seconds for state in over if state.cpu_seconds is not None]
    rss = [state.max_rss_bytes for state in over if state.max_rss_bytes is not None]
    found = {**({"cpu_seconds": sum(cpu)} if cpu else {}), **({"max_rss_bytes": max(rss)} if rss else {})}
    return found or None


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


class QueueView:
    """What is known of one schedd's queue: the last whole answer and the deltas since, added up.

    Attributes:
        latest: the schedd's clock at its last answer, in seconds since 1970; None before the first one. A delta asks for
            what changed since then, less `OVERLAP`.
    """

    def __init__(self):
        self.latest: int | None = None
        self._jobs: dict[str, dict[tuple[int, int], tuple]] = {}
        self._said: dict[str, str] = {}

    def apply(self, ads: Iterable[Mapping[str, Any]], *, full: bool) -> set[str]:
        """Take an answer in; the tags of which something is different now.

        Args:
            ads: with the attributes of `PROJECTION`; of two of one process the later one counts.
            full: the answer is about the whole queue: what it lacks is not there any more.
        """
        jobs: dict[str, dict[tuple[int, int], tuple]] = {} if full else self._jobs
        changed: set[str] = set()
        clock = 0
        for ad in ads:
            get = ad.get
            # Not the greatest ever: where the schedd's clock was set back, changes bear earlier times from then on.
            clock = max(clock, get("ServerTime") or 0)
            tag = get("JobdeckTag")
            if tag is None:
                continue
            facts = tuple(map(get, FACTS))
            key = ad["ClusterId"], ad["ProcId"]
            processes = jobs.get(tag)
            if processes is None:
                processes = jobs[tag] = {}
            if not full and processes.get(key) != facts:
                changed.add(tag)
            processes[key] = facts
        self.latest = clock or self.latest
        if full:
            changed = {tag for tag in jobs.keys() | self._jobs.keys() if jobs.get(tag) != self._jobs.get(tag)}
            self._jobs = jobs
        return changed

    def report(self, tag: str, *, external_id: str = "", was: str = "", lost_are_errors: bool = False) -> Report | None:
        """What is to be said of an attempt; None where not all of its processes are known.

        A message that no longer holds is taken back with an empty one. Where there is nothing to say, None leaves what the
        job said of itself.

        Args:
            tag: the attempt's.
            external_id: its cluster; without it the newest one that bears the tag, a broken-off submission may have left
                another.
            was: the code of the status that it has here so far: what this view cannot know if it is new.
            lost_are_errors: a process that is not known, while others of its job are, has failed.
        """
        known, processes = self._processes(tag, external_id)
        states = {number: state_of(facts) for number, facts in known.items()}
        if lost_are_errors and known:
            states = dict.fromkeys(range(processes), LOST) | states
        if not known or len(states) < processes:
            return None
        said = report(tag, states, processes)
        if said.message is None and self._is_stale(tag, was):
            said = replace(said, message="")
        self.remember(said)
        return said

    def remember(self, said: Report) -> None:
        """That is what is said of an attempt, whoever had the last word; its message is taken back when it no longer holds."""
        self._said[said.tag] = said.message or ""

    def missing_processes(self, tag: str, *, external_id: str = "") -> int:
        """How many processes of an attempt are not known, while others are."""
        known, processes = self._processes(tag, external_id)
        return max(0, processes - len(known))

    def keep(self, tags: Iterable[str]) -> None:
        """Forget what was said of all other attempts: nobody asks about them any more."""
        self._said = {tag: self._said[tag] for tag in tags if tag in self._said}

    def _processes(self, tag: str, external_id: str) -> tuple[dict[int, tuple], int]:
        """The facts of the known processes of an attempt by number, and how many there should be."""
        found = self._jobs.get(tag, {})
        cluster = int(external_id) if external_id else max((cluster for cluster, _ in found), default=0)
        known = {number: facts for (of, number), facts in found.items() if of == cluster}
        return known, max((facts[-1] or 1 for facts in known.values()), default=0)

    def _is_stale(self, tag: str, was: str) -> bool:
        said = self._said.get(tag)
        return bool(said) or was == Status.PAUSED or (said is None and was == Status.VARIOUS)
