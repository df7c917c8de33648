"""The tasks of a run as cells of a map: one for each task, or in a long run one for so many.

Read is only what has to be: of blocks that are closed their totals, and the tasks of them that failed where others were done;
of the open blocks, which are few, the tasks that do not wait.
"""

from collections.abc import Container
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet

from jobs.farm.blocks import SIZE
from jobs.farm.models import FarmAttempt, FarmBlock, FarmTask, TaskState
from jobs.farm.pages.ranges import in_blocks

MOST_CELLS = 10_000
SIZES = (1, 2, 4, 5, 10, 20, 25, 50, 100, 125, 250, 500)
"""Tasks of a cell: a block is so many whole ones."""


@dataclass(frozen=True)
class Cells:
    """How many tasks of each cell are in which state; the others wait.

    Attributes:
        size: tasks of a cell; the last one may have fewer.
    """

    num_tasks: int
    size: int
    computing: list[int]
    done: list[int]
    failed: list[int]

    def __len__(self) -> int:
        return len(self.done)

    def tasks_of(self, cell: int) -> int:
        """How many tasks a cell has."""
        return min(self.size, self.num_tasks - cell * self.size)

    @property
    def totals(self) -> dict[str, int]:
        """Tasks in each state."""
        counts = {"done": sum(self.done), "failed": sum(self.failed), "computing": sum(self.computing)}
        return {**counts, "waiting": self.num_tasks - sum(counts.values())}


def size_for(num_tasks: int) -> int:
    """Tasks of a cell."""
    return next(size for size in SIZES if num_tasks <= size * MOST_CELLS)


def cells_of(attempt: FarmAttempt | None, num_tasks: int) -> Cells:
    """The cells at this moment."""
    size = size_for(num_tasks)
    count = -(-num_tasks // size)
    cells = Cells(num_tasks, size, [0] * count, [0] * count, [0] * count)
    if attempt is not None:
        _fill(cells, attempt)
    return cells


def _fill(cells: Cells, attempt: FarmAttempt) -> None:
    """Blocks first: one that is closed meanwhile is still read task by task."""
    blocks = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation)
    still_open, mixed = set(), set()
    for number, closed, done, failed in blocks.values_list("number", "closed", "done", "failed"):
        if not closed:
            still_open.add(number)
            continue
        if done and failed:
            mixed.add(number)
        _put_block(cells, number, cells.done if done else cells.failed)
    tasks = FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation)
    tasks = tasks.annotate(cell=F("number") / cells.size)
    if still_open:
        _put_open(cells, tasks.filter(in_blocks(still_open)), still_open)
    if mixed:
        _put_failed(cells, tasks.filter(in_blocks(mixed)), mixed)


def _put_block(cells: Cells, block: int, into: list[int]) -> None:
    per_block = SIZE // cells.size
    for cell in range(block * per_block, min((block + 1) * per_block, len(cells))):
        into[cell] = cells.tasks_of(cell)


def _put_open(cells: Cells, tasks: QuerySet, blocks: Container[int]) -> None:
    into = {TaskState.COMPUTING: cells.computing, TaskState.DONE: cells.done, TaskState.FAILED: cells.failed}
    counted = tasks.exclude(state=TaskState.WAITING).values_list("state", "cell").annotate(tasks=Count("*")).order_by()
    for state, cell, count in counted:
        if cell * cells.size // SIZE in blocks:
            into[state][cell] += count


def _put_failed(cells: Cells, tasks: QuerySet, blocks: Container[int]) -> None:
    """Of blocks whose tasks were all put down as done."""
    for cell, count in tasks.filter(state=TaskState.FAILED).values_list("cell").annotate(tasks=Count("*")).order_by():
        if cell * cells.size // SIZE in blocks:
            cells.failed[cell] += count
            cells.done[cell] -= count
