"""Counting jobs by status, up to a limit: a million costs no more than ten thousand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connections, router
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from jobs.models import Job
from jobs.status import Status

MOST_COUNTED = 10_000
"""Where counting stops: more than that reads '10,000+'."""


@dataclass(frozen=True)
class Count:
    """A number of jobs that was counted up to `MOST_COUNTED`."""

    number: int

    @property
    def is_capped(self) -> bool:
        return self.number > MOST_COUNTED

    def __str__(self):
        return f"{MOST_COUNTED:,}+" if self.is_capped else f"{self.number:,}"

    def __bool__(self):
        return self.number > 0

    @property
    def jobs(self) -> str:
        """'1 job', '1,234 jobs', '10,000+ jobs'."""
        return "1 job" if self.number == 1 else f"{self} jobs"


@dataclass(frozen=True)
class Counts:
    """Numbers of jobs by status code: of all that are seen, and of those that may be acted on."""

    seen: Mapping[str, int]
    own: Mapping[str, int]

    def of(self, statuses: Iterable[str]) -> Count:
        """How many have one of these statuses."""
        return Count(sum(self.seen.get(status, 0) for status in statuses))

    def own_of(self, statuses: Iterable[str]) -> Count:
        """How many of those that may be acted on have one of these statuses."""
        return Count(sum(self.own.get(status, 0) for status in statuses))


def count_by_status(parts: Sequence[QuerySet]) -> Counts:
    """Count jobs by status in one query, each status up to `MOST_COUNTED`, so that a million costs no more than ten thousand.

    Args:
        parts: querysets of jobs that do not overlap; those of the first may be acted on.
    """
    connection = connections[router.db_for_read(Job)]
    columns, parameters = [], []
    for part in parts:
        # Compared with the code of the row outside, so that the text of the question is there once and not eleven times.
        limited = part.filter(status_code=RawSQL("counted.code", ())).order_by().values("pk")[: MOST_COUNTED + 1]
        try:
            sql, its_parameters = limited.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            columns.append("0")
            continue
        columns.append(f"(SELECT COUNT(*) FROM ({sql}) AS part)")  # noqa: S608 Django's own SQL
        parameters += its_parameters
    if not columns:
        return Counts({}, {})
    codes = " UNION ALL ".join(f"SELECT '{code}' AS code" for code in Status.values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT counted.code, {', '.join(columns)} FROM ({codes}) AS counted", parameters)  # noqa: S608
        rows = cursor.fetchall()
    return Counts({code: sum(numbers) for code, *numbers in rows}, {code: numbers[0] for code, *numbers in rows})
