"""The tokens that a job's attempt reports with.

A token is derived from the secret key, so that a process that takes over a submission makes the very same one; the
database has only its hash, which stays right when the secret key changes while the job runs.
"""

import hashlib
import hmac
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare


def callback_token(uuid: UUID, attempt: int) -> str:
    """The token of one attempt: 64 hexadecimal digits."""
    text = f"jobdeck callback {uuid.hex} {attempt}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def matches(token: str, stored_hash: str) -> bool:
    """Whether `token` is the one whose hash is stored; takes the same time either way."""
    return bool(stored_hash) and constant_time_compare(token_hash(token), stored_hash)
