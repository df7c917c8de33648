"""Errors of the REST API: one shape for all of them.

`{"error": {"code", "message", "fields"?: {name: [text, …]}}}`; `code` is for programs, the rest for people.
"""

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.views import headers_of
from jobs.bulk import BulkRefused
from jobs.errors import ActionNotAllowed, JobOver, NameTaken

CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    429: "throttled",
}


class Conflict(exceptions.APIException):
    """It cannot be done to the thing as it is now."""

    status_code = 409


class LengthRequired(exceptions.APIException):
    """A body whose length is not said: of such a one nothing would arrive."""

    status_code = 411


def answer_for(error: Exception, context: dict) -> Response | None:
    """The answer to an exception of a view; None for a bug, which Django logs."""
    if isinstance(error, Http404):
        return _answer(404, str(error) or "There is no such thing.")
    if isinstance(error, PermissionDenied):
        return _answer(403, str(error) or "You may not do that.")
    if isinstance(error, RequestDataTooBig):
        return _answer(413, "The body has more bytes than this site takes (DATA_UPLOAD_MAX_MEMORY_SIZE).")
    if isinstance(error, ActionNotAllowed | JobOver | NameTaken):
        return _answer(409, str(error))
    if isinstance(error, BulkRefused):
        name, _, text = str(error).partition(": ")
        return _answer(400, text, {name: [text]})
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        first = next(iter(fields))
        return _answer(400, f"{first}: {fields[first][0]}", fields)
    if isinstance(error, exceptions.APIException):
        return _answer(error.status_code, str(error.detail), headers=headers_of(error))
    return None


def _answer(status: int, message: str, fields: dict | None = None, headers: dict | None = None) -> Response:
    error = {"code": CODES.get(status, "error"), "message": message}
    return Response({"error": error | ({"fields": fields} if fields else {})}, status=status, headers=headers)


def _fields(detail, name: str = "body") -> dict[str, list[str]]:
    """DRF's nested messages as dotted names with texts."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            where = str(key) if name == "body" else f"{name}.{key}"
            found |= _fields(value, name if key == "non_field_errors" else where)
        return found
    if isinstance(detail, list) and any(isinstance(one, dict | list) for one in detail):
        found = {}
        for number, value in enumerate(detail):
            found |= _fields(value, f"{name}.{number}") if value else {}
        return found
    return {name: [str(one) for one in (detail if isinstance(detail, list) else [detail])]}
