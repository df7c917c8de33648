"""A worker for functions: a Celery worker that takes calls from certain queues."""

import ctypes
import os
import signal
import sys
from uuid import uuid4

from celery import current_app
from celery.signals import celeryd_after_setup, worker_process_init, worker_ready, worker_shutdown, worker_shutting_down
from django.core.management.base import CommandError

from jobs.functions.logs import JobStream
from jobs.functions.registry import QUEUE, functions
from jobs.functions.tasks import broker_queue
from jobs.functions.worker.calling import here
from jobs.functions.worker.pool import use_death_proof_pool
from jobs.functions.worker.watch import Watch
from jobs.identity import HOST, holder

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""


def run_worker(queues: list[str], *, pool: str, concurrency: int) -> None:
    """Take calls from these queues until the process is told to end.

    Args:
        queues: names; `*` stands for all queues of the functions that there are.
        pool: 'prefork' (a process for each call, which can be ended) or 'threads' (which cannot, but share memory).
        concurrency: calls at once.

    Raises:
        CommandError: a queue's name is none.
    """
    if "*" in queues:
        queues = sorted({"default", *(function.queue for function in functions()), *queues} - {"*"})
    for queue in queues:
        if not QUEUE.fullmatch(queue):
            raise CommandError(f"--queues: {queue!r} is no name for a queue: letters, digits, - and _")
    here.worker, here.in_processes = holder(), pool == "prefork"
    name = os.environ.get("WORKER_NAME") or f"{HOST}:{os.getpid()}"
    watch = Watch(name, queues, concurrency)
    worker_ready.connect(lambda **_: watch.start(), weak=False)
    worker_shutting_down.connect(lambda **_: setattr(watch, "leaving", True), weak=False)
    worker_shutdown.connect(lambda **_: watch.stop(), weak=False)
    if here.in_processes:
        use_death_proof_pool()
        worker_process_init.connect(_prepare_process, weak=False)
    else:
        celeryd_after_setup.connect(_prepare_threads, weak=False)
    # A call is taken when its turn comes, not ahead of time for a process that is busy.
    current_app.conf.worker_prefetch_multiplier = 1
    # After a broker was away Celery would take fewer at first, and has been seen to take none at all.
    current_app.conf.worker_enable_prefetch_count_reduction = False
    current_app.worker_main(
        [
            "--quiet",
            "worker",
            f"--pool={pool}",
            f"--concurrency={concurrency}",
            f"--hostname=functions-{uuid4().hex[:12]}@%h",
            f"--queues={','.join(broker_queue(queue) for queue in queues)}",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=WARNING",
        ]
    )


def _prepare_process(**_) -> None:
    """What a process of the pool does before its first call."""
    if sys.platform == "linux":
        # Without its worker nobody renews the lease of what it runs: it must not go on.
        worker = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != worker:
            os.kill(os.getpid(), signal.SIGKILL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)


def _prepare_threads(**_) -> None:
    sys.stdout, sys.stderr = JobStream(sys.stdout), JobStream(sys.stderr)
