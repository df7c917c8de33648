"""How far a run is: exact for who asks, and folded into its attempt for the pages.

Blocks whose tasks have all ended keep their own totals; only the others' tasks are counted, and those are few: tasks are
handed out in the order of their numbers.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from jobs import clock
from jobs.farm.blocks import SIZE
from jobs.farm.models import FarmAttempt, FarmBlock, FarmTask, Phase, TaskState

SMOOTHED_OVER = 30.0
"""Seconds over which the rate is smoothed."""


@dataclass(frozen=True)
class Totals:
    """Of all tasks of a run.

    Attributes:
        percent: the sum of all percentages, 0 to 100 for each task.
    """

    num_tasks: int
    done: int = 0
    failed: int = 0
    computing: int = 0
    percent: float = 0.0

    @property
    def waiting(self) -> int:
        """Those that nobody has and that have not ended."""
        return self.num_tasks - self.done - self.failed - self.computing

    @property
    def all_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.done + self.failed == self.num_tasks

    @property
    def percent_done(self) -> float:
        """The mean percentage."""
        return self.percent / self.num_tasks


def _sql() -> str:
    quote = connection.ops.quote_name
    blocks, tasks = quote(FarmBlock._meta.db_table), quote(FarmTask._meta.db_table)
    closed = "WHERE run_id = %s AND generation = %s AND closed"
    return (
        f"SELECT -1, 'D', COALESCE(SUM(done), 0), COALESCE(SUM(percent), 0) FROM {blocks} {closed} "  # noqa: S608 our names
        f"UNION ALL SELECT -1, 'F', COALESCE(SUM(failed), 0), 0 FROM {blocks} {closed} "
        f"UNION ALL {_open_blocks(blocks, tasks)}"
    )


def _open_blocks(blocks: str, tasks: str) -> str:
    """The tasks of the open blocks, counted block by block.

    A plain join of both is planned by statistics, which may be of a time before the run: PostgreSQL was seen to read all tasks
    once for each block. What is LATERAL and aggregates is done for each block by itself.
    """
    within = f"t.number >= b.number * {SIZE} AND t.number < b.number * {SIZE} + {SIZE}"
    same = "t.run_id = b.run_id AND t.generation = b.generation"
    these = "b.run_id = %s AND b.generation = %s AND NOT b.closed"
    if connection.vendor == "postgresql":
        return (
            f"SELECT b.number, c.state, c.tasks, c.percent FROM {blocks} b CROSS JOIN LATERAL ("  # noqa: S608 our names
            f"SELECT t.state, COUNT(*) AS tasks, SUM(t.percent) AS percent FROM {tasks} t WHERE {same} AND {within} "
            f"GROUP BY t.state) c WHERE {these}"
        )
    return (
        f"SELECT b.number, t.state, COUNT(*), SUM(t.percent) FROM {blocks} b JOIN {tasks} t ON {same} AND {within} "  # noqa: S608
        f"WHERE {these} GROUP BY b.number, t.state"
    )


def totals_of(attempt: FarmAttempt, num_tasks: int) -> Totals:
    """The exact totals at this moment."""
    return _count(attempt, num_tasks)[0]


def _count(attempt: FarmAttempt, num_tasks: int) -> tuple[Totals, dict[int, dict[str, int]]]:
    """The totals, and those of each block that is open: state → tasks. One statement: one moment."""
    sums: dict[str, int] = defaultdict(int)
    blocks: dict[int, dict[str, int]] = defaultdict(dict)
    percent = 0.0
    with connection.cursor() as cursor:
        cursor.execute(_sql(), [attempt.run_id, attempt.generation] * 3)
        for block, state, count, summed in cursor.fetchall():
            sums[state] += int(count)
            percent += float(summed or 0)
            if block >= 0:
                blocks[block][state] = count
    totals = Totals(num_tasks, sums[TaskState.DONE], sums[TaskState.FAILED], sums[TaskState.COMPUTING], percent)
    return totals, blocks


def fold(attempt: FarmAttempt, num_tasks: int) -> Totals:
    """Count, write the totals into the attempt, and close the blocks whose tasks have all ended."""
    totals, blocks = _count(attempt, num_tasks)
    for block, states in blocks.items():
        if states.keys() <= {TaskState.DONE, TaskState.FAILED}:
            _close(attempt, block)
    now = clock.now()
    since = (now - (attempt.folded or attempt.started)).total_seconds()
    ended = totals.done + totals.failed - attempt.done - attempt.failed
    rate = attempt.rate
    if since > 0:
        share = min(1.0, since / min(SMOOTHED_OVER, max(1.0, (now - attempt.started).total_seconds())))
        rate = rate * (1 - share) + max(0, ended) / since * share
    values = {
        "done": totals.done,
        "failed": totals.failed,
        "computing": totals.computing,
        "percent": totals.percent_done,
        "rate": rate,
        "folded": now,
    }
    FarmAttempt.objects.filter(pk=attempt.pk, generation=attempt.generation).update(**values)
    for name, value in values.items():
        setattr(attempt, name, value)
    return totals


def _close(attempt: FarmAttempt, block: int) -> None:
    with transaction.atomic():
        rows = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation, number=block)
        if not rows.select_for_update().exists():
            return
        tasks = FarmTask.objects.filter(
            run=attempt.run_id, generation=attempt.generation, number__gte=block * SIZE, number__lt=(block + 1) * SIZE
        )
        # Counted anew: who has one of its tasks again has written that before, or waits for this.
        found = list(tasks.values_list("state", "percent"))
        states = [state for state, _ in found]
        if set(states) <= {TaskState.DONE, TaskState.FAILED}:
            rows.update(
                closed=True,
                done=states.count(TaskState.DONE),
                failed=states.count(TaskState.FAILED),
                percent=sum(percent for _, percent in found),
            )


def eta_of(attempt: FarmAttempt, totals: Totals) -> float | None:
    """Seconds until all tasks have ended if it goes on as it did; None where nothing is known of that."""
    left = totals.num_tasks - totals.done - totals.failed
    if attempt.phase != Phase.OPEN or attempt.rate <= 0 or not left:
        return None
    return left / attempt.rate
