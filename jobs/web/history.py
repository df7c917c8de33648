"""What happened to a job and who asked for what, as one list of moments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from jobs.models import Action, Intent, JobEvent
from jobs.status import Status
from jobs.web.display import duration

MOST_MOMENTS = 200
"""Lines of the timeline that are shown, the latest ones."""

ASKED = {
    Action.RUN: "asked to run it",
    Action.STOP: "asked to stop it",
    Action.PAUSE: "asked to pause it",
    Action.RESUME: "asked to go on with it",
    Action.DELETE: "asked to delete it",
}
OUTCOMES = {
    "replaced": "another wish took its place",
    "refused": "that was refused",
    "over": "there was nothing left to do",
}


@dataclass(frozen=True)
class Moment:
    """One line of the timeline: a change of status (`code`), or a wish of somebody (`code` is empty).

    Attributes:
        time: when.
        title: the status, or who asked for what.
        code: status code after the change.
        after: display word of the status before; empty where it did not change.
        message: what was said about it.
        attempt: of the job.
        source: who said so.
    """

    time: datetime
    title: str
    code: str = ""
    after: str = ""
    message: str = ""
    attempt: int = 1
    source: str = ""


def moments(events: Sequence[JobEvent], wishes: Sequence[Intent]) -> list[Moment]:
    """The timeline of a job, the latest first.

    Args:
        events: of the job, in any order.
        wishes: its intents with `requested_by`, open or closed; looks ('refresh') are nobody's wish.
    """
    # A wish comes before what it led to, also where both happened at the same moment.
    found = [(event.time, 1, event.pk, _of_event(event)) for event in events]
    found += [(wish.created, 0, wish.pk, _of_wish(wish)) for wish in wishes if wish.action in ASKED]
    return [moment for *_, moment in sorted(found, key=lambda entry: entry[:3], reverse=True)]


def _of_event(event: JobEvent) -> Moment:
    changed = event.old_status and event.old_status != event.new_status
    return Moment(
        event.time,
        event.label or _word(event.new_status),
        code=event.new_status,
        after=_word(event.old_status) if changed else "",
        message=event.message,
        attempt=event.attempt,
        source=event.source,
    )


def _of_wish(wish: Intent) -> Moment:
    who = wish.requested_by.get_username() if wish.requested_by else "App code"
    message = ""
    if wish.closed is None:
        message = "Not carried out yet."
    elif wish.outcome in OUTCOMES:
        message = f"After {duration(wish.closed - wish.created)}: {OUTCOMES[wish.outcome]}."
    if wish.last_error and wish.outcome != "done":
        message = f"{message} {wish.last_error}".strip()
    return Moment(wish.created, f"{who} {ASKED[wish.action]}", message=message, attempt=wish.attempt)


def _word(code: str) -> str:
    return Status(code).label if code in Status.values else code


@dataclass(frozen=True)
class History:
    """The latest moments of a job; `cut` where there were more."""

    moments: Sequence[Moment]
    cut: bool


def history_of(job) -> History:
    """What happened to a job, read in two queries."""
    events = list(job.events.order_by("-id")[: MOST_MOMENTS + 1])
    wishes = job.intents.exclude(action=Action.REFRESH).select_related("requested_by").order_by("-id")
    wishes = list(wishes[: MOST_MOMENTS + 1])
    found = moments(events, wishes)
    return History(list(islice(found, MOST_MOMENTS)), len(found) > MOST_MOMENTS)
