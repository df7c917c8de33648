"""Blocks of tasks: made when the first of their tasks is needed, closed when all of their tasks have ended."""

from collections.abc import Iterable

from django.db import connection, transaction

from jobs.farm.models import FarmAttempt, FarmBlock, FarmTask, Phase, TaskState

SIZE = FarmBlock.SIZE


def block_of(number: int) -> int:
    """The block that a task is in."""
    return number // SIZE


def make_block(attempt: FarmAttempt, num_tasks: int, block: int) -> bool:
    """Make a block and its tasks, which wait, unless it is there; whether it was made. Inside the caller's transaction."""
    row = FarmBlock(run_id=attempt.run_id, generation=attempt.generation, number=block)
    known = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation, number=block)
    if known.exists():
        return False
    FarmBlock.objects.bulk_create([row])
    first, last = block * SIZE, min(num_tasks, (block + 1) * SIZE) - 1
    table = connection.ops.quote_name(FarmTask._meta.db_table)
    sql = (
        f"WITH RECURSIVE n(number) AS (SELECT %s UNION ALL SELECT number + 1 FROM n WHERE number < %s) "  # noqa: S608
        f"INSERT INTO {table} (run_id, generation, number, state, percent, fence, tries, message, result) "
        f"SELECT %s, %s, number, '{TaskState.WAITING}', 0, '', 0, '', '' FROM n"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [first, last, attempt.run_id, attempt.generation])
    return True


def make_next_block(attempt: FarmAttempt, num_tasks: int) -> bool:
    """Have tasks that wait, if there are any that have no rows yet; whether some wait now that may be handed out.

    Of several workers that find nothing one makes the next block; the others wait for that, not for one another.
    """
    blocks = block_of(num_tasks - 1) + 1
    with transaction.atomic():
        locked = FarmAttempt.objects.select_for_update().get(pk=attempt.pk)
        attempt.generation, attempt.next_block = locked.generation, locked.next_block
        if locked.phase != Phase.OPEN:
            return False  # paused or over since the caller looked: what waits is not handed out
        waiting = FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation, state=TaskState.WAITING)
        if waiting.exists():
            return True
        made = False
        while attempt.next_block < blocks and not made:
            made = make_block(attempt, num_tasks, attempt.next_block)
            attempt.next_block += 1
        FarmAttempt.objects.filter(pk=attempt.pk).update(next_block=attempt.next_block)
    return made


def have_block(attempt: FarmAttempt, num_tasks: int, number: int) -> None:
    """Have the row of one task."""
    with transaction.atomic():
        locked = FarmAttempt.objects.select_for_update().get(pk=attempt.pk)
        attempt.generation = locked.generation
        make_block(attempt, num_tasks, block_of(number))


def reopen(attempt: FarmAttempt, numbers: Iterable[int]) -> None:
    """Have the blocks of tasks counted again that had ended and have not any more. Inside the caller's transaction.

    Written also where a block is open: who is closing it has it locked, and looks again.
    """
    blocks = FarmBlock.objects.filter(run=attempt.run_id, generation=attempt.generation)
    blocks.filter(number__in={block_of(number) for number in numbers}).update(closed=False)
