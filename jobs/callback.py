"""The status callback, `/update-job-status/<id>/` (seed 001, 'Job Status Callback'): jobs report, anybody may ask for a look."""

import json
from datetime import timedelta

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from jobs import clock
from jobs.conf import conf
from jobs.errors import JobOver
from jobs.intents import look_again_at, look_by_hook_soon, look_soon
from jobs.models import Job, job_rows
from jobs.reporting import report
from jobs.status import ACTIVE, resolve_status
from jobs.tokens import matches
from jobs.transitions import storable

LONGEST_BODY = 65536
LONGEST_MESSAGE = 2000


@csrf_exempt  # a report carries the attempt's token; a GET changes nothing
@require_http_methods(["GET", "POST"])
def update_job_status(request: HttpRequest, job_id: int) -> JsonResponse:
    """GET: have the monitor look at the job, now or after `?delay=` seconds. POST: a report of the job's attempt.

    A report is a form or JSON `{status?, progress?, message?}` with `Authorization: Bearer TOKEN`. Answers
    `{"success": true}`, or with `"success": false` and an `error`: 400 a value is wrong, 403 the token, 404 the job,
    409 the attempt is over.
    """
    try:
        delay = _delay(request)
    except ValueError as error:
        return _failure(400, str(error))
    job = Job.objects.shown().filter(pk=job_id).first()
    if job is None:
        return _failure(404, "There is no such job.")
    if request.method == "GET":
        _look(job, delay)
        return JsonResponse({"success": True})
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not matches(token.strip(), job.token_hash):
        return _failure(403, "The token is not that of the job's current attempt.")
    try:
        report(job, job.attempt, **_read_report(request))
    except ValueError as error:
        return _failure(400, str(error))
    except JobOver as error:
        return _failure(409, str(error))
    if delay:
        look_again_at(job.pk, clock.now() + timedelta(seconds=delay))
    return JsonResponse({"success": True})


def _failure(status: int, error: str) -> JsonResponse:
    return JsonResponse({"success": False, "error": error}, status=status)


def _delay(request: HttpRequest) -> float:
    text = request.GET.get("delay", "0")
    try:
        delay = float(text)
    except ValueError:
        delay = -1.0
    if not 0 <= delay <= conf.CALLBACK_MAX_DELAY:
        raise ValueError(f"delay: {text!r} must be a number of seconds from 0 to {conf.CALLBACK_MAX_DELAY}")
    return delay


def _look(job: Job, delay: float) -> None:
    """Ask for a look, at most once in `CALLBACK_LEAST_INTERVAL` seconds for a job."""
    by_hook = job.type is not None and job.type.hooks
    if job.status_code not in ACTIVE or not (job.scheduler_id or by_hook):
        return
    now = clock.now()
    if delay:
        look_again_at(job.pk, now + timedelta(seconds=delay))
        return
    since = now - timedelta(seconds=conf.CALLBACK_LEAST_INTERVAL)
    if by_hook:
        if job.last_look is not None and job.last_look < since:
            look_by_hook_soon(job.pk)
    elif job_rows().filter(pk=job.pk).exclude(last_look__gt=since).update(last_look=now):
        look_soon([job.scheduler_id])


def _read_report(request: HttpRequest) -> dict:
    values = _body(request)
    unknown = sorted(set(values) - {"status", "progress", "message"})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not known; a report has status, progress and message")
    if not values:
        raise ValueError("the report is empty; send at least one of status, progress and message")
    found: dict = {}
    if "status" in values:
        found["status"] = resolve_status(values["status"])
    if "progress" in values:
        found["progress"] = _progress(values["progress"])
    if "message" in values:
        found["message"] = _message(values["message"])
    return found


def _body(request: HttpRequest) -> dict:
    if request.content_type != "application/json":
        return request.POST.dict()
    if len(request.body) > LONGEST_BODY:
        raise ValueError(f"the body is larger than {LONGEST_BODY} bytes")
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ValueError('the body must be a JSON object, for example {"progress": 40}')
    return values


def _message(value) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError(f"message: {value!r} must be a text")
    return storable(str(value))[:LONGEST_MESSAGE]


def _progress(value) -> float:
    try:
        progress = float(value)
    except (TypeError, ValueError, OverflowError):
        progress = -1.0
    if isinstance(value, bool) or not 0 <= progress <= 100:
        raise ValueError(f"progress: {value!r} must be a number from 0 to 100, in percent")
    return progress
