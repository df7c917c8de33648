"""The list of jobs, and the one request that keeps it fresh."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.web.access import login_needed
from jobs.web.paging import Page, number, page_of
from jobs.web.tables import differences, parse_known, rows_of, table_jobs
from jobs.web.views.new import types_for


@require_safe
@login_needed
def job_list(request: HttpRequest) -> HttpResponse:
    """The jobs that the person may see, newest first."""
    page = _page(request)
    context = {"rows": rows_of(page.jobs, request.user), "may_create": bool(types_for(request.user))}
    return render(request, "jobs/list.html", context | _about(page))


@require_safe
@login_needed
def rows(request: HttpRequest) -> HttpResponse:
    """What has changed on a page since the browser got it: `?known=` lists its rows with their signatures.

    204 when nothing did; else the changed and new rows, and the ids of those that are gone, as out-of-band swaps.
    """
    page = _page(request)
    found = differences(rows_of(page.jobs, request.user), parse_known(request.GET.get("known", "")))
    if not found:
        return HttpResponse(status=204)
    return render(request, "jobs/rows.html", {"differences": found} | _about(page))


def _page(request: HttpRequest) -> Page:
    query = request.GET
    return page_of(table_jobs(request.user), before=number(query.get("before")), after=number(query.get("after")))


def _about(page: Page) -> dict:
    return {"page": page, "now": clock.now()}
