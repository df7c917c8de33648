"""JSON as databases take it."""

import math
import re
from collections.abc import Iterator

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, JSONParser

MOST = 10_000_000
"""Bytes of a body; a workflow of twenty thousand nodes has about half of that."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and halves of surrogate pairs: JSON can say them, PostgreSQL's text and jsonb cannot hold them (manual, 'JSON Types')."""


class TooLarge(APIException):
    """More was sent than is taken."""

    status_code = 413


class _JSON(JSONParser):
    strict = True


class BoundedJSONParser(BaseParser):
    """JSON of a size and a depth that memory has.

    It is no JSONParser: for one of those Django REST framework reads `request.body`, of which Django takes 2.5 MB
    (`DATA_UPLOAD_MAX_MEMORY_SIZE`) and answers to more with a page of its own.
    """

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MOST:
            raise TooLarge(f"A body may have {MOST:,} bytes here.")
        try:
            return _JSON().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


class StorableJSONParser(BoundedJSONParser):
    """JSON that can be stored: texts that databases take, numbers that JSON can say again."""

    def parse(self, stream, media_type=None, parser_context=None):
        data = super().parse(stream, media_type, parser_context)
        if trouble := unstorable(data):
            raise ParseError(trouble)
        return data


def unstorable(data) -> str:
    """What in a JSON value no database takes, for people; empty where it can be stored."""
    for where, value in _leaves(data):
        place = f" in {where.lstrip('.')}" if where else ""
        if isinstance(value, float) and not math.isfinite(value):
            return f"The number{place} is larger than any that can be stored."
        if isinstance(value, str) and _UNSTORABLE.search(value):
            return f"The text {value[:40]!r}{place} has a character that cannot be stored (NUL, half a pair)."
    return ""


def _leaves(data) -> Iterator[tuple[str, object]]:
    """All texts (keys included) and numbers of a JSON value, each with where it stands."""
    waiting = [(data, "")]
    while waiting:
        found, where = waiting.pop()
        if isinstance(found, dict):
            for key, inner in found.items():
                yield where, key
                waiting.append((inner, f"{where}.{key}"))
        elif isinstance(found, list):
            waiting += [(inner, f"{where}.{number}") for number, inner in enumerate(found)]
        else:
            yield where, found
