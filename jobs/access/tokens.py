"""Personal tokens: made, found by their text, revoked."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from jobs import clock
from jobs.errors import InvalidAttribute
from jobs.models import AccessToken

PREFIX = "jobdeck_"
"""Begins every token, so that people and scanners for leaked secrets know one when they see it."""
MOST = 100
"""Usable tokens of one person."""
USED_TO_THE = timedelta(hours=1)


def make_token(user, name: str, scopes: Iterable[str], *, expires: datetime | None = None) -> tuple[AccessToken, str]:
    """Make a token for a person.

    Args:
        user: who may then be spoken for.
        name: for its owner.
        scopes: of `AccessToken.SCOPES`; at least one.
        expires: an aware moment; None for never.

    Returns:
        Its row, and its text, which is kept nowhere and cannot be had again.

    Raises:
        InvalidAttribute: names what is wrong.
    """
    name, wanted = name.strip(), list(dict.fromkeys(scopes))
    if not name or len(name) > 100 or not name.isprintable():
        raise InvalidAttribute("name: give it a name of 1 to 100 characters, by which you will know what it is for")
    if not wanted or set(wanted) - set(AccessToken.SCOPES):
        raise InvalidAttribute(f"scopes: choose one or more of {', '.join(AccessToken.SCOPES)}")
    if expires is not None and expires <= clock.now():
        raise InvalidAttribute("expires: must be in the future, or left out")
    if AccessToken.objects.usable().filter(user=user).count() >= MOST:
        raise InvalidAttribute(f"name: you have {MOST} tokens already; revoke those that you do not need any more")
    text = PREFIX + secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        user=user,
        name=name,
        digest=_digest(text),
        ending=text[-4:],
        scopes=[scope for scope in AccessToken.SCOPES if scope in wanted],
        created=clock.now(),
        expires=expires,
    )
    return row, text


def token_of(text: str) -> AccessToken | None:
    """The usable token with that text, its owner active; notes that it was used."""
    if not text.startswith(PREFIX):
        return None
    # A digest of 256 random bits: looking it up by an index tells nobody anything.
    token = AccessToken.objects.usable().select_related("user").filter(digest=_digest(text)).first()
    if token is None or not token.user.is_active:
        return None
    now = clock.now()
    if token.last_used is None or now - token.last_used > USED_TO_THE:
        AccessToken.objects.filter(pk=token.pk).update(last_used=now)
    return token


def revoke(user, token_id: int) -> bool:
    """Revoke a token of a person; whether there was one."""
    return bool(AccessToken.objects.filter(pk=token_id, user=user, revoked=None).update(revoked=clock.now()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
