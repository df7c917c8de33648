"""Pages by key: each begins where the one before ended, so that the thousandth costs as little as the first."""

from dataclasses import dataclass
from typing import Any

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """One page of jobs, newest first.

    Attributes:
        jobs: those on it.
        before: the page has jobs with a smaller primary key than this; None for the first page.
        older: `before` of the next page; None on the last one.
        newer: `after` of the page before it; None on the first one.
    """

    jobs: list[Any]
    before: int | None = None
    older: int | None = None
    newer: int | None = None

    @property
    def is_first(self) -> bool:
        return self.before is None


def page_of(jobs, *, before: int | None = None, after: int | None = None, size: int = PAGE_SIZE) -> Page:
    """A page of a queryset of jobs.

    Args:
        jobs: in any order; it becomes newest first.
        before: only jobs with a smaller primary key.
        after: the page that ends just before this primary key, seen from the newest.
        size: jobs on a page.
    """
    if after is not None:
        found = list(jobs.filter(pk__gt=after).order_by("pk")[: size + 1])
        if len(found) <= size:
            return page_of(jobs, size=size)
        found = found[size - 1 :: -1]
        return Page(found, found[0].pk + 1, older=found[-1].pk, newer=found[0].pk)
    chosen = jobs if before is None else jobs.filter(pk__lt=before)
    found = list(chosen.order_by("-pk")[: size + 1])
    older = found[size - 1].pk if len(found) > size else None
    newer = None if before is None else (found[0].pk if found else before - 1)
    return Page(found[:size], before, older, newer)


def number(text: str | None) -> int | None:
    """A primary key from a URL, or None where there is none that could be one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
