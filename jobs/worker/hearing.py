"""A worker that does not hear its broker any more ends, to be started anew by whatever runs the site's processes.

Celery's Redis consumer has been seen not to come back after Redis was away (celery/celery 8030, 8990, 10205): the worker looks
well, and takes nothing.
"""

import logging
import os
import signal
import threading
import time

from celery.worker.state import active_requests

from jobs.models import Action, Intent

log = logging.getLogger(__name__)

DEAF_AFTER = 90.0
"""Seconds for which it has had nothing to do although something waits; a message about that comes every minute at least."""
SENDS = 4
"""Messages about an intent that nobody has taken up by then."""
LEAVE_WITHIN = 15.0
"""Seconds in which it ends by itself."""


class Hearing:
    """What one worker has heard; `is_well()` is asked every few seconds."""

    def __init__(self):
        self._unheard_since: float | None = None
        self._told = False

    def is_well(self) -> bool:
        """Whether the worker seems to hear its broker; if not, it is told to end."""
        if active_requests or not _unheard().exists():
            self._unheard_since = None
            return True
        now = time.monotonic()
        self._unheard_since = self._unheard_since or now
        if now - self._unheard_since < DEAF_AFTER:
            return True
        if not self._told:
            self._told = True
            log.error("much waits that this worker has not heard of for %g s; it ends, to be started anew", DEAF_AFTER)
            last = threading.Timer(LEAVE_WITHIN, os._exit, [1])
            last.daemon = True
            last.start()
            os.kill(os.getpid(), signal.SIGTERM)
        return False


def _unheard():
    """Intents that nobody has taken up, though several messages told of them."""
    wanted = Intent.objects.open().exclude(action=Action.REFRESH)
    return wanted.filter(claim="", tries=0, sends__gte=SENDS)
