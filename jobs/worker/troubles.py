"""What a worker writes down about a scheduler that did not answer."""

from django.db.models import F

from jobs import clock
from jobs.models import Scheduler


def scheduler_failed(scheduler, error: str) -> None:
    """Count a question without an answer, and show why."""
    Scheduler.objects.filter(pk=scheduler.pk).update(
        failures=F("failures") + 1, last_error=error[:1000], last_error_time=clock.now()
    )


def scheduler_answered(scheduler) -> None:
    """Forget earlier failures; the last error stays to be read."""
    Scheduler.objects.filter(pk=scheduler.pk, failures__gt=0).update(failures=0)
