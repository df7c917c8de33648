"""Pages of REST about schedules: by the row's number, and for executions by due time; each begins where another ended."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.http import urlencode
from rest_framework.response import Response

from jobs.paging import number, page_of
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.api.query import Query
from jobs.schedules.due import moment_of
from jobs.schedules.models import Execution


def numbered(query: Query, rows: Callable[[], QuerySet], document: Callable[..., dict]) -> Response:
    """A page of rows, the newest first.

    Args:
        query: what was asked; all its filters have been read.
        rows: makes the queryset, once nothing is wrong with the query.
        document: what is said of a row.
    """
    before, after = query.place("before", number), query.place("after", number)
    query.check()
    page = page_of(rows(), before=before, after=after, size=query.size)
    return _answer(query, page.jobs, document, page.older, page.newer)


def by_due_time(query: Query, rows: Callable[[], QuerySet], document: Callable[..., dict]) -> Response:
    """A page of executions, the latest due time first; the arguments are those of `numbered`."""
    before, after = query.place("before", _key_of), query.place("after", _key_of)
    query.check()
    size = query.size
    if after is not None:
        found = list(_later(rows(), *after).order_by("due", "pk")[: size + 1])
        if len(found) > size:
            found = found[:size][::-1]
            return _answer(query, found, document, _text_of(found[-1]), _text_of(found[0]))
        # The way back ends here: a whole first page, and not one of three rows.
        before = None
    some = rows() if before is None else _earlier(rows(), *before)
    found = list(some.order_by("-due", "-pk")[: size + 1])
    more, found = len(found) > size, found[:size]
    older = _text_of(found[-1]) if more else None
    newer = None
    if before is not None:
        # Beyond the end there is only the way back, to where one came from.
        newer = _text_of(found[0]) if found else query.request.GET["before"]
    return _answer(query, found, document, older, newer)


def _answer(query: Query, rows, document, older, newer) -> Response:
    return Response(
        {
            "next": _url(query.request, "before", older),
            "previous": _url(query.request, "after", newer),
            "results": [document(row) for row in rows],
        }
    )


def _url(request, name: str, key: object) -> str | None:
    if key is None:
        return None
    kept = [(one, text) for one, texts in request.GET.lists() for text in texts if one not in ("before", "after")]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*kept, (name, key)])}")


def _earlier(rows: QuerySet, due: datetime, pk: UUID) -> QuerySet:
    return rows.filter(Q(due__lt=due) | Q(pk__lt=pk), due__lte=due)


def _later(rows: QuerySet, due: datetime, pk: UUID) -> QuerySet:
    return rows.filter(Q(due__gt=due) | Q(pk__gt=pk), due__gte=due)


def _text_of(execution: Execution) -> str:
    return f"{microseconds(execution.due)}-{execution.pk.hex}"


def _key_of(text: str) -> tuple[datetime, UUID] | None:
    due, _, name = text.partition("-")
    if not (due.isascii() and due.isdigit() and len(due) < 18):
        return None
    try:
        return moment_of(int(due)), UUID(hex=name)
    except ValueError:
        return None
