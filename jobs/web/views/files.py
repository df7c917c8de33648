"""Results on their way out: as attachments, as pictures, as sandboxed pages, all of them as one archive."""

from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from jobs.access.pages import login_needed
from jobs.permissions import visible_job_or_404
from jobs.web.archive import MOST_ARCHIVED, stream_zip
from jobs.web.results import IMAGE_BYTES, IMAGES, PAGE_BYTES, PAGES, open_result, suffix
from jobs.workspaces import list_files, workspace_path

SANDBOX = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors {}"
"""Content-Security-Policy of everything that jobs have written: it runs no script, fetches nothing, and counts as a page
of some other site. It is shown inside of nobody's page, but for an HTML result inside of ours."""


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


def send(file: BinaryIO, name: str, content_type: str, *, attachment: bool, framed: bool = False) -> FileResponse:
    """An open file as an answer that no browser takes for a part of this site.

    Args:
        file: closed when it is sent.
        name: of the file, for people; what comes before the last slash is left out.
        content_type: of the answer.
        attachment: to be saved, not shown.
        framed: one of our pages may show it in a frame.
    """
    content = Snapshot(file)
    shown = "".join(character if character.isprintable() else "_" for character in name.rpartition("/")[2])
    response = FileResponse(content, as_attachment=attachment, filename=shown, content_type=content_type)
    response["Content-Length"] = str(content.size)
    response["Content-Security-Policy"] = SANDBOX.format("'self'" if framed else "'none'")
    response["X-Frame-Options"] = "SAMEORIGIN" if framed else "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@login_needed
def download_result(request: HttpRequest, job_id: int, name: str) -> FileResponse:
    """A file of the job's workspace, as an attachment."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    return send(_open(job, name), name, "application/octet-stream", attachment=True)


@require_safe
@login_needed
def image(request: HttpRequest, job_id: int, name: str) -> FileResponse:
    """A picture of the job's workspace, for an <img>."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    if suffix(name) not in IMAGES:
        raise Http404("There is no such picture.")
    return send(_open(job, name, IMAGE_BYTES), name, IMAGES[suffix(name)], attachment=False)


@require_safe
@login_needed
def result_page(request: HttpRequest, job_id: int, name: str) -> FileResponse:
    """An HTML file of the job's workspace, for a sandboxed <iframe> on the job's page."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    if suffix(name) not in PAGES:
        raise Http404("There is no such page.")
    # Without a charset the file's own <meta> says it.
    return send(_open(job, name, PAGE_BYTES), name, "text/html", attachment=False, framed=True)


@require_safe
@login_needed
def download_all(request: HttpRequest, job_id: int) -> HttpResponse:
    """All files of the job's workspace as a ZIP, made while it is sent; 413 where there are more than one archive takes."""
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    folder = workspace_path(job)
    files = list_files(folder, MOST_ARCHIVED + 1)
    if not files:
        raise Http404("The job has no files.")
    if len(files) > MOST_ARCHIVED:
        context = {"job": job, "most": MOST_ARCHIVED, "folder": folder}
        return render(request, "jobs/too_many_files.html", context, status=413)
    name = f"job-{job.pk}-{slugify(job.name)[:60]}".rstrip("-")
    return StreamingHttpResponse(
        stream_zip(folder, files, name),
        content_type="application/zip",
        headers={
            "Content-Disposition": content_disposition_header(True, f"{name}.zip"),
            "X-Content-Type-Options": "nosniff",
        },
    )


def _open(job, name: str, most: int | None = None) -> BinaryIO:
    try:
        file = open_result(job, name)
    except FileNotFoundError as error:
        raise Http404("There is no such file.") from error
    if most is not None and file.seek(0, 2) > most:
        file.close()
        raise Http404("The file is too large to be shown.")
    return file
