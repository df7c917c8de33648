"""A job's page: its head, which all tabs share, and the tabs."""

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.intents import open_action
from jobs.models import Intent
from jobs.permissions import visible_job_or_404
from jobs.web.access import login_needed
from jobs.web.logs import logs_of, piece
from jobs.web.paging import number
from jobs.web.properties import properties
from jobs.web.results import listing, preview
from jobs.web.tables import row_of
from jobs.workspaces import workspace_path

MOST_EVENTS = 200
"""Lines of the timeline that are shown, the latest ones."""


def job_and_row(request: HttpRequest, job_id: int):
    """The job as an object of its own class (of the base class where its room is not installed), and its row.

    Raises:
        Http404: there is none that the person may see.
    """
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    job.open_action = open_action(job.pk)
    row = row_of(job, request.user)
    return (job.get_real_instance() if job.type is not None else job), row


@require_safe
@login_needed
def overview(request: HttpRequest, job_id: int) -> HttpResponse:
    """Facts, resources, and the timeline of what happened."""
    return _page(request, job_id, "overview")


@require_safe
@login_needed
def log(request: HttpRequest, job_id: int) -> HttpResponse:
    """The end of stdout or stderr of an attempt; it follows while the job is active."""
    return _page(request, job_id, "log")


@require_safe
@login_needed
def results(request: HttpRequest, job_id: int) -> HttpResponse:
    """The job's properties and files, one of them with a preview."""
    return _page(request, job_id, "results")


@require_safe
@login_needed
def live(request: HttpRequest, job_id: int, tab: str) -> HttpResponse:
    """What has changed on a job's page since `?version=`: its head, and the tab if something in it did; 204 for nothing."""
    if tab not in TABS:
        raise Http404("A job's page has no such tab.")
    context = _context(request, job_id, tab)
    known = request.GET.get("version", "")
    if known == f"{context['row'].signature}.{context['tab_version']}":
        return HttpResponse(status=204)
    tab_stays = known.partition(".")[2] == context["tab_version"]
    return render(request, "jobs/live.html", context | {"tab_stays": tab_stays})


def _page(request: HttpRequest, job_id: int, tab: str) -> HttpResponse:
    return render(request, "jobs/job.html", _context(request, job_id, tab))


def _context(request: HttpRequest, job_id: int, tab: str) -> dict:
    job, row = job_and_row(request, job_id)
    body, shown = TABS[tab](request, job, row)
    tab_version = hashlib.blake2b(repr(shown).encode(errors="replace"), digest_size=6).hexdigest()
    return body | {
        "job": job,
        "row": row,
        "tab": tab,
        "tab_template": f"jobs/tabs/{tab}.html",
        "tab_version": tab_version,
        "query": _query(request),
        "now": clock.now(),
    }


def _query(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("version", None)
    return query.urlencode()


def _overview(request: HttpRequest, job, row):
    events = list(job.events.order_by("-id")[: MOST_EVENTS + 1])
    troubles = list(Intent.objects.open().filter(job_id=job.pk).exclude(last_error="").order_by("id"))
    scheduler = job.scheduler
    body = {
        "events": events[:MOST_EVENTS][::-1],
        "events_cut": len(events) > MOST_EVENTS,
        "troubles": troubles,
        "scheduler": scheduler,
        "folder": workspace_path(job),
        "groups": list(job.groups.all()),
        "panels": job.type.panels if job.type is not None else (),
    }
    shown = (
        row.signature,
        [event.pk for event in events[:1]],
        [(trouble.pk, trouble.last_error) for trouble in troubles],
        scheduler and (scheduler.failures > 0, scheduler.last_error),
        job.resources,
        job.exit_code,
        job.description,
    )
    return body, shown


def _log(request: HttpRequest, job, row):
    asked = number(request.GET.get("attempt")) or job.attempt
    attempt = asked if 1 <= asked <= job.attempt else job.attempt
    logs = logs_of(job, attempt)
    chosen = logs.get(request.GET.get("log", "")) or (logs.files[0] if logs.files else None)
    text, problem = None, logs.problem
    if chosen is not None:
        try:
            text = piece(chosen)
        except OSError:
            problem = "The log was removed while it was being read."
    follow = row.is_active and attempt == job.attempt and chosen is not None and job.type.engine.supports.live_logs
    body = {
        "logs": logs.files,
        "chosen": chosen,
        "piece": text,
        "problem": problem,
        "attempt": attempt,
        "earlier_attempts": range(max(1, job.attempt - 19), job.attempt + 1) if job.attempt > 1 else (),
        "follow": follow,
    }
    # What the log says comes by its own way; the page only needs to know when the first log is there.
    return body, (bool(logs.files), problem, attempt)


def _results(request: HttpRequest, job, row):
    found = listing(job)
    file = found.choose(request.GET.get("file", ""))
    body = {
        "properties": properties(job.extended_properties),
        "listing": found,
        "file": file,
        "preview": preview(job, file) if file is not None else None,
    }
    return body, (found, file, job.extended_properties, job.is_over)


TABS = {"overview": _overview, "log": _log, "results": _results}
"""What each tab shows: its context, and what of it must change for the page to be sent again."""
