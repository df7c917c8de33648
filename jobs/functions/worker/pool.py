"""A pool of processes that goes on when one of them is killed, on brokers without an event loop (the embedded one).

Celery's pool for these has one pipe for all processes, read under a semaphore. An idle process waits in its read, with the
semaphore: killed there, it takes it along, and no other process ever reads again (as in CPython, issue 20527).
"""

import fcntl
import tempfile

from billiard.pool import Pool
from celery.concurrency.prefork import TaskPool


class FileLock:
    """A lock between processes that the kernel gives back when its holder dies, in whatever way."""

    def __init__(self):
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 open as long as the pool

    def acquire(self) -> None:
        # POSIX record locks belong to a process: a fork inherits the file, and not the lock.
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_) -> None:
        self.release()


class DeathProofPool(Pool):
    """Billiard's pool with such locks at its pipes."""

    def _setup_queues(self):
        super()._setup_queues()
        self._inqueue._rlock = FileLock()
        self._outqueue._wlock = FileLock()


def use_death_proof_pool() -> None:
    """Have Celery use it where it would use billiard's own."""
    TaskPool.BlockingPool = DeathProofPool
