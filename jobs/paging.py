"""Pages by key: each begins where the one before ended, so that the thousandth costs as little as the first.

A page stays what it is while jobs arrive, and no COUNT(*) over everything is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from jobs.filters import among

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """One page of jobs.

    Attributes:
        jobs: those on it, in the order asked for.
        is_first: it begins at the beginning.
        older: `before` of the page with the next older ones; None where there are none.
        newer: `after` of the page with the next newer ones; None where there are none.
        oldest_first: the order.
    """

    jobs: list[Any]
    is_first: bool = True
    older: int | None = None
    newer: int | None = None
    oldest_first: bool = False


def page_of(
    jobs: QuerySet,
    *,
    parts: Sequence[QuerySet] | None = None,
    before: int | None = None,
    after: int | None = None,
    oldest_first: bool = False,
    size: int = PAGE_SIZE,
) -> Page:
    """A page of jobs, newest first unless asked otherwise.

    Args:
        jobs: in any order.
        parts: only those in any of these, each of which has an index (`JobFilter.parts`).
        before: jobs with a smaller primary key: the page next to it. Of `before` and `after` the latter counts.
        after: jobs with a larger primary key: the page next to it.
        size: jobs on a page.
    """
    key = before if after is None else after
    upwards = after is not None if key is not None else oldest_first
    found = _next(jobs, parts, key, upwards, size + 1)
    backwards = key is not None and upwards is not oldest_first
    if backwards and len(found) <= size:
        # The way back ends here: a whole first page, and not one of three rows.
        return page_of(jobs, parts=parts, oldest_first=oldest_first, size=size)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if found:
        behind, ahead = found[0].pk, found[-1].pk
    elif key is not None:
        # Beyond the end there is only the way back, to where one came from.
        behind, ahead = (key + 1 if oldest_first else key - 1), None
    else:
        behind = ahead = None
    behind = None if key is None else behind
    ahead = ahead if more or backwards else None
    older, newer = (behind, ahead) if oldest_first else (ahead, behind)
    return Page(found, key is None, older, newer, oldest_first)


def _next(jobs: QuerySet, parts: Sequence[QuerySet] | None, key: int | None, upwards: bool, number: int) -> list:
    order = "pk" if upwards else "-pk"
    if parts is None:
        return list(_beyond(jobs, key, upwards).order_by(order)[:number])
    chosen = Q(pk__in=[])
    for part in parts:
        # Of each part as many as could be needed, which its index gives in order; then the first of all of them.
        chosen |= Q(among(_beyond(part, key, upwards).order_by(order).values("pk")[:number]))
    return list(jobs.filter(chosen).order_by(order)[:number])


def _beyond(jobs: QuerySet, key: int | None, upwards: bool) -> QuerySet:
    if key is None:
        return jobs
    return jobs.filter(pk__gt=key) if upwards else jobs.filter(pk__lt=key)


def number(text: str | None) -> int | None:
    """A primary key from a URL, or None where there is none that could be one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
