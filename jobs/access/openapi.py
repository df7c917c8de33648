"""How logins, errors and answers are described in OpenAPI; for REST and the dialects."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers


class TokenLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.access.authentication.TokenLogin"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "A personal token, from the page Tokens."}


class BasicLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.access.authentication.BasicLogin"
    name = "password"

    def get_security_definition(self, auto_schema):
        description = "Name and password of the site; or a personal token as the name, with an empty password."
        return {"type": "http", "scheme": "basic", "description": description}


class SessionLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.access.authentication.SessionLogin"
    name = "session"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "The login of the browser."}


class ErrorBodySerializer(serializers.Serializer):
    """What went wrong."""

    code = serializers.CharField(help_text="For programs: invalid, not_found, conflict, …")
    message = serializers.CharField(help_text="For people: what is wrong, and what would do.")
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="By field, what is wrong with it.",
    )


class ErrorSerializer(serializers.Serializer):
    """Every error of REST has this shape."""

    error = ErrorBodySerializer()


WORDS = {
    400: "Something in the request is wrong; `fields` says what.",
    401: "No login, or one that is not known.",
    403: "Logged in, but this account or token may not do that.",
    404: "There is no such thing, or it is somebody else's.",
    405: "The method is not for this address.",
    409: "It cannot be done to the thing as it is now.",
    411: "The length of the body is not said.",
    413: "It is larger than is taken.",
    415: "The body is of another type than is taken.",
    416: "The range lies outside of the file.",
    429: "Too often; `Retry-After` says when again.",
}
EXAMPLES = {
    400: {
        "code": "invalid",
        "message": "name: This field is required.",
        "fields": {"name": ["This field is required."]},
    },
    401: {"code": "not_authenticated", "message": "Log in: with a personal token, or with name and password."},
    403: {"code": "forbidden", "message": "This token has the scope read; that needs submit."},
    404: {"code": "not_found", "message": "No such job."},
    409: {
        "code": "conflict",
        "message": "Stop: job 7 (wind) is Complete; that can only be done to a job that is Running.",
    },
}


def described(
    operation: str,
    summary: str,
    *,
    answers: dict[Any, Any],
    request: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Sequence[int] = (),
    examples: Sequence[OpenApiExample] = (),
    tag: str = "jobs",
):
    """Describe a method of a view of REST.

    Args:
        operation: its id.
        summary: one line.
        answers: by status (or status and media type), what is answered: a serializer, a type, or a schema.
        request: likewise, what is sent; None for nothing.
        errors: statuses of errors beside 401, 403, 429, and with a body 413 and 415.
        examples: of requests and answers.
    """
    responses: dict[Any, Any] = dict(answers)
    of_bodies = {413, 415} if request is not None else set()
    for status in sorted({401, 403, 429, *of_bodies, *errors}):
        shown = (
            [OpenApiExample(f"{status}", {"error": EXAMPLES[status]}, status_codes=[status])]
            if status in EXAMPLES
            else []
        )
        responses[status] = OpenApiResponse(ErrorSerializer, description=WORDS[status], examples=shown)
    return extend_schema(
        operation_id=operation,
        summary=summary,
        request=request,
        responses=responses,
        parameters=list(parameters),
        examples=list(examples),
        tags=[tag],
    )
