"""What the monitor does for farm runs: tasks of silent workers are taken back, rows that nobody asks for are removed."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from jobs import clock
from jobs.farm.models import DiscardedTasks, FarmBlock, FarmTask, FarmWorker, TaskState
from jobs.farm.turns import my_turn
from jobs.faultpoints import FaultPoint

TAKE_BACK = FaultPoint("farm.take_back")
REMOVE = FaultPoint("farm.remove_tasks")

AT_ONCE = 5000
"""Rows that are removed in one statement."""
FORGOTTEN_AFTER = timedelta(days=30)
"""A worker that was not seen for so long is shown no more."""

_TAKEN_BACK = ("state", "worker", "fence", "lease_expires", "updated", "finished", "message")

log = logging.getLogger(__name__)


def take_back() -> None:
    """Have the tasks wait again whose leases have expired; those that were handed out often enough have failed."""
    late = FarmTask.objects.filter(state=TaskState.COMPUTING, lease_expires__lt=clock.now())
    if not late.exists():
        return
    with my_turn(), TAKE_BACK, transaction.atomic():
        found = list(late.select_related("run").select_for_update(of=("self",), skip_locked=True)[:1000])
        workers = FarmWorker.objects.in_bulk({task.worker_id for task in found if task.worker_id})
        for task in found:
            who = workers.get(task.worker_id) or "its worker"
            why = f"{who} was not heard of for {task.run.lease_seconds} s"
            log.warning("%s: %s", task, why)
            task.fence, task.lease_expires, task.updated = "", None, clock.now()
            if task.tries >= task.run.max_tries:
                task.state, task.finished = TaskState.FAILED, clock.now()
                task.message = f"It was handed out {task.tries} times; in the end {why}."
            else:
                task.state, task.worker_id = TaskState.WAITING, None
                task.message = f"Try {task.tries} of {task.run.max_tries}: {why}."
        FarmTask.objects.bulk_update(found, _TAKEN_BACK)


def remove_tasks(run_id: int, generation: int) -> bool:
    """Remove some of the rows of a generation; whether none is left."""
    rows = FarmTask.objects.filter(run=run_id, generation=generation)
    with my_turn(), REMOVE:
        some = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        FarmTask.objects.filter(pk__in=some).delete()
        if len(some) == AT_ONCE:
            return False
        FarmBlock.objects.filter(run=run_id, generation=generation).delete()
    return True


def remove_discarded() -> None:
    """Remove some of the rows that nobody asks for any more."""
    discarded = DiscardedTasks.objects.first()
    if discarded is not None and remove_tasks(discarded.run_id, discarded.generation):
        discarded.delete()


def forget_workers() -> None:
    """Remove the rows of workers that were not seen for a month."""
    FarmWorker.objects.filter(Q(run=None) | Q(seen__lt=clock.now() - FORGOTTEN_AFTER)).filter(
        seen__lt=clock.now() - timedelta(days=1)
    ).delete()
