"""`manage.py worker`: a Celery worker for Jobdeck's own work, with signs of life."""

from uuid import uuid4

from celery import current_app
from celery.signals import worker_ready, worker_shutting_down
from django.core.management.base import BaseCommand

from jobs.conf import conf
from jobs.heartbeat import HeartbeatThread


class Command(BaseCommand):
    help = "Submit, stop, fetch and process results; any number may run (one with the embedded broker)."

    def add_arguments(self, parser):
        parser.add_argument("--concurrency", type=int, default=8, help="Threads (8).")

    def handle(self, *args, concurrency: int, **options):
        heartbeat = HeartbeatThread("worker")
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
