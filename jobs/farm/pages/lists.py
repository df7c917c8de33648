"""Single tasks of a run that a person looks for: those that failed, and those that took longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Coalesce

from jobs import clock
from jobs.farm.blocks import SIZE
from jobs.farm.models import FarmAttempt, FarmBlock, FarmTask, FarmWorker, TaskState
from jobs.farm.pages.ranges import in_blocks

MOST_FAILED = 20
MOST_SLOW = 10
LOOKED_AT = 40
"""Blocks in which the slowest tasks are looked for: half of them the first that are open, half the last ones."""
LONGEST_MESSAGE = 400
"""Of a longer one its beginning and its end: what a program says last is often why."""


@dataclass(frozen=True)
class ShownTask:
    """A task as a list has it.

    Attributes:
        took: from when it was handed out to its end, or to now.
        worker: who has it or had it; empty where that is not known any more.
    """

    number: str
    state: str
    tries: int
    message: str
    worker: str
    started: datetime | None
    finished: datetime | None
    took: timedelta | None


@dataclass(frozen=True)
class Failed:
    """Some of the failed tasks; `next` is the `after` of those that follow, None where none does."""

    tasks: Sequence[ShownTask]
    next: int | None = None


@dataclass(frozen=True)
class Slowest:
    """The tasks that took longest, among so many tasks; among all where `looked_at` is empty."""

    tasks: Sequence[ShownTask]
    looked_at: str = ""


class _Seconds(Func):
    """Seconds from the second moment to the first one."""

    arg_joiner = " - "
    template = "EXTRACT(EPOCH FROM (%(expressions)s))"
    output_field = FloatField()

    def as_sqlite(self, compiler, connection, **context):
        days = self.copy()
        days.set_source_expressions([Func(one, function="julianday") for one in self.get_source_expressions()])
        return days.as_sql(compiler, connection, template="(%(expressions)s)", **context)


def _tasks_of(attempt: FarmAttempt) -> QuerySet[FarmTask]:
    return FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation).defer("result", "fence")


def failed_tasks(attempt: FarmAttempt | None, after: int | None = None) -> Failed:
    """The failed tasks in the order of their numbers, those behind `after`."""
    if attempt is None:
        return Failed([])
    rows = _tasks_of(attempt).filter(state=TaskState.FAILED)
    if after is not None:
        rows = rows.filter(number__gt=after)
    found = list(rows.order_by("number")[: MOST_FAILED + 1])
    shown = found[:MOST_FAILED]
    return Failed(_shown(shown), shown[-1].number if len(found) > MOST_FAILED else None)


def slowest_tasks(attempt: FarmAttempt | None, num_tasks: int) -> Slowest:
    """The tasks that took longest from when they were handed out to their end, or until now."""
    if attempt is None:
        return Slowest([])
    rows = _tasks_of(attempt).filter(started__isnull=False).exclude(state=TaskState.WAITING)
    looked_at = ""
    if num_tasks > LOOKED_AT * SIZE:
        blocks, are_all = _blocks_of(attempt)
        rows = rows.filter(in_blocks(blocks))
        looked_at = "" if are_all else f"{len(blocks) * SIZE:,}"
    took = _Seconds(Coalesce("finished", Value(clock.now())), F("started"))
    return Slowest(_shown(rows.order_by(took.desc(), "number")[:MOST_SLOW]), looked_at)


def _blocks_of(attempt: FarmAttempt) -> tuple[list[int], bool]:
    """The blocks in which is looked, and whether there are no others."""
    blocks = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation).values_list(
        "number", flat=True
    )
    half = LOOKED_AT // 2
    found = sorted({*blocks.filter(closed=False).order_by("number")[:half], *blocks.order_by("-number")[:half]})
    return found, len(found) == blocks.count()


def _shown(tasks) -> list[ShownTask]:
    tasks = list(tasks)
    workers = FarmWorker.objects.in_bulk({task.worker_id for task in tasks if task.worker_id})
    now = clock.now()
    return [
        ShownTask(
            f"{task.number:,}",
            TaskState(task.state).label,
            task.tries,
            _shortened(task.message),
            str(workers.get(task.worker_id, "")),
            task.started,
            task.finished,
            max((task.finished or now) - task.started, timedelta(0)) if task.started else None,
        )
        for task in tasks
    ]


def _shortened(message: str) -> str:
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2
    return f"{message[:half]} […] {message[-half:]}"
