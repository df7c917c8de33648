"""Who calls the API of taskfarm: HTTP Basic with name and password, or with a token as the name and an empty password."""

import base64
import binascii
import time

from django.http import HttpRequest

from jobs.access.passwords import WINDOW, TooManyFailures, user_with_password
from jobs.farm.taskfarm.tokens import user_of

KNOWN_FOR = 2.0
"""Seconds for which a token is not looked up again: a worker asks many times a second."""
MOST_KNOWN = 1000

_known: dict[str, tuple[float, object]] = {}


class LoginNeeded(Exception):
    """Nobody, or not with this; `retry_after` seconds where there were too many tries."""

    def __init__(self, message: str, retry_after: int = 0):
        super().__init__(message)
        self.retry_after = retry_after


def caller_of(request: HttpRequest):
    """The user who calls.

    Raises:
        LoginNeeded: see there.
    """
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        raise LoginNeeded("log in with HTTP Basic: name and password, or a token as the name with an empty password")
    now = time.monotonic()
    found = _known.get(text)
    if found is not None and found[0] > now:
        return found[1]
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise LoginNeeded("the header Authorization is no Basic login (name:password in Base64)")
    if password:
        return _by_password(request, name, password)
    # Never hashed as a password.
    user = user_of(name)
    if user is None:
        raise LoginNeeded("this token is not known here, or its owner has another password now")
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[text] = (now + KNOWN_FOR, user)
    return user


def _by_password(request: HttpRequest, name: str, password: str):
    try:
        user = user_with_password(request, name, password)
    except TooManyFailures:
        message = "there were too many wrong passwords for this name or from this address"
        raise LoginNeeded(message, retry_after=WINDOW) from None
    if user is None:
        raise LoginNeeded("name or password is wrong")
    return user
