"""On SQLite, writers one after the other: many that ask for its lock at random starve; here they queue in the kernel."""

import contextlib
import fcntl
from collections.abc import Iterator

from django.db import connection

from jobs.conf import conf

LOCK = "farm.lock"


@contextlib.contextmanager
def my_turn() -> Iterator[None]:
    """Wait until no other writer of farm runs writes; on PostgreSQL, where rows are locked, at once.

    Inside a transaction it is this process's turn already: who waited there would keep SQLite's lock from whom it waits for.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with (conf.data_dir / LOCK).open("wb") as file:
        # Of the open file, and not of the process: threads take turns too.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
