"""The result of a job's function: the tab of the job's page, and the download."""

import json

from django.http import FileResponse, Http404, HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from jobs.access.pages import login_needed
from jobs.errors import InvalidAttribute
from jobs.functions.display.shape import display
from jobs.functions.models import FunctionCall, FunctionJob
from jobs.permissions import visible_job_or_404

LARGEST_SHOWN = 5_000_000
"""Bytes of JSON; what is longer is not read for a page, and can be downloaded."""


def result_tab(request: HttpRequest, job: FunctionJob, row):
    """What the function returned in the current attempt, or why there is nothing."""
    call = job.calls.filter(attempt=job.attempt).defer("result").first()
    has_result = call is not None and call.has_result

    def body() -> dict:
        if not has_result:
            return {}
        return {"size": call.result_size, "download_url": _url(job), **_shown(call)}

    return (job.status_code, job.status_message, job.attempt, has_result), body


def _shown(call: FunctionCall) -> dict:
    """How a result is shown, or what is wrong with it."""
    try:
        with call.open_result() as file:
            # A file may be another by now than the one that was written.
            text = file.read(LARGEST_SHOWN + 1)
        if len(text) > LARGEST_SHOWN:
            return {"too_large": True}
        return {"result": display(json.loads(text), call.result_size)}
    except (OSError, InvalidAttribute):
        return {"gone": call.result_file}
    except (ValueError, RecursionError):
        return {"unreadable": call.result_file}


def _url(job: FunctionJob) -> str:
    try:
        return reverse("jobs_functions:result", args=[job.pk])
    except NoReverseMatch:
        return ""  # the site has not mounted the pages of functions


@require_safe
@login_needed
def download(request: HttpRequest, job_id: int) -> FileResponse:
    """The result of a job as a JSON file; 404 while there is none."""
    job = visible_job_or_404(request.user, pk=job_id)
    file = open_result_of(job) if isinstance(job, FunctionJob) else None
    if file is None:
        raise Http404("The job has no result.")
    name = f"job-{job.pk}-{slugify(job.name)[:60]}".rstrip("-")
    return send_result(file, f"{name}.json")


def open_result_of(job: FunctionJob):
    """The result of the current attempt as an open file; None where there is none, or where it is gone."""
    call = job.call
    try:
        return call.open_result() if call is not None and call.has_result else None
    except (OSError, InvalidAttribute):
        return None


def send_result(file, name: str = "") -> FileResponse:
    """A result as an answer that no browser takes for a part of this site; as an attachment where it has a name."""
    response = FileResponse(file, as_attachment=bool(name), filename=name, content_type="application/json")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
