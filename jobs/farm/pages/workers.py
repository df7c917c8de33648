"""The tab 'Workers' of a run's page: who works on it, and when each was last heard of."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min
from django.http import HttpRequest

from jobs import clock
from jobs.farm.models import FarmAttempt, FarmBlock, FarmRun, FarmTask, FarmWorker, TaskState
from jobs.farm.pages.ranges import in_blocks
from jobs.farm.pages.standing import rate_in_words, standing_of

MOST = 500
"""Workers that are shown, the last that were heard of."""


@dataclass(frozen=True)
class ShownWorker:
    """A worker as the tab shows it.

    Attributes:
        user: who started it.
        seen: its last sign of life: it asked for tasks, or said something about one that it has.
        rate: tasks per second, in words; empty before it has ended any.
        has: tasks that it has now, in words.
    """

    pk: int
    hostname: str
    pid: int
    user: str
    seen: datetime
    is_silent: bool
    done: str
    rate: str
    has: str


@dataclass(frozen=True)
class _Held:
    """The tasks that a worker has now: how many, the first of them, and when one was last heard of."""

    count: int
    first: int
    updated: datetime | None

    @property
    def words(self) -> str:
        return f"task {self.first:,}" + (f" and {self.count - 1:,} more" if self.count > 1 else "")


def workers_tab(request: HttpRequest, job: FarmRun, row):
    """The workers that asked this run last for a task; those that live first, by host and pid."""
    attempt = job.state
    workers = _shown(job, attempt)
    standing = standing_of(attempt, job.num_tasks)
    state = (standing.phase, standing.waiting > 0)

    def body() -> dict:
        return {
            "workers": workers,
            "standing": standing,
            "living": sum(not worker.is_silent for worker in workers),
            "silent": sum(worker.is_silent for worker in workers),
            "several_users": len({worker.user for worker in workers} | {job.user.get_username()}) > 1,
            "in_all": f"{FarmWorker.objects.filter(run=job.pk).count():,}" if len(workers) == MOST else "",
            "age": FarmWorker.SILENT_AFTER,
        }

    return (workers, state), body


def _shown(job: FarmRun, attempt: FarmAttempt | None) -> list[ShownWorker]:
    rows = list(FarmWorker.objects.filter(run=job.pk).select_related("user").order_by("-seen")[:MOST])
    held = _held(attempt) if attempt is not None and attempt.computing and rows else {}
    shown = [_worker(worker, held.get(worker.pk)) for worker in rows]
    return sorted(shown, key=lambda worker: (worker.is_silent, worker.hostname, worker.pid))


def _worker(worker: FarmWorker, held: _Held | None) -> ShownWorker:
    seen = max(worker.seen, held.updated) if held is not None and held.updated else worker.seen
    is_silent = clock.now() - seen > timedelta(seconds=FarmWorker.SILENT_AFTER)
    # Up to its last word: its rate does not fall while it computes.
    lived = (seen - worker.started).total_seconds()
    return ShownWorker(
        worker.pk,
        worker.hostname,
        worker.pid,
        worker.user.get_username(),
        seen,
        is_silent,
        f"{worker.done:,}",
        rate_in_words(worker.done / lived) if lived >= 1 else "",
        held.words if held is not None else "",
    )


def _held(attempt: FarmAttempt) -> dict[int, _Held]:
    """By worker the tasks that are being computed; they are in the blocks that are open."""
    blocks = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation, closed=False)
    tasks = FarmTask.objects.filter(
        in_blocks(blocks.values_list("number", flat=True)),
        run=attempt.run_id,
        generation=attempt.generation,
        state=TaskState.COMPUTING,
    )
    counted = tasks.values_list("worker_id").annotate(Count("pk"), Min("number"), Max("updated")).order_by()
    return {worker: _Held(count, first, updated) for worker, count, first, updated in counted}
