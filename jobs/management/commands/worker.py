"""`manage.py worker`: a Celery worker, for Jobdeck's own work or for queues of an app (functions), with signs of life."""

import os
from uuid import uuid4

from celery import current_app
from celery.signals import worker_ready, worker_shutting_down
from django.core.management.base import BaseCommand, CommandError

from jobs.conf import conf
from jobs.heartbeat import HeartbeatThread
from jobs.types import plugins
from jobs.worker.hearing import Hearing

OWN_CONCURRENCY = 8
"""Threads for Jobdeck's own work, which is mostly waiting."""


class Command(BaseCommand):
    help = (
        "Submit, stop, fetch and process results; or, with --queues, run what waits there. Any number may run (with the "
        "embedded broker one for each queue)."
    )

    def add_arguments(self, parser):
        parser.add_argument("--queues", default="", help="Take functions from these queues (gpu,default; * for all).")
        parser.add_argument(
            "--pool", choices=("prefork", "threads"), default="prefork", help="With --queues (prefork)."
        )
        parser.add_argument("--concurrency", type=int, help=f"At once ({OWN_CONCURRENCY}; with --queues one per core).")

    def handle(self, *args, queues: str, pool: str, concurrency: int | None, **options):
        if concurrency is not None and concurrency < 1:
            raise CommandError("--concurrency: must be at least 1")
        names = [name.strip() for name in queues.split(",") if name.strip()]
        if not names:
            work(concurrency or OWN_CONCURRENCY)
            return
        run = next((plugin.worker for plugin in plugins() if plugin.worker is not None), None)
        if run is None:
            raise CommandError("--queues: no installed app has queues; add 'jobs.functions' to INSTALLED_APPS")
        run(names, pool=pool, concurrency=concurrency or os.cpu_count() or 1)


def work(concurrency: int) -> None:
    """Do Jobdeck's own work until the process is told to end."""
    heartbeat = HeartbeatThread("worker", Hearing().is_well)
    worker_ready.connect(lambda **_: heartbeat.start(), weak=False)
    worker_shutting_down.connect(lambda **_: heartbeat.stop(), weak=False)
    # Threads, because the work is waiting for engines and for children; what may hang runs in a child anyway.
    current_app.worker_main(
        [
            "--quiet",  # no banner
            "worker",
            "--pool=threads",
            f"--concurrency={concurrency}",
            # Two workers of one name shut each other out at RabbitMQ (RESOURCE_LOCKED), and any number may run.
            f"--hostname={uuid4().hex[:12]}@%h",
            f"--queues={conf.QUEUE}",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=WARNING",
        ]
    )
