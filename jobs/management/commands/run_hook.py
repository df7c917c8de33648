"""`manage.py run_hook JOB HOOK`: one hook of one job, in a process of its own that can be killed."""

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

    def handle(self, *args, job: int, hook: str, **options):
        try:
            hooks.call(job, hook)
        except hooks.ResultsNotWanted as error:
            self.stderr.write(str(error))
        except Exception as error:  # noqa: BLE001 the author's code may raise anything; the person reads its last line and place
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.stderr.write(f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})")
            sys.exit(1)
