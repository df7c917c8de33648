"""What may be said of a pool's token: whom it names, since when it is kept, until when it is good. Never the token itself."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.condor.bindings.failures import Token
from jobs.secret import Secret, SecretUnreadable

FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A signed JSON Web Token (RFC 7515, 'compact serialization'), which an IDTOKEN is."""


@dataclass(frozen=True)
class TokenFacts:
    """What is known of a stored token.

    Attributes:
        account: whom the pool takes the bearer for, such as jobs@example.org; empty where the token does not say.
        stored: when it was entered.
        expires: when it ceases to be good; None for never, or where the token does not say.
        problem: why it cannot be read any more; then nothing but `stored` is known.
    """

    account: str = ""
    stored: datetime | None = None
    expires: datetime | None = None
    problem: str = ""


def facts(token: Secret) -> TokenFacts | None:
    """What may be said of a stored token; None where there is none."""
    if not token:
        return None
    try:
        claims = Token(token.reveal()).claims
    except SecretUnreadable as error:
        return TokenFacts(stored=entered(token), problem=str(error))
    account = claims.get("sub")
    return TokenFacts(account if isinstance(account, str) else "", entered(token), _moment(claims.get("exp")))


def entered(secret: Secret) -> datetime | None:
    """When it was encrypted: bytes 1 to 8 of a Fernet token (Fernet specification, 'Token Format')."""
    try:
        return _moment(int.from_bytes(base64.urlsafe_b64decode(secret.encrypted)[1:9], "big"))
    except (binascii.Error, ValueError):
        return None


def _moment(seconds) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
