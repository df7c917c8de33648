"""A log on its way out: as pieces of text for a page that stands, and whole as an attachment."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.access.pages import login_needed
from jobs.engine import LogFile
from jobs.paging import number
from jobs.web.logs import Piece, logs_of, open_log, piece, piece_before
from jobs.web.views.detail import job_and_row
from jobs.web.views.files import send


@require_safe
@login_needed
def download_log(request: HttpRequest, job_id: int, attempt: int, name: str) -> FileResponse:
    """A whole log, as an attachment."""
    job, _ = job_and_row(request, job_id)
    try:
        opened = open_log(_log(job, attempt, name))
    except OSError as error:
        raise Http404("There is no such log.") from error
    return send(opened, f"job-{job.pk}-attempt-{attempt}-{name}.txt", "text/plain; charset=utf-8", attachment=True)


@require_safe
@login_needed
def tail(request: HttpRequest, job_id: int, attempt: int, name: str) -> HttpResponse:
    """What a log says from byte `?offset=` on, or up to byte `?before=`, as text.

    The headers `X-Log-Start` and `X-Log-Next` are the piece's first byte and the offset of the next piece, `X-Log-Size`
    the size so far; `X-Log-Active` is 1 while more may come.
    """
    job, row = job_and_row(request, job_id)
    log, before = _log(job, attempt, name), number(request.GET.get("before"))
    try:
        offset = number(request.GET.get("offset")) or 0
        found = piece(log, offset) if before is None else piece_before(log, before)
    except OSError as error:
        raise Http404("There is no such log.") from error
    return _as_text(found, active=row.is_active and attempt == job.attempt)


def _as_text(found: Piece, *, active: bool) -> HttpResponse:
    return HttpResponse(
        found.text,
        content_type="text/plain; charset=utf-8",
        headers={
            "X-Content-Type-Options": "nosniff",
            "X-Log-Start": found.start,
            "X-Log-Next": found.end,
            "X-Log-Size": found.size,
            "X-Log-Active": int(active),
        },
    )


def _log(job, attempt: int, name: str) -> LogFile:
    file = logs_of(job, attempt).get(name) if 1 <= attempt <= job.attempt else None
    if file is None:
        raise Http404("There is no such log.")
    return file
