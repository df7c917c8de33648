"""Facts of functions for the health page and `/healthz`."""

from django.db.models import Count

from jobs.functions.availability import alive_workers
from jobs.functions.models import CallState, FunctionCall


def facts() -> dict:
    """How many calls wait and run, how many workers live, and what waits for a worker that is not there; three queries."""
    waiting = FunctionCall.objects.filter(state=CallState.QUEUED).order_by().values_list("queue", "route")
    counts = {(queue, route): count for queue, route, count in waiting.annotate(count=Count("pk"))}
    workers = alive_workers()
    taking = [worker for worker in workers if not worker.leaving]
    queues = {queue for worker in taking for queue in worker.queues}
    routes = {(queue, route) for worker in taking for queue in worker.queues for route in worker.routes}
    return {
        "queued_calls": sum(counts.values()),
        "running_calls": FunctionCall.objects.filter(state=CallState.RUNNING).count(),
        "workers": len(workers),
        "queues_without_a_worker": ", ".join(sorted({queue for queue, _ in counts} - queues)) or "none",
        "calls_that_no_worker_has": sum(count for key, count in counts.items() if key not in routes),
    }
