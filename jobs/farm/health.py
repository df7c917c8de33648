"""Facts of farm runs for the health page and `/healthz`."""

from datetime import timedelta

from django.db.models import Sum

from jobs import clock
from jobs.farm.models import DiscardedTasks, FarmAttempt, FarmWorker, Phase


def facts() -> dict:
    """How many runs are open and paused, what their workers do, and what is still to be removed; five queries."""
    going_on = FarmAttempt.objects.filter(phase__in=[Phase.OPEN, Phase.PAUSED])
    recently = clock.now() - timedelta(seconds=FarmWorker.SILENT_AFTER)
    return {
        "open_runs": going_on.filter(phase=Phase.OPEN).count(),
        "paused_runs": going_on.filter(phase=Phase.PAUSED).count(),
        "tasks_being_computed": going_on.aggregate(tasks=Sum("computing"))["tasks"] or 0,
        "workers_of_the_last_minute": FarmWorker.objects.filter(seen__gt=recently).count(),
        "generations_to_remove": DiscardedTasks.objects.count(),
    }
