"""A job's page: its head, which all tabs share, and the tabs."""

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import login_needed
from jobs.intents import open_action
from jobs.permissions import visible_job_or_404
from jobs.web.rows import row_of
from jobs.web.views.tabs import WRAP_COOKIE, tabs_of

YEAR = 365 * 24 * 3600


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
    """A log of an attempt: its end, the part `?at=` or `?before=`, or what `?q=` finds."""
    response = _page(request, job_id, "log")
    wrap = request.GET.get("wrap")
    if wrap in ("on", "off"):
        response.set_cookie(WRAP_COOKIE, wrap, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


@require_safe
@login_needed
def results(request: HttpRequest, job_id: int) -> HttpResponse:
    """The job's properties and files, one of them with a preview."""
    return _page(request, job_id, "results")


@require_safe
@login_needed
def attempts(request: HttpRequest, job_id: int) -> HttpResponse:
    """The job's attempts, and what differs between `?first=` and `?second=`."""
    return _page(request, job_id, "attempts")


@require_safe
@login_needed
def type_tab(request: HttpRequest, job_id: int, name: str) -> HttpResponse:
    """A tab that only jobs of this type have; 404 for one that it has not."""
    return _page(request, job_id, name)


@require_safe
@login_needed
def live(request: HttpRequest, job_id: int, tab: str) -> HttpResponse:
    """What has changed on a job's page since `?version=`: its head, and the tab if something in it did; 204 for nothing."""
    context, body = _context(request, job_id, tab)
    known = request.GET.get("version", "")
    if known == f"{context['row'].signature}.{context['tab_version']}":
        return HttpResponse(status=204)
    tab_stays = known.partition(".")[2] == context["tab_version"]
    return render(request, "jobs/live.html", context | {"tab_stays": tab_stays} | ({} if tab_stays else body()))


def _page(request: HttpRequest, job_id: int, tab: str) -> HttpResponse:
    context, body = _context(request, job_id, tab)
    return render(request, "jobs/job.html", context | body())


def _context(request: HttpRequest, job_id: int, tab: str):
    job, row = job_and_row(request, job_id)
    tabs = tabs_of(job)
    if tab not in tabs:
        raise Http404("The job's page has no such tab.")
    shown, body = tabs[tab].show(request, job, row)
    tab_version = hashlib.blake2b(repr(shown).encode(errors="replace"), digest_size=6).hexdigest()
    context = {
        "job": job,
        "row": row,
        "tab": tab,
        "tabs": tabs.values(),
        "tab_template": tabs[tab].template,
        "assets": tabs[tab].assets,
        "tab_version": tab_version,
        "query": _query(request),
        "now": clock.now(),
    }
    return context, body


def _query(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("version", None)
    return query.urlencode()
