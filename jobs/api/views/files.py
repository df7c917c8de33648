"""Logs and files of a job: listed, read by ranges of bytes, and uploaded before it runs."""

import mimetypes
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.access.ranges import send
from jobs.access.uploads import AnyBytes, receive
from jobs.api import schemas
from jobs.engine import EngineError, LogFile, handle_of
from jobs.errors import InvalidAttribute
from jobs.intents import open_action
from jobs.paging import number
from jobs.serializers import LABEL
from jobs.status import Status
from jobs.workspaces import list_files, open_inside, workspace_path


class Logs(ApiView):
    """The logs that there are."""

    @described(
        "list_logs",
        "The logs of a job",
        answers={200: schemas.LogsSerializer},
        parameters=[schemas.ATTEMPT],
        errors=(400, 404),
        examples=[schemas.LOGS_ANSWER],
    )
    def get(self, request, uuid: UUID):
        """Of the current attempt, or of `?attempt=`."""
        job = self.job(uuid)
        attempt = _attempt(request, job)
        found = [{"name": log.name, "size": log.size} for log in _logs(job, attempt)]
        return Response({"attempt": attempt, "results": found})


class OneLog(ApiView):
    """One log, whole or by a range of bytes."""

    @described(
        "read_log",
        "A log, whole or a range of it",
        answers=schemas.LOG,
        parameters=[schemas.ATTEMPT, schemas.RANGE],
        errors=(400, 404),
    )
    def get(self, request, uuid: UUID, name: str):
        """`Range: bytes=-4096` gives its end; a log that grows is followed by asking on from the byte after the last."""
        job = self.job(uuid)
        log = next((one for one in _logs(job, _attempt(request, job)) if one.name == name), None)
        try:
            file = log.open() if log else None
        except (OSError, InvalidAttribute):
            file = None
        if file is None:
            raise exceptions.NotFound("There is no such log.")
        return send(request, file, f"job-{job.pk}-{name}.txt", "text/plain; charset=utf-8")


def _attempt(request, job) -> int:
    text = request.GET.get("attempt")
    attempt = job.attempt if text is None else number(text)
    if attempt is None or not 1 <= attempt <= job.attempt:
        raise exceptions.ValidationError({"attempt": [f"must be a number from 1 to {job.attempt}"]})
    return attempt


def _logs(job, attempt: int) -> list[LogFile]:
    if job.type is None or job.type.engine is None or (attempt == job.attempt and not job.external_id):
        return []
    try:
        return job.type.engine.logs(handle_of(job, attempt=attempt, external_id=None if attempt == job.attempt else ""))
    except (EngineError, OSError):
        return []


class Files(ApiView):
    """The files of a job's workspace."""

    @described(
        "list_files",
        "The files of a job",
        answers={200: schemas.FilesSerializer},
        errors=(404,),
        examples=[schemas.FILES_ANSWER],
    )
    def get(self, request, uuid: UUID):
        """Names, sizes in bytes, and times of the last change; at most 1000."""
        found = list_files(workspace_path(self.job(uuid)))
        results = [{"name": file.name, "size": file.size, "modified": file.modified} for file in found]
        return Response({"results": results})


class OneFile(ApiView):
    """One file: read whole or by a range of bytes; put there before the job runs."""

    parser_classes = (AnyBytes,)
    changing_scope = "submit"

    @described(
        "read_file", "A file, whole or a range of it", answers=schemas.FILE, parameters=[schemas.RANGE], errors=(404,)
    )
    def get(self, request, uuid: UUID, name: str):
        """The file, as an attachment."""
        try:
            file = open_inside(workspace_path(self.job(uuid)), name)
        except (OSError, InvalidAttribute) as error:
            raise exceptions.NotFound("There is no such file.") from error
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return send(request, file, name.rpartition("/")[2], kind)

    @described(
        "upload_file",
        "Put a file into the workspace before the job runs",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        answers={201: schemas.UploadedSerializer},
        errors=(400, 404, 409, 411),
    )
    def put(self, request, uuid: UUID, name: str):
        """Put a file into the workspace of a job that has not been run; the body is the file.

        Answers: 201 with its name and size; 403 an app made the job; 409 it runs or has run; 411 its length is not said; 413
        it is larger than is taken.
        """
        job = self.job(uuid, to_act=True)
        if job.label != LABEL:
            raise exceptions.PermissionDenied(f"The files of {job.name} belong to the app that made it.")
        if job.status_code != Status.PENDING or open_action(job.pk):
            raise Conflict(f"job {job.pk} ({job.name}) is not waiting to be run; files are uploaded before that")
        size = receive(request, job, name)
        return Response({"name": name, "size": size}, status=201)
