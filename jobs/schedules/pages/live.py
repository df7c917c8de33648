"""Parts of pages that fetch themselves: 204 where nothing has changed since they were sent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jobs import clock
from jobs.access.pages import by_htmx

LIVE = 60
"""Seconds after which a part is sent anew even where nothing has changed: silence shows by the passing of time."""


@dataclass(frozen=True)
class Part:
    """A part of a page that is sent by itself, when its own facts have changed.

    Attributes:
        name: the end of its id in the page.
        template: what it is made from.
        facts: whatever of it has to be sent again when its `repr` changes.
    """

    name: str
    template: str
    facts: Any


def show(request: HttpRequest, page: str, part: str, context: dict, facts) -> HttpResponse:
    """A page, or for its own script the part that changes.

    Args:
        page: template of the whole page.
        part: template of the part.
        context: of both.
        facts: as those of a `Part`.
    """
    now = clock.now()
    version = _version((facts, int(now.timestamp()) // LIVE))
    if by_htmx(request) and request.GET.get("version") == version:
        return HttpResponse(status=204)
    return render(request, part if by_htmx(request) else page, {**context, "version": version, "now": now})


def show_parts(request: HttpRequest, page: str, parts: Sequence[Part], context: dict) -> HttpResponse:
    """A page of several parts, or for its own script those of them that have changed; what a person reads stays put.

    Args:
        page: template of the whole page, which has each part in an element with the id `jd-part-NAME`.
        parts: in their order.
        context: of all; a callable in it is only called for a part that is sent.
    """
    versions = [_version(part.facts) for part in parts]
    version = ".".join(versions)
    known = request.GET.get("version", "").split(".")
    context = {**context, "version": version, "now": clock.now(), "parts": parts}
    if not by_htmx(request):
        return render(request, page, context)
    if len(known) == len(parts):
        context["parts"] = [part for part, old, new in zip(parts, known, versions, strict=True) if old != new]
    if not context["parts"]:
        return HttpResponse(status=204)
    return render(request, "jobs_schedules/changed_parts.html", context)


def _version(facts) -> str:
    return hashlib.sha256(repr(facts).encode(errors="replace")).hexdigest()[:16]
