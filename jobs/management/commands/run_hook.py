"""`manage.py run_hook JOB HOOK`: one hook of one job, in a process of its own that can be killed."""

import signal
import sys
import traceback

from django.core.management.base import BaseCommand

from jobs import hooks


class Command(BaseCommand):
    help = "Call one hook of one job; workers start this with a deadline."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("job", type=int)
        parser.add_argument("hook", choices=hooks.HOOKS)
        parser.add_argument("--seconds", type=float, default=0.0, help="The process ends itself after so many (never).")

    def handle(self, *args, job: int, hook: str, seconds: float, **options):
        # By the signal's default action, so that it also ends what never comes back to Python.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            hooks.call(job, hook)
        except hooks.ResultsNotWanted as error:
            self.stderr.write(str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 the author's code may raise anything; the person reads its last line and place
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.stderr.write(f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})")
            sys.exit(1)
