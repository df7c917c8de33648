"""Many rows as one parameter: an array of JSON objects that a statement reads as a table, for set-based updates."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Field


def rowset(connection, columns: Mapping[str, Field]) -> str:
    """What stands behind FROM: the statement's one parameter as a table `w`; ten thousand rows need no more parameters.

    Args:
        connection: of Django; PostgreSQL or SQLite.
        columns: by name, each with the model field of whose type it is.
    """
    if connection.vendor == "postgresql":
        # Of a key that counts by itself, the type of what refers to it.
        types = ", ".join(
            f"{name} {field.rel_db_type(connection) if field.primary_key else field.db_type(connection)}"
            for name, field in columns.items()
        )
        return f"jsonb_to_recordset(%s::jsonb) AS w({types})"
    parts = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {parts} FROM json_each(%s)) AS w"  # noqa: S608 names of our own columns


def parameter(rows: Sequence[Mapping[str, Any]], connection) -> str:
    """The parameter of a `rowset`."""

    def plain(value):
        return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value

    return json.dumps([{name: plain(value) for name, value in row.items()} for row in rows], default=str)
