"""The sweep: finds what is to be done and wakes workers for it, whatever became of earlier messages."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q
from kombu.exceptions import OperationalError

from jobs import clock, hooks, intents, scheduler_test, tasks
from jobs.conf import conf
from jobs.errors import ActionNotAllowed
from jobs.faultpoints import FaultPoint
from jobs.models import Action, Heartbeat, Intent, job_rows
from jobs.status import ACTIVE, Status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.types import job_types
from jobs.worker import bulk, fetching

log = logging.getLogger(__name__)

SEND = FaultPoint("monitor.send")
MARK_SENT = FaultPoint("monitor.mark_sent")
MARK_LOOKS = FaultPoint("monitor.mark_looks")

AT_ONCE = 500
"""Intents sent in one sweep; the rest follows in the next."""
TOGETHER = 5
"""Intents of one scheduler in one message."""
LONGEST_RESEND = 60
LONGEST_SEND_AGAIN = 10
"""Seconds between two wake-ups for results, outputs and the like that nobody has taken up."""


class Sweep:
    """Run `once()` at least once a second. Keeps only when what was last sent, which a restart may forget."""

    def __init__(self):
        self._sent: dict[str, dict[int, tuple[datetime, int]]] = {}

    def once(self) -> None:
        """Wake workers for open intents, results, hooks and bulk actions, and schedule the looks that callbacks asked for."""
        send_intents()
        self._send_results()
        self._send_each(tasks.look_by_hook, hooks.due_looks())
        self._send_each(tasks.carry_out_bulk, bulk.due())
        self._send_each(tasks.fetch_outputs, fetching.due()[:AT_ONCE])
        self._send_each(tasks.tidy_up, fetching.to_tidy())
        self._send_each(tasks.test_scheduler, scheduler_test.due())
        mark_due_looks()
        stop_overdue()

    def _send_results(self) -> None:
        ready = job_rows().filter(status_code=Status.RESULTS_READY)
        free = ready.filter(Q(claim="") | Q(claim_expires__lt=clock.now())).order_by("pk")
        self._send_each(tasks.process_results, free.values_list("pk", flat=True)[:AT_ONCE])

    def _send_each(self, task, ids: Iterable[int]) -> None:
        """Wake workers for each of these, again only after a while: with no worker there messages would pile up."""
        now = clock.now()
        before, sent = self._sent.get(task.name, {}), {}
        for one in ids:
            last, times = before.get(one, (None, 0))
            pause = min(LONGEST_SEND_AGAIN, conf.RESEND_AFTER * 2 ** min(max(times - 1, 0), 6))
            if last is None or now - last > timedelta(seconds=pause):
                _send(task, one)
                last, times = now, times + 1
            sent[one] = last, times
        self._sent[task.name] = sent


def send_intents() -> None:
    """Wake workers for the intents that are due. Two monitors at once send an intent only once: the guard is its due time."""
    now = clock.now()
    free = Q(claim="") | Q(claim_expires__lt=now)
    due = Intent.objects.open().exclude(action=Action.REFRESH).filter(free, next_try__lte=now)
    rows = list(due.order_by("next_try").values("pk", "sends", "job__scheduler_id")[:AT_ONCE])
    if not rows:
        return
    groups: dict[object, list[int]] = defaultdict(list)
    by_sends: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        groups[row["job__scheduler_id"]].append(row["pk"])
        by_sends[row["sends"]].append(row["pk"])
    with committing(MARK_SENT):
        for sends, ids in by_sends.items():
            pause = min(LONGEST_RESEND, conf.RESEND_AFTER * 2 ** min(sends, 6))
            taken = Intent.objects.open().filter(pk__in=ids, next_try__lte=now)
            taken.update(next_try=now + timedelta(seconds=pause), sends=F("sends") + 1)
    for ids in groups.values():
        for start in range(0, len(ids), TOGETHER):
            _send(tasks.carry_out, ids[start : start + TOGETHER])


def _send(task, argument) -> None:
    try:
        with SEND:
            task.apply_async([argument], queue=conf.QUEUE, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the broker does not take messages: %s", error)


def mark_due_looks() -> None:
    """Have the schedulers looked at for which a callback's `?delay=` has passed."""
    rows = list(job_rows().filter(look_at__lte=clock.now()).values_list("pk", "scheduler_id")[:AT_ONCE])
    if rows:
        with committing(MARK_LOOKS):
            intents.mark_look_wanted({scheduler for _, scheduler in rows if scheduler is not None})
            job_rows().filter(pk__in=[pk for pk, _ in rows]).update(look_at=None)


def stop_overdue() -> None:
    """Want a stop for the jobs that run longer than their timeout, where their engine does not see to it."""
    types = [job_type for job_type in job_types() if job_type.engine is not None]
    names = [job_type.engine.name for job_type in types if not job_type.engine.supports.timeout]
    running = job_rows().filter(status_code__in=ACTIVE, timeout__isnull=False, start_time__isnull=False)
    acted_on = Intent.objects.open().exclude(action=Action.REFRESH).values("job_id")
    for job in running.filter(scheduler__type__in=names).exclude(pk__in=acted_on) if names else ():
        if clock.now() - job.start_time > timedelta(seconds=job.timeout):
            message = f"It ran longer than its {job.timeout} seconds."
            transition([Change(job.pk, job.attempt, message=message)], source="monitor")
            try:
                intents.want(job, Action.STOP)
            except ActionNotAllowed as error:  # it ended, or is being deleted, since we looked
                log.info("%s", error)


def forget_dead_heartbeats() -> None:
    """Remove signs of life older than a day."""
    Heartbeat.objects.filter(time__lt=clock.now() - timedelta(days=1)).delete()
