"""What the REST API says of jobs: plain dictionaries, of rows of the base table or of jobs as themselves."""

from collections.abc import Iterable

from jobs.intents import allowed_actions
from jobs.models import Intent
from jobs.types import type_of

FIELDS = (
    *("id", "number", "name", "type", "label", "user", "status", "status_label", "status_message", "progress"),
    *("exit_code", "attempt", "creation_time", "execute_time", "start_time", "completion_time", "description"),
    *("scheduler", "resources"),
)
"""Names in a list; one job has more."""

_HIDDEN = frozenset({"environment", "attributes"})
"""Attributes that may hold secrets: said to have, not shown."""


def row_document(row, fields: Iterable[str] = FIELDS) -> dict:
    """One job of a list, of its base row with user and scheduler."""
    kind = type_of(row)
    known = {
        "id": lambda: str(row.uuid),
        "number": lambda: row.pk,
        "type": lambda: kind.name if kind else None,
        "user": lambda: row.user.get_username(),
        "status": lambda: row.status_code,
        "status_label": lambda: row.status_display,
        "scheduler": lambda: row.scheduler.name if row.scheduler_id else None,
    }
    return {name: known[name]() if name in known else getattr(row, name) for name in fields}


def job_document(job) -> dict:
    """All that is said of one job."""
    standing = (
        Intent.objects.open().exclude(action="refresh").filter(job_id=job.pk).values_list("action", flat=True).first()
    )
    own = [name for name in job.settable_attributes() if name not in _COMMON]
    return {
        **row_document(job),
        "groups": sorted(job.groups.values_list("name", flat=True)),
        "extended_properties": job.extended_properties,
        "timeout": job.timeout,
        "properties": {name: _plain(getattr(job, name)) for name in own if name not in _HIDDEN},
        "wanted": standing,
        "actions": [str(action) for action in allowed_actions(job, standing or "")],
    }


_COMMON = frozenset(
    {
        *("description", "extended_properties", "groups", "process_results_function", "scheduler", "timeout"),
        *("workspace", "restricted", "polymorphic_ctype", "ending", "status_label"),
    }
)


def _plain(value):
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def event_document(event) -> dict:
    """One line of a job's history."""
    return {
        "time": event.time,
        "attempt": event.attempt,
        "old_status": event.old_status,
        "new_status": event.new_status,
        "status_label": event.label,
        "message": event.message,
        "source": event.source,
    }
