"""The tokens of the API of taskfarm: who asked with name and password goes on with one, and pays for no hashing.

As there, they do not expire; they open this API only, and end with the password.
"""

from django.contrib.auth import get_user_model
from django.core import signing
from django.utils.crypto import constant_time_compare

_SALT = "jobs.farm.taskfarm.token"
_STAMP = 16


def make_token(user) -> str:
    """A token for a person."""
    # In Basic's header a name ends at the first colon.
    return signing.dumps([user.pk, _stamp(user)], salt=_SALT).replace(":", ".")


def user_of(token: str):
    """The active user that the token was made for, or None."""
    try:
        pk, stamp = signing.loads(token.replace(".", ":"), salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = get_user_model()._default_manager.filter(pk=pk, is_active=True).first()
    if user is None or not constant_time_compare(_stamp(user), stamp):
        return None
    return user


def _stamp(user) -> str:
    """Another one as soon as the password is another one."""
    return user.get_session_auth_hash()[:_STAMP]
