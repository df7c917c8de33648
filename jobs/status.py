"""The statuses of a job, what may follow what, and custom statuses."""

from django.db.models import TextChoices

from jobs.conf import conf


class Status(TextChoices):
    """Code (in the database and REST) and display word (for people and `job.status`)."""

    PENDING = "PEN", "Pending"
    """Written down; nothing has been asked of an engine."""
    SUBMITTED = "SUB", "Submitted"
    """The engine has it; it waits for its turn."""
    RUNNING = "RUN", "Running"
    PAUSED = "PAS", "Paused"
    """Suspended by a person, or held by the engine; the message says why."""
    VARIOUS = "VAR", "Various"
    """Many parts, not all alike."""
    VARIOUS_COMPLETE = "VCP", "Various-Complete"
    """Many parts, all over, some failed."""
    RESULTS_READY = "RES", "Results-Ready"
    """The work is done; the process_results_function has not run yet."""
    COMPLETE = "COM", "Complete"
    ERROR = "ERR", "Error"
    ABORTED = "ABT", "Aborted"
    """Stopped before its end, by a person or behind our back."""
    OTHER = "OTH", "Other"
    """A custom status that belongs to no other base."""


ACTIVE = frozenset({Status.SUBMITTED, Status.RUNNING, Status.PAUSED, Status.VARIOUS, Status.OTHER})
"""An engine has the job: the monitor asks about it."""

FINAL = frozenset({Status.COMPLETE, Status.VARIOUS_COMPLETE, Status.ERROR, Status.ABORTED})
"""No report moves the job any more; only the actions 'resubmit' and 'process again' do."""

MOVES: dict[str, frozenset[str]] = {
    Status.PENDING: ACTIVE | FINAL | {Status.RESULTS_READY},
    **{status: ACTIVE | FINAL | {Status.RESULTS_READY} for status in ACTIVE},
    Status.RESULTS_READY: frozenset({Status.COMPLETE, Status.ERROR}),
    **{status: frozenset() for status in FINAL},
}
"""What a report may turn each status into; a report of the same status is no move."""


def custom_statuses() -> dict[str, str]:
    """All custom statuses, label to base code: those of the setting and those of the registered job types."""
    from jobs.types import job_types

    found = dict(conf.CUSTOM_STATUSES)
    for job_type in job_types():
        found.update(job_type.custom_statuses)
    return found


def resolve_status(word: str) -> tuple[Status, str]:
    """The base status and the label that a code, a display word or a custom status stands for.

    Args:
        word: 'RUN', 'Running' (any case), or the label of a custom status.

    Returns:
        The base status and the label to show; the label is empty for the eleven built-in statuses.

    Raises:
        ValueError: nothing is called so; the message lists what there is.
    """
    text = str(word).strip()
    for status in Status:
        if text.lower() in (status.value.lower(), status.label.lower()):
            return status, ""
    customs = custom_statuses()
    for label, base in customs.items():
        if text.lower() == label.lower():
            return Status(base), label
    known = ", ".join([*(status.label for status in Status), *customs])
    raise ValueError(f"status: {text!r} is not a status; use one of {known}")
