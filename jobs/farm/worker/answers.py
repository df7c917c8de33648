"""What an answer of the site says, and what is wrong with one that says nothing."""

import email.utils
import http.client
import json
import time
from pathlib import Path

PIECE = 1 << 20
"""Bytes that are read at a time."""


class Unanswered(Exception):
    """One try failed in a way that may pass.

    Attributes:
        may_have_arrived: the site may have done what was asked.
        wish: seconds that it asked to be left alone.
        stale: it was only that a connection had ended that was kept from earlier.
    """

    def __init__(self, why: str, *, may_have_arrived: bool, wish: float = 0.0, stale: bool = False):
        super().__init__(why)
        self.may_have_arrived = may_have_arrived
        self.wish = wish
        self.stale = stale


class NotSaved(Exception):
    """An answer could not be written to its file: no fault of the site's."""


def save(response: http.client.HTTPResponse, into: Path) -> None:
    """Save what it brings; the file is there completely or not at all.

    Raises:
        NotSaved: it cannot be written.
    """
    draft = into.with_name(f".{into.name}.draft")
    length = 0
    try:
        file = draft.open("wb")
    except OSError as error:
        raise NotSaved from error
    with file:
        while piece := response.read(PIECE):
            length += len(piece)
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise NotSaved from error
    # Reading piece by piece, http.client does not mind an answer that ends too early.
    expected = response.headers.get("Content-Length")
    if expected is not None and int(expected) != length:
        raise http.client.IncompleteRead(b"", int(expected) - length)
    draft.replace(into)


def is_json(data: bytes) -> bool:
    """Whether it is a whole JSON text."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def words_of(data: bytes) -> str:
    """What an error's body says; empty where it says nothing that is meant for people."""
    try:
        said = json.loads(data)["error"]["message"]
    except (ValueError, TypeError, LookupError):
        return ""
    return str(said)


def seconds_of(wish: str | None) -> float:
    """Seconds of a Retry-After, which may also be a date."""
    if not wish:
        return 0.0
    try:
        return float(wish)
    except ValueError:
        try:
            return max(email.utils.parsedate_to_datetime(wish).timestamp() - time.time(), 0.0)
        except ValueError:
            return 0.0


def why(error: Exception) -> str:
    """What went wrong with a call, in words."""
    if isinstance(error, TimeoutError):
        return "it was silent for too long"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer broke off"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
