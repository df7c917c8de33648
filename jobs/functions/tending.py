"""What the monitor does for functions: calls whose worker is silent are taken back, idle workers are woken."""

import logging
import time
from collections import Counter
from datetime import timedelta

from django.db.models import Count

from jobs import clock
from jobs.conf import conf
from jobs.functions import calls
from jobs.functions.models import CallState, FunctionCall, FunctionWorker
from jobs.functions.tasks import wake

log = logging.getLogger(__name__)

STEP = 1.0
"""Seconds between two looks."""
UNTOUCHED = timedelta(seconds=1)
"""A call that an idle worker has not taken after so long was not heard of: its message is lost, or its time came later."""
REMEMBERED = timedelta(days=1)
"""A worker that was last heard of so long ago is shown no more."""
AT_A_TIME = 10
"""Wake-ups for each idle place of a worker."""
BLIND_AFTER = 5.0
"""Who has not looked for so many seconds (no database, say) cannot tell a silent worker from one that was not heard."""


class Tending:
    """Done by the monitor that leads."""

    def __init__(self):
        self._last = 0.0
        self._watching_since = 0.0

    def tend(self) -> None:
        """Do what is due, once a second."""
        now = time.monotonic()
        if now - self._last < STEP:
            return
        if now - self._last > BLIND_AFTER:
            self._watching_since = now
        if now - self._watching_since >= conf.FUNCTION_LEASE / 2:
            take_back()
        wake_idle()
        # After the work: where the database did not answer, nothing was seen.
        self._last = time.monotonic()


def take_back() -> None:
    """Have the calls run again, or fail, whose workers have not been heard of for the time of a lease."""
    silent = FunctionCall.objects.filter(state=CallState.RUNNING, lease_expires__lt=clock.now())
    found = list(silent.select_related("job").order_by("pk")[:1000])
    names = FunctionWorker.objects.in_bulk({call.worker for call in found}, field_name="holder")
    for call in found:
        who = f"Its worker {names.get(call.worker) or call.worker.rsplit(':', 1)[0]}"
        # It may have been heard of since.
        if calls.died(call, who, guard=calls.lapsed):
            log.warning("%s: %s was not heard of for %g s", call.tag, who, conf.FUNCTION_LEASE)


def wake_idle() -> None:
    """Send wake-ups for calls that wait although a worker that could take them has nothing to do."""
    waiting = FunctionCall.objects.filter(state=CallState.QUEUED, due__lt=clock.now() - UNTOUCHED)
    queues = set(waiting.order_by().values_list("queue", flat=True).distinct())
    if not queues:
        return
    running = FunctionCall.objects.filter(state=CallState.RUNNING).order_by()
    busy = Counter(dict(running.values_list("worker").annotate(Count("pk"))))
    for worker in FunctionWorker.objects.alive().filter(leaving=False):
        idle = worker.concurrency - busy[worker.holder]
        for queue in queues.intersection(worker.queues) if idle > 0 else ():
            there = waiting.filter(queue=queue, route__in=worker.routes).order_by("pk")[: idle * AT_A_TIME]
            wake(queue, len(there.values_list("pk")))


def forget_dead_workers() -> None:
    """Remove the rows of workers that were killed, and so could not take theirs with them, after a day."""
    FunctionWorker.objects.filter(time__lt=clock.now() - REMEMBERED).delete()
