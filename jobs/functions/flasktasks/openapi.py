"""The API of flask-tasks in OpenAPI."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

TASKS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["require_authorization", "args"],
        "properties": {
            "require_authorization": {"type": "boolean"},
            "args": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}


class PingSerializer(serializers.Serializer):
    """A sign of life."""

    status = serializers.CharField()


class NewFlaskTaskSerializer(serializers.Serializer):
    """A task to be run."""

    type = serializers.CharField(help_text="Name of a function.")
    args = serializers.DictField(help_text="By parameter, all that have no default.")


class FlaskTaskSerializer(serializers.Serializer):
    """A task; of one that nobody knows only id, status and an empty result."""

    id = serializers.CharField()
    type = serializers.CharField(required=False)
    args = serializers.DictField(required=False)
    status = serializers.ChoiceField(["PENDING", "STARTED", "SUCCESS", "FAILURE", "REVOKED"])
    result = serializers.JSONField(help_text="What the function returned; {} until SUCCESS.")
    message = serializers.CharField(required=False, help_text="Why, of FAILURE and REVOKED.")


class AllowedSerializer(serializers.Serializer):
    """What a token opens, and until when (seconds since 1970)."""

    allowed_tasks = serializers.DictField(child=serializers.BooleanField())
    exp = serializers.CharField()


class LoginSerializer(serializers.Serializer):
    """Name and password of the site."""

    user = serializers.CharField()
    password = serializers.CharField()


class TokenAnswerSerializer(serializers.Serializer):
    """A token, and until when it is good (seconds since 1970)."""

    token = serializers.CharField()
    exp = serializers.CharField()


class MessageSerializer(serializers.Serializer):
    """What went wrong."""

    message = serializers.CharField()


ID = "5861c3a8-fa0f-4b84-9e54-04b545408114"
PONG = OpenApiExample("there", {"status": "online"}, response_only=True, status_codes=["200"])
LISTED = OpenApiExample(
    "two tasks",
    {
        name: {"require_authorization": protected, "args": {"x": "<class 'int'>", "y": "<class 'int'>"}}
        for name, protected in (("myProtectedTask", True), ("tadd", False))
    },
    response_only=True,
    status_codes=["200"],
)
ADD = OpenApiExample("a sum", {"type": "add", "args": {"x": 1, "y": 2}}, request_only=True)
MOV3D = OpenApiExample(
    "a flight",
    {
        "type": "mov3d",
        "args": {
            "dt": 0.001,
            "mass": 1.0,
            "r0": [0.5, 0.5, 0.5],
            "v0": [10.0, 10.0, 10.0],
            "radius": 0.3,
            "drag": False,
        },
    },
    request_only=True,
)
_TASK = {"id": ID, "args": {"x": 1, "y": 2}, "type": "add"}
ADDING = OpenApiExample(
    "not begun", {**_TASK, "status": "PENDING", "result": {}}, response_only=True, status_codes=["200"]
)
UNKNOWN = OpenApiExample(
    "nobody's",
    {"id": ID, "status": "PENDING", "result": {}},
    response_only=True,
    status_codes=["200"],
)
FAILED = OpenApiExample(
    "failed",
    {**_TASK, "status": "FAILURE", "result": {}, "message": "ValueError: x: must be positive"},
    response_only=True,
    status_codes=["200"],
)
ADDED = OpenApiExample("done", {**_TASK, "status": "SUCCESS", "result": 3}, response_only=True, status_codes=["200"])
ALLOWED = OpenApiExample(
    "one task",
    {"allowed_tasks": {"myProtectedTask": True}, "exp": "1680738370"},
    response_only=True,
    status_codes=["200"],
)
LOGIN = OpenApiExample("a login", {"user": "ann", "password": "…"}, request_only=True)
TOKEN = OpenApiExample(
    "a token", {"token": "eyJhbGciOiJSUzI1NiJ9…", "exp": "1680738370"}, response_only=True, status_codes=["200"]
)
_ERRORS = {
    400: ("Something that is needed is missing.", "type is missing"),
    401: ("No login, or one that does not do.", "this token has expired; get another one at /token"),
    404: ("No such task type, or wrong arguments.", "the required param y was not passed."),
    410: ("The result was removed.", f"the result of {ID} is there no more"),
    413: ("The body is larger than is taken.", "A body may have 10,000,000 bytes here."),
    415: ("What a page of another site sends is not called JSON.", "a page must send its JSON as application/json"),
    429: ("Too often; `Retry-After` says when again.", "there were too many wrong passwords; try again later"),
    503: ("There are no keys to sign tokens.", "there are no keys for tokens: set JWT_PRIVATE_PEM"),
}


def call(
    operation: str,
    summary: str,
    answer: Any,
    *,
    request: Any = None,
    errors: Sequence[int] = (),
    examples: Sequence[OpenApiExample] = (),
    secured: bool | None = True,
):
    """Describe a method of a view of the API of flask-tasks.

    Args:
        answer: of 200.
        errors: statuses beside 429, and with a body 413 and 415.
        secured: False for one that knows no login; None for one where it may be left out.
    """
    responses: dict[Any, Any] = {200: answer}
    of_bodies = {413, 415} if request is not None else set()
    for status in sorted({429, *of_bodies, *errors}):
        words, message = _ERRORS[status]
        shown = OpenApiExample(f"{status}", {"message": message}, status_codes=[str(status)])
        responses[status] = OpenApiResponse(MessageSerializer, description=words, examples=[shown])
    options: dict[str, Any] = {}
    if not secured:
        options["auth"] = [] if secured is False else [{}, {"jwt": []}]
    return extend_schema(
        operation_id=operation,
        summary=summary,
        # That other names for it are taken is for those who do not read this.
        request={"application/json": request} if request is not None else None,
        responses=responses,
        examples=list(examples),
        tags=["flask-tasks"],
        **options,
    )
