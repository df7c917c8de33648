"""What is said about a task by its number alone, without a token, as the API of taskfarm has it: about the current attempt."""

from django.db import connection, transaction

from jobs import clock
from jobs.farm.access import Place
from jobs.farm.blocks import block_of, have_block, make_block, reopen
from jobs.farm.models import FarmAttempt, FarmTask, Phase, TaskState
from jobs.farm.reports import ENDED, note_ended
from jobs.farm.turns import my_turn
from jobs.faultpoints import FaultPoint
from jobs.models import Job

PUT = FaultPoint("farm.put")


class PutRefused(Exception):
    """The task stays as it is; the message says why."""


def find_task(place: Place, number: int, *, make: bool = True) -> FarmTask | None:
    """The row of a task; None where it has none and none is to be made."""
    rows = FarmTask.objects.filter(run=place.run_id, generation=place.generation, number=number)
    task = rows.first()
    if task is None and make:
        attempt = place.attempt
        with my_turn():
            have_block(attempt, place.num_tasks, number)
        task = FarmTask.objects.get(run=place.run_id, generation=attempt.generation, number=number)
    return task


def put(place: Place, number: int, *, percent: float | None = None, state: str | None = None) -> None:
    """Write percentage and state of a task, whoever has it.

    Raises:
        PutRefused: the run has ended or was stopped, and this would change the task; or its tasks are had by token only.
    """
    if place.lease_seconds:
        raise PutRefused("the tasks of this run have leases: who works on them speaks of them with a token")
    if place.attempt_id is None:
        raise PutRefused("the run was not started")
    with my_turn(), PUT, transaction.atomic():
        _put_any(place, number, percent, state)


def put_usual(place: Place, number: int, *, percent: float | None = None, state: str | None = None) -> bool:
    """Write what a worker says of a task that somebody has, in one statement; whether it was that.

    Args:
        place: the run, perhaps as it was a moment ago: which attempt and generation there are now the statement finds itself.
    """
    if place.lease_seconds or state not in (None, TaskState.DONE):
        return False
    now = connection.ops.adapt_datetimefield_value(clock.now())
    values = {"updated": now}
    if percent is not None:
        values["percent"] = percent
    if state is not None:
        values |= {"state": str(state), "finished": now}
    tasks, attempts, jobs = (connection.ops.quote_name(model._meta.db_table) for model in (FarmTask, FarmAttempt, Job))
    assignments = ", ".join(f"{name} = %s" for name in values)
    sql = (
        f"UPDATE {tasks} SET {assignments} WHERE run_id = %s AND number = %s AND state = '{TaskState.COMPUTING}' "  # noqa: S608
        f"AND generation = (SELECT a.generation FROM {attempts} a JOIN {jobs} j ON j.id = a.run_id "
        "AND j.attempt = a.attempt WHERE a.run_id = %s AND NOT j.hidden) RETURNING worker_id"
    )
    with my_turn(), PUT, connection.cursor() as cursor:
        cursor.execute(sql, [*values.values(), place.run_id, number, place.run_id])
        found = cursor.fetchall()
    if found and state is not None:
        note_ended(worker for (worker,) in found)
    return bool(found)


def _put_any(place: Place, number: int, percent: float | None, state: str | None) -> None:
    attempt = FarmAttempt.objects.select_for_update().get(pk=place.attempt_id)
    make_block(attempt, place.num_tasks, block_of(number))
    # Of the generation that there is now: the run may have been restarted since the caller looked.
    rows = FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation, number=number)
    task = rows.select_for_update().get()
    before = (task.percent, task.state)
    task.percent = task.percent if percent is None else percent
    task.state = task.state if state is None else str(state)
    if (task.percent, task.state) == before:
        return
    if attempt.phase not in (Phase.OPEN, Phase.PAUSED):
        raise PutRefused("the run is over: restart it to have its tasks computed again")
    if before[1] in ENDED:
        reopen(attempt, [task.number])
    now = clock.now()
    task.updated = now
    if task.state == TaskState.WAITING:
        task.worker_id, task.fence = None, ""
    task.finished = now if task.state in ENDED else None
    task.save(update_fields=["percent", "state", "updated", "worker", "fence", "finished"])
