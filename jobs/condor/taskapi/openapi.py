"""The task API in OpenAPI: its documents and errors; `documents.py` makes the answers."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from jobs.condor.taskapi import bodies


class AccountLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.condor.taskapi.account.AccountLogin"
    name = ()

    def get_security_definition(self, auto_schema):
        return []

    def get_security_requirement(self, auto_schema):
        return {}


class TaskSerializer(serializers.Serializer):
    """A task."""

    id = serializers.CharField()
    creationDate = serializers.CharField(help_text="ISO 8601 without zone, UTC.")
    subParams = serializers.DictField(child=serializers.CharField(allow_blank=True))
    state = serializers.ChoiceField(
        [
            (0, "queued"),
            (1, "submitted"),
            (2, "completed"),
            (3, "completed with error"),
            (4, "timed out"),
            (-1, "ignored"),
        ]
    )
    stateDate = serializers.CharField()
    retriesLeft = serializers.IntegerField()
    clusterId = serializers.IntegerField(allow_null=True)
    procId = serializers.IntegerField(allow_null=True)
    expirationDate = serializers.CharField(allow_null=True)
    latestSubId = serializers.CharField(allow_null=True)


class TaskListSerializer(serializers.Serializer):
    """A list of tasks."""

    kind = serializers.CharField()
    responseDate = serializers.CharField()
    items = TaskSerializer(many=True)


class TaskStatusSerializer(serializers.Serializer):
    """How many tasks are in which state."""

    kind = serializers.CharField()
    responseDate = serializers.CharField()
    nTasksQueued = serializers.IntegerField()
    nTasksSubmitted = serializers.IntegerField()
    nTasksCompleted = serializers.IntegerField()
    nTasksCompletedWithError = serializers.IntegerField()
    nTasksTimedOut = serializers.IntegerField()


class TaskOutputSerializer(serializers.Serializer):
    """A file of a task."""

    name = serializers.CharField()
    size = serializers.IntegerField()
    modified = serializers.CharField()


class TaskOutputsSerializer(serializers.Serializer):
    """The files of a task."""

    kind = serializers.CharField()
    responseDate = serializers.CharField()
    items = TaskOutputSerializer(many=True)


class ClusterWithTaskSerializer(serializers.Serializer):
    """A cluster with its task."""

    kind = serializers.CharField()
    cluster = serializers.DictField()
    task = TaskSerializer()
    extra = serializers.DictField()


class NotedSerializer(serializers.Serializer):
    """What was kept of what a tracker posted, and its number; the rest is as it was posted."""

    kind = serializers.CharField()
    noteId = serializers.IntegerField()
    responseDate = serializers.CharField()


class DetailSerializer(serializers.Serializer):
    """What went wrong."""

    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """One thing that is wrong in a body."""

    loc = serializers.ListField(child=serializers.CharField())
    msg = serializers.CharField()
    type = serializers.CharField()


class ProblemsSerializer(serializers.Serializer):
    """What is wrong in a body."""

    detail = ProblemSerializer(many=True)


DELETED = {"type": "object", "required": ["deleted_flag"], "properties": {"deleted_flag": {"type": "boolean"}}}
FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The file.")
NEW = OpenApiExample(
    "the example of its document",
    {
        "id": "41a694e0-5b66-4e79-9abd-7ea9d351f0e6",
        "subParams": {
            "executable": "/home/condoruser/test-retry-02/myscript.sh",
            "initialdir": "/home/condoruser/testlog",
            "arguments": "5 0",
        },
    },
    request_only=True,
)
TASK = OpenApiExample(
    "a task that has ended well",
    {
        "id": "41a694e0-5b66-4e79-9abd-7ea9d351f0e6",
        "creationDate": "2023-11-06T19:08:54",
        "subParams": {"executable": "/home/condoruser/test-retry-02/myscript.sh", "arguments": "5 0"},
        "state": 2,
        "stateDate": "2023-11-06T19:09:15.633848",
        "retriesLeft": 1,
        "clusterId": 102,
        "procId": None,
        "expirationDate": None,
        "latestSubId": "319d6915-55c0-4977-a704-a8e0dcade3c4-1",
    },
    response_only=True,
    status_codes=["200"],
)
CHANGE = OpenApiExample("ended and given up", {"state": -1}, request_only=True)
_ERRORS = {
    401: ("No login, or a wrong one.", DetailSerializer, "Name or password is wrong."),
    403: ("The account may not do that.", DetailSerializer, "ann may not run commands here; staff can permit it."),
    404: ("There is no such thing of yours.", DetailSerializer, "not-found"),
    409: (
        "The id is taken, or it is under way.",
        DetailSerializer,
        "You have a task with the id wind already; use another.",
    ),
    413: ("The body is larger than is taken.", DetailSerializer, "A body may have 10,000,000 bytes here."),
    415: ("The body is no JSON.", DetailSerializer, 'Unsupported media type "text/plain" in request.'),
    422: (
        "Something in the body is wrong.",
        ProblemsSerializer,
        [{"loc": ["body", "subParams", "getenv"], "msg": "may not be set here", "type": "value_error"}],
    ),
    429: ("Too many wrong passwords; `Retry-After` says for how long.", DetailSerializer, "There were too many."),
}


def call(
    operation: str,
    summary: str,
    answer: Any,
    *,
    request: type[bodies.Body] | None = None,
    errors: Sequence[int] = (),
    examples: Sequence[OpenApiExample] = (),
):
    """Describe a method of a view of the task API.

    Args:
        answer: of 200.
        errors: statuses beside 401, 403, 429, and with a body 413, 415 and 422.
    """
    responses: dict[Any, Any] = {(200, "*/*") if answer is FILE else 200: answer}
    of_bodies = {413, 415, 422} if request is not None else set()
    for status in sorted({401, 403, 429, *of_bodies, *errors}):
        words, serializer, example = _ERRORS[status]
        shown = OpenApiExample(f"{status}", {"detail": example}, status_codes=[status])
        responses[status] = OpenApiResponse(serializer, description=words, examples=[shown])
    return extend_schema(
        operation_id=operation,
        summary=summary,
        request=request,
        responses=responses,
        examples=list(examples),
        tags=["task API for HTCondor"],
    )
