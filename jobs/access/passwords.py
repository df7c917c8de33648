"""Passwords over HTTP Basic: checked once and then remembered for a while, and guessed at only so often.

A check costs half a second of CPU (PBKDF2); a script that asks every second would fill a core, and so would a guesser.
"""

import hashlib
import hmac

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.core.cache import cache

REMEMBERED = 300
"""Seconds for which a password that was right need not be hashed again. It is forgotten when it is changed."""
FAILURES = {"name": 10, "address": 100}
"""Wrong passwords for one name, and from one address, in `WINDOW` seconds; then nothing is hashed any more. Behind a proxy many
people have one address."""
WINDOW = 60


class TooManyFailures(Exception):
    """There were too many wrong passwords; nothing was looked at."""


def user_with_password(request, username: str, password: str):
    """The active user of that name and password, or None.

    Raises:
        TooManyFailures: for that name, or from that address.
    """
    if "\0" in username + password:
        return None  # no database can be asked for that
    model = get_user_model()
    known = model._default_manager.filter(**{model.USERNAME_FIELD: username}).first()
    # With the stored hash in it: who changes the password, or locks the account, is asked again.
    memory = f"jobdeck-password-{_keyed(f'{known.pk} {known.password} {password}')}" if known else ""
    if memory and known.is_active and cache.get(memory):
        return known  # whoever guesses meanwhile does not lock them out
    told = {"name": username, "address": request.META.get("REMOTE_ADDR", "")}
    counters = {f"jobdeck-login-{kind}-{_keyed(text)}": FAILURES[kind] for kind, text in told.items()}
    if any((cache.get(counter) or 0) >= most for counter, most in counters.items()):
        raise TooManyFailures
    user = authenticate(request, **{model.USERNAME_FIELD: username, "password": password})
    if user is None or not user.is_active:
        for counter in counters:
            _count(counter)
        return None
    if known is not None and user.pk == known.pk:
        cache.set(memory, True, REMEMBERED)
    return user


def _count(counter: str) -> None:
    cache.add(counter, 0, WINDOW)
    try:
        cache.incr(counter)
    except ValueError:  # its time was over in between
        cache.set(counter, 1, WINDOW)


def _keyed(text: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
