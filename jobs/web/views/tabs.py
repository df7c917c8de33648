"""What each tab of a job's page shows.

A tab is a function of request, job and row. It returns what of it must change for the tab to be sent again, cheaply read,
and a function that gives its template's context, called only when the tab is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from jobs.models import Intent
from jobs.paging import number
from jobs.web.attempts import attempts_of, compare_logs
from jobs.web.display import words
from jobs.web.history import history_of
from jobs.web.logs import Logs, logs_of, piece, piece_before
from jobs.web.properties import properties
from jobs.web.results import listing, preview
from jobs.web.search import LONGEST_QUERY, Search, Segment, search, segments_around
from jobs.workspaces import workspace_path

Shown = tuple[Any, Callable[[], dict]]

WRAP_COOKIE = "jd-wrap"
"""Keeps whether a person wants long lines of logs wrapped; 'off' for not."""


def overview(request: HttpRequest, job, row) -> Shown:
    """Facts, resources, and the timeline of what happened."""
    history = history_of(job)
    troubles = list(Intent.objects.open().filter(job_id=job.pk).exclude(last_error="").order_by("id"))
    scheduler = job.scheduler
    facts = job.type.panel_facts(job) if job.type is not None and job.type.panel_facts is not None else None

    def body() -> dict:
        return {
            "history": history,
            "troubles": troubles,
            "scheduler": scheduler,
            "folder": workspace_path(job),
            "groups": list(job.groups.all()),
            "panels": job.type.panels if job.type is not None else (),
            "facts": facts,
            # Where the head of the page shows them as a bar, they are not said again.
            "parts": [] if row.shows_parts else [(status.label, count) for status, count in row.parts],
            "measured": _measured(job),
        }

    shown = (
        row.signature,
        history,
        [(trouble.pk, trouble.last_error) for trouble in troubles],
        scheduler and (scheduler.failures > 0, scheduler.last_error),
        job.resources,
        job.exit_code,
        job.description,
        facts,
    )
    return shown, body


def _measured(job) -> list[tuple[str, Any]]:
    """What an engine measured beside what every page knows."""
    known = {"counts", "cpu_seconds", "max_rss_bytes"}
    return [(words(name), value) for name, value in job.resources.items() if name not in known]


@dataclass(frozen=True)
class View:
    """What of a log a page shows: a piece of it, as runs of text, and how a search for something in it went.

    Attributes:
        start, end: bytes of the piece.
        size: bytes of the log.
        at_end: it is the end of the log, which a page may follow.
        query, found: what was searched, and how that went.
    """

    segments: list[Segment]
    start: int
    end: int
    size: int
    at_end: bool = False
    query: str = ""
    found: Search | None = None


def log(request: HttpRequest, job, row) -> Shown:
    """A log of an attempt: its end, which is followed while the job is active, or what was asked to be seen of it."""
    asked = number(request.GET.get("attempt")) or job.attempt
    attempt = asked if 1 <= asked <= job.attempt else job.attempt
    logs = logs_of(job, attempt)

    def body() -> dict:
        chosen = logs.get(request.GET.get("log", "")) or _with_text(logs)
        view, problem = None, logs.problem
        if chosen is not None:
            try:
                view = _view(chosen, request.GET)
            except OSError:
                problem = "The log was removed while it was being read."
        live = row.is_active and attempt == job.attempt and view is not None and job.type.engine.supports.live_logs
        return {
            "logs": logs.files,
            "chosen": chosen,
            "view": view,
            "problem": problem,
            "attempt": attempt,
            "earlier_attempts": range(max(1, job.attempt - 19), job.attempt + 1) if job.attempt > 1 else (),
            "live": live,
            "follow": live and view.at_end,
            "wrap": (request.GET.get("wrap") or request.COOKIES.get(WRAP_COOKIE)) != "off",
        }

    # What the log says comes by its own way; the page only needs to know when the first log is there.
    return ([file.name for file in logs.files], logs.problem, attempt), body


def _with_text(logs: Logs):
    """The log that a person came for: the first one that holds something."""
    return next((file for file in logs.files if file.size), logs.files[0] if logs.files else None)


def _view(chosen, query) -> View:
    text = query.get("q", "")[:LONGEST_QUERY]
    if text:
        return _searched(chosen, text, query)
    at, before = number(query.get("at")), number(query.get("before"))
    if before is None and at is None:
        found = piece(chosen)
        return View([Segment(found.text)], found.start, found.end, found.size, at_end=True)
    found = piece(chosen, at) if before is None else piece_before(chosen, before)
    return View([Segment(found.text)], found.start, found.end, found.size)


def _searched(chosen, text: str, query) -> View:
    backwards = query.get("find") != "next"
    found = search(chosen, text, number(query.get("from")), backwards=backwards, line=number(query.get("line")))
    if found.at is None:
        end = piece(chosen)
        return View([Segment(end.text)], end.start, end.end, end.size, query=text, found=found)
    segments, start, end = segments_around(chosen, text, found.at)
    return View(segments, start, end, found.size, query=text, found=found)


def results(request: HttpRequest, job, row) -> Shown:
    """The job's properties and files, one of them with a preview."""
    found = listing(job)
    file = found.choose(request.GET.get("file", ""))
    view = request.GET.get("view", "")

    def body() -> dict:
        return {
            "properties": properties(job.extended_properties),
            "listing": found,
            "file": file,
            "preview": preview(job, file, view) if file is not None else None,
        }

    return (found, file, view, job.extended_properties, job.is_over), body


def attempts(request: HttpRequest, job, row) -> Shown:
    """Each attempt with its history and its end, and what differs between two of them."""
    found = attempts_of(job)
    known = {attempt.number: attempt for attempt in found}
    pair = [known.get(number(request.GET.get(name)) or 0) for name in ("first", "second")]

    def body() -> dict:
        compared = all(pair)
        return {
            "attempts": found,
            "pair": pair if compared else None,
            "differences": compare_logs(job, pair[0].number, pair[1].number) if compared else (),
        }

    return (row.signature, found), body


@dataclass(frozen=True)
class PageTab:
    """A tab as the page has it.

    Attributes:
        url: of the page with this tab.
        show: what the tab shows.
        assets: static files that only it needs.
    """

    name: str
    title: str
    url: str
    show: Callable[[HttpRequest, Any, Any], Shown]
    template: str
    assets: Sequence[str] = ()


_COMMON = {
    "overview": ("Overview", "detail", overview, ()),
    "log": ("Log", "log", log, ("jobs/log.js",)),
    "results": ("Results", "results", results, ()),
    "attempts": ("Attempts", "attempts", attempts, ()),
}


def tabs_of(job) -> dict[str, PageTab]:
    """The tabs of a job's page by name: those of all jobs, and before the last one those of its type."""
    found = {
        name: PageTab(name, title, reverse(f"jobs:{page}", args=[job.pk]), show, f"jobs/tabs/{name}.html", assets)
        for name, (title, page, show, assets) in _COMMON.items()
    }
    last = found.pop("attempts")
    for tab in job.type.tabs if job.type is not None else ():
        url = reverse("jobs:tab", args=[job.pk, tab.name])
        found[tab.name] = PageTab(tab.name, tab.title, url, import_string(tab.show), tab.template, tab.assets)
    if "result" in found:
        # Nobody knows what 'Results' are beside 'Result'.
        found["results"] = replace(found["results"], title="Files")
    return {**found, "attempts": last}
