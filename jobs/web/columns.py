"""The columns of a jobs table: which attribute of a job each of them shows, and how its value reads."""

import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.db.models.query_utils import DeferredAttribute

from jobs.models import Job
from jobs.types import job_types
from jobs.web.display import duration, words

PROPERTIES = "extended_properties"
STATUS_FIELDS = frozenset({"status", "cached_status", "status_display"})
"""All of them are shown from the row; the first two would ask the database again for each job."""

SECRET = frozenset({"token_hash", "claim"})
LONGEST = 500
"""Characters of a value that are shown."""

_READABLE = (DeferredAttribute, ForwardManyToOneDescriptor, property, cached_property)
_CAPITALS = {"id": "ID", "pk": "ID", "uuid": "UUID"}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        heading: above it.
        field: an attribute of the jobs, or `extended_properties.a.b`.
    """

    heading: str
    field: str

    @property
    def name(self) -> str:
        """The attribute itself."""
        return self.field.partition(".")[0]

    @property
    def of_all_jobs(self) -> bool:
        """Whether every job has it; otherwise only jobs of some types do."""
        return _readable(Job, self.name)

    def value(self, job: Job) -> Any:
        """What the column shows of a job; None where the job has no such attribute."""
        if self.name in STATUS_FIELDS:
            return job.status_display
        if self.name == "type":
            return job.type.label if job.type is not None else None
        value = getattr(job, self.name, None)
        for key in self.field.split(".")[1:]:
            value = value.get(key) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True)
class Cell:
    """A value in a row.

    Attributes:
        column: where it stands.
        kind: 'name', 'run_time', 'status', 'moment' or 'text'; each has its own look.
        value: as Python has it.
    """

    column: Column
    kind: str
    value: Any

    @property
    def text(self) -> str:
        """The value as a person reads it; a template escapes it."""
        return as_text(self.value)


def cell(column: Column, job: Job) -> Cell:
    """What `column` shows of `job`."""
    value = column.value(job)
    if column.field in ("name", "run_time"):
        return Cell(column, column.field, value)
    if column.name in STATUS_FIELDS:
        return Cell(column, "status", value)
    return Cell(column, "moment" if isinstance(value, datetime) else "text", value)


def as_text(value: Any) -> str:
    """Any value as one short text: nothing for None, yes or no, durations in words, lists and dictionaries as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.12g}"
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        text = " ".join(str(item) for item in value)
    elif isinstance(value, dict | list | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str) if value else ""
    else:
        text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def columns_of(column_fields: Iterable) -> list[Column]:
    """The columns that the option `column_fields` asks for.

    Raises:
        TypeError: an item is neither a field's name nor a pair of heading and field.
        ValueError: no job of any installed type has such an attribute, or it cannot be shown.
    """
    if isinstance(column_fields, str):
        raise TypeError(f"column_fields: give a tuple of names, for example ({column_fields!r},), not one text")
    columns = [_column(item) for item in column_fields]
    for column in columns:
        _check(column.field)
    return columns


def _column(item) -> Column:
    if isinstance(item, str):
        last = item.rpartition(".")[2]
        return Column(_CAPITALS.get(last) or words(last), item)
    if isinstance(item, tuple | list) and len(item) == 2 and all(isinstance(part, str) for part in item):
        return Column(*item)
    raise TypeError(f"column_fields: {item!r} is neither the name of an attribute nor a pair ('Heading', 'attribute')")


def _check(field: str) -> None:
    name, dot, rest = field.partition(".")
    if dot and (name != PROPERTIES or not all(rest.split("."))):
        raise ValueError(f"column_fields: {field!r} cannot be shown; only {PROPERTIES} may be followed by '.key'")
    if name in SECRET or name.startswith("_"):
        raise ValueError(f"column_fields: {field!r} is not for pages")
    if not any(_readable(model, name) for model in (Job, *(job_type.model for job_type in job_types()))):
        known = ", ".join(sorted({column.name for column in Job._meta.concrete_fields} - SECRET | {"run_time"}))
        raise ValueError(
            f"column_fields: no job of any installed type has an attribute {field!r} that can be shown; all jobs have {known}"
        )


@cache
def _readable(model: type[Job], name: str) -> bool:
    """Whether jobs of `model` have an attribute `name` that is a value: no method, and no set of other rows."""
    return isinstance(inspect.getattr_static(model, name, None), _READABLE)
