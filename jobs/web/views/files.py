"""Logs and results on their way out: as attachments, as the tail of a log, as pictures."""

from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.engine import LogFile
from jobs.permissions import visible_job_or_404
from jobs.web.access import login_needed
from jobs.web.logs import PIECE, logs_of, piece
from jobs.web.paging import number
from jobs.web.results import IMAGES, open_result, suffix
from jobs.web.views.detail import job_and_row

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
"""Content-Security-Policy of everything that jobs have written: opened by itself it runs and fetches nothing."""


class Snapshot:
    """The bytes that a file had when it was opened: a log that grows while it is sent keeps to its announced length."""

    def __init__(self, file: BinaryIO):
        self.file = file
        self.size = self.left = file.seek(0, 2)
        file.seek(0)

    def read(self, length: int = -1) -> bytes:
        data = self.file.read(self.left if length < 0 else min(length, self.left))
        self.left -= len(data)
        return data

    def close(self) -> None:
        self.file.close()


def _send(file: BinaryIO, name: str, content_type: str, *, attachment: bool) -> FileResponse:
    content = Snapshot(file)
    shown = "".join(character if character.isprintable() else "_" for character in name.rpartition("/")[2])
    response = FileResponse(content, as_attachment=attachment, filename=shown, content_type=content_type)
    response["Content-Length"] = str(content.size)
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@login_needed
def download_result(request: HttpRequest, job_id: int, name: str) -> FileResponse:
    """A file of the job's workspace, as an attachment."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    return _send(_open(job, name), name, "application/octet-stream", attachment=True)


@require_safe
@login_needed
def image(request: HttpRequest, job_id: int, name: str) -> FileResponse:
    """A picture of the job's workspace, for an <img>."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    if suffix(name) not in IMAGES:
        raise Http404("There is no such picture.")
    return _send(_open(job, name), name, IMAGES[suffix(name)], attachment=False)


@require_safe
@login_needed
def download_log(request: HttpRequest, job_id: int, attempt: int, name: str) -> FileResponse:
    """A whole log, as an attachment."""
    job, _ = job_and_row(request, job_id)
    file = _log(job, attempt, name)
    try:
        opened = file.path.open("rb")
    except OSError as error:
        raise Http404("There is no such log.") from error
    return _send(opened, f"job-{job.pk}-attempt-{attempt}-{name}.txt", "text/plain; charset=utf-8", attachment=True)


@require_safe
@login_needed
def tail(request: HttpRequest, job_id: int, attempt: int, name: str) -> HttpResponse:
    """What a log says from byte `?offset=` on, as text.

    The header `X-Log-Next` is the offset of the next piece, `X-Log-Size` the size so far; `X-Log-Active` is 1 while more
    may come.
    """
    job, row = job_and_row(request, job_id)
    try:
        found = piece(_log(job, attempt, name), number(request.GET.get("offset")) or 0, PIECE)
    except OSError as error:
        raise Http404("There is no such log.") from error
    active = row.is_active and attempt == job.attempt
    return HttpResponse(
        found.text,
        content_type="text/plain; charset=utf-8",
        headers={
            "X-Content-Type-Options": "nosniff",
            "X-Log-Next": found.end,
            "X-Log-Size": found.size,
            "X-Log-Active": int(active),
        },
    )


def _open(job, name: str) -> BinaryIO:
    try:
        return open_result(job, name)
    except FileNotFoundError as error:
        raise Http404("There is no such file.") from error


def _log(job, attempt: int, name: str) -> LogFile:
    file = logs_of(job, attempt).get(name) if 1 <= attempt <= job.attempt else None
    if file is None:
        raise Http404("There is no such log.")
    return file
