"""How much of a worker process one scheduler may occupy: a slow one leaves the others some."""

import threading
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

AT_ONCE = 3
"""Threads of one worker process for one scheduler, for what is wanted of its jobs; as many for what comes after their end."""

_places: dict[Hashable, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(AT_ONCE))


@contextmanager
def place_for(whose: Hashable) -> Iterator[bool]:
    """Whether there is a place for one more; it is kept until the block ends."""
    place = _places[whose]
    got = place.acquire(blocking=False)
    try:
        yield got
    finally:
        if got:
            place.release()
