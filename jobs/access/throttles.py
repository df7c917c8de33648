"""How often one person may ask, by what is asked for: a script gone wild must not take the site from the others."""

import time

from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from jobs.access.accounts import AccountLogin
from jobs.conf import conf

WINDOW = 60
"""Seconds."""


class KindThrottle(BaseThrottle):
    """So many requests of a kind (read, write, submit) a minute, as `JOBS["API_RATES"]` says, for each person; or for each
    address, where nobody logged in.

    They are counted in Django's cache: by each process for itself where that is in its memory.
    """

    def allow_request(self, request, view) -> bool:
        kind = view.scope_for(request)
        most = conf.API_RATES.get(kind)
        if not most:
            return True
        # The account that stands for whoever does not log in is no caller: one of them must not be in the others' way.
        is_person = request.user.is_authenticated and not isinstance(request.successful_authenticator, AccountLogin)
        caller = request.user.pk if is_person else request.META.get("REMOTE_ADDR", "")
        now = time.time()
        self._left = WINDOW - now % WINDOW
        counter = f"jobdeck-rate-{kind}-{caller}-{int(now // WINDOW)}"
        cache.add(counter, 0, WINDOW + 1)
        try:
            return cache.incr(counter) <= most
        except ValueError:  # it was thrown out in between
            return True

    def wait(self) -> float:
        return self._left
