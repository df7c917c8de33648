"""REST of functions."""

from collections.abc import Sequence
from uuid import UUID

from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.openapi import described
from jobs.functions.api import schemas
from jobs.functions.availability import alive_workers, of_function
from jobs.functions.models import CallState, FunctionJob, FunctionWorker
from jobs.functions.pages.panel import worker_of
from jobs.functions.pages.result import open_result_of, send_result
from jobs.functions.pages.workers import ONLY_STAFF, ShownWorker, shown_workers
from jobs.functions.permissions import callable_functions
from jobs.functions.registry import Function, UnknownFunction, get_function
from jobs.functions.serializers import refuse_without_right


def _document(function: Function, workers: Sequence[FunctionWorker]) -> dict:
    return {
        "name": function.name,
        "description": function.description,
        "public": function.public,
        "queue": function.queue,
        "time_limit": function.time_limit,
        "retries": function.retries,
        "idempotent": function.idempotent,
        "fingerprint": function.fingerprint,
        "workers": of_function(function, workers).able,
        "arguments": function.signature.schema(),
    }


class Functions(ApiView):
    """All of them."""

    @described(
        "list_callable_functions",
        "The functions that you may run, each with the JSON schema of its arguments",
        answers={200: schemas.FunctionListSerializer},
        examples=[schemas.FUNCTIONS_ANSWER],
        tag="functions",
    )
    def get(self, request):
        """By name. A job runs one: `POST /api/jobs/` with the type FUNCTION."""
        workers = alive_workers()
        return Response({"results": [_document(function, workers) for function in callable_functions(request.user)]})


class OneFunction(ApiView):
    """One function."""

    @described(
        "read_callable_function",
        "A function, with the JSON schema of its arguments",
        answers={200: schemas.FunctionSerializer},
        errors=(404,),
        examples=[schemas.FUNCTION_ANSWER],
        tag="functions",
    )
    def get(self, request, name: str):
        """What it takes, and who could run it now; 403 for whoever may not run it."""
        try:
            function = get_function(name)
        except UnknownFunction as error:
            raise exceptions.NotFound("There is no such function.") from error
        refuse_without_right(request.user, function)
        return Response(_document(function, alive_workers()))


class Workers(ApiView):
    """The workers for functions, for staff."""

    def check_permissions(self, request):
        super().check_permissions(request)
        if not request.user.is_staff:
            raise exceptions.PermissionDenied(ONLY_STAFF)

    @described(
        "list_function_workers",
        "The workers for functions, what they have and what they run",
        answers={200: schemas.FunctionWorkersSerializer},
        examples=[schemas.WORKERS_ANSWER],
        tag="functions",
    )
    def get(self, request):
        """Those that live or lived within the last day, by name."""
        return Response({"results": [_worker(worker) for worker in shown_workers(request.user)]})


def _worker(shown: ShownWorker) -> dict:
    row = shown.row
    names = ("name", "host", "pid", "queues", "pool", "concurrency", "leaving", "started", "time")
    return {
        **{name: getattr(row, name) for name in names},
        "alive": row.is_alive,
        "functions": shown.versions.same,
        "other_versions": shown.versions.other,
        "running": [
            {
                "job": str(one.call.job.uuid),
                "name": one.call.job.name,
                "function": one.call.job.function,
                "started": one.call.started,
            }
            for one in shown.running
        ],
    }


class FunctionJobView(ApiView):
    """A view of a function's job."""

    def function_job(self, uuid: UUID) -> FunctionJob:
        """The job, if the caller may see it.

        Raises:
            Http404, NotFound: there is none, or it calls no function.
        """
        job = self.job(uuid)
        if not isinstance(job, FunctionJob):
            raise exceptions.NotFound(f"{job.name} calls no function.")
        return job


class JobCall(FunctionJobView):
    """The function of a job."""

    @described(
        "read_job_function",
        "Which function a job calls, with what, and how far that is",
        answers={200: schemas.FunctionCallSerializer},
        errors=(404,),
        examples=[schemas.CALL_ANSWER],
        tag="functions",
    )
    def get(self, request, uuid: UUID):
        """Of the current attempt."""
        job = self.function_job(uuid)
        call = job.calls.filter(attempt=job.attempt).defer("result").first()
        said = {"queue": None, "fingerprint": None, "tries": None, "worker": None}
        if call is not None:
            said = {
                "queue": call.queue,
                "fingerprint": call.route.rpartition(":")[2],
                "tries": call.tries,
                "worker": worker_of(call) if call.state == CallState.RUNNING else None,
            }
        return Response(
            {
                "function": job.function,
                "arguments": job.arguments,
                **said,
                "has_result": call is not None and call.has_result,
                "result_size": call.result_size if call is not None else None,
            }
        )


class JobResult(FunctionJobView):
    """What the function of a job returned."""

    @described(
        "read_job_result",
        "What the function returned",
        answers=schemas.RESULT,
        errors=(404,),
        examples=[schemas.RESULT_ANSWER],
        tag="functions",
    )
    def get(self, request, uuid: UUID):
        """The JSON itself, of the current attempt; 404 while there is none."""
        job = self.function_job(uuid)
        file = open_result_of(job)
        if file is None:
            raise exceptions.NotFound(f"{job.name} has no result; it is {job.status_display}.")
        return send_result(file)
