"""`manage.py monitor`: watches all schedulers and sweeps intents until it is ended."""

import signal

from django.core.management.base import BaseCommand

from jobs.monitor.process import Monitor


class Command(BaseCommand):
    help = "Watch schedulers and jobs; any number may run, one leads for each scheduler."

    def handle(self, *args, **options):
        monitor = Monitor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: monitor.stop())
        monitor.run()
