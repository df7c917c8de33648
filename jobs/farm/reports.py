"""What workers say about tasks that they have: how far, done, failed, given back. One guarded statement for many tasks.

Who has a task knows its fence, a token. Whoever has lost a task, because its lease expired, the task was restarted or the run
was stopped, is told so, and changes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import F

from jobs import clock
from jobs.farm.access import Place
from jobs.farm.models import FarmAttempt, FarmTask, FarmWorker, Phase, TaskState
from jobs.farm.turns import my_turn
from jobs.faultpoints import FaultPoint
from jobs.rowsets import parameter, rowset
from jobs.transitions import storable

REPORT = FaultPoint("farm.report")

NOTED_FOR = timedelta(seconds=5)
"""For so long a sign of life of a worker is not noted again."""
ENDED = (TaskState.DONE, TaskState.FAILED)


def report(place: Place, said: Sequence[Mapping], *, state: str | None = None) -> tuple[list[int], list[int]]:
    """Take what a worker says about tasks that it has.

    Args:
        place: the run.
        said: for each task `number` and `fence`; and, as far as it is to be written, `percent`, `result`, `message`.
        state: where the tasks are from now on; None leaves them with the worker, and renews their leases.

    Returns:
        The numbers of the tasks that were its, and of those that it does not have any more.
    """
    taken = _write(place, said, state) if place.goes_on else set()
    missing = [task for task in said if task["number"] not in taken]
    if missing and state in ENDED:
        # Said before, and the answer was lost.
        same = FarmTask.objects.filter(run=place.run_id, generation=place.generation, state=state)
        known = dict(same.filter(number__in=[task["number"] for task in missing]).values_list("number", "fence"))
        taken |= {task["number"] for task in missing if known.get(task["number"]) == task["fence"]}
    numbers = [task["number"] for task in said]
    return [number for number in numbers if number in taken], [number for number in numbers if number not in taken]


def _write(place: Place, said: Sequence[Mapping], state: str | None) -> set[int]:
    now = clock.now()
    values = {
        "percent": "w.percent",
        "message": "w.message",
        "result": "w.result",
        "updated": "%s",
    }
    moments = [now]
    if state is None:
        values["lease_expires"] = "%s"
        moments.append(now + timedelta(seconds=place.lease_seconds) if place.lease_seconds else None)
    else:
        values |= {"state": f"'{state}'", "lease_expires": "NULL"}
    if state in ENDED:
        values["finished"] = "%s"
        moments.append(now)
    if state == TaskState.WAITING:
        # Given back: that was no try.
        values |= {"worker_id": "NULL", "fence": "''", "tries": "tries - 1"}
    rows = [
        {
            "number": task["number"],
            "fence": task["fence"],
            "percent": task.get("percent"),
            "message": storable(task.get("message")),
            "result": task.get("result"),
        }
        for task in said
    ]
    fields = {name: FarmTask._meta.get_field(name) for name in ("number", "fence", "percent", "message", "result")}
    for name in ("percent", "message", "result"):
        values[name] = f"COALESCE(w.{name}, t.{name})"
    if state == TaskState.DONE:
        values["percent"] = "100"
    with my_turn(), REPORT, connection.cursor() as cursor:
        cursor.execute(
            _sql(values, fields),
            # In the order in which they stand in the statement.
            [
                *map(connection.ops.adapt_datetimefield_value, moments),
                parameter(rows, connection),
                *(place.run_id, place.generation, place.attempt_id),
            ],
        )
        written = cursor.fetchall()
    if state in ENDED:
        note_ended(worker for _, worker in written)
    else:
        _note_alive({worker for _, worker in written if worker is not None})
    return {number for number, _ in written}


def _sql(values: Mapping[str, str], fields: Mapping) -> str:
    quote = connection.ops.quote_name
    tasks, attempts = quote(FarmTask._meta.db_table), quote(FarmAttempt._meta.db_table)
    assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
    # SQLite takes no alias there, and PostgreSQL asks which of the two numbers.
    of = "t." if connection.vendor == "postgresql" else ""
    return (
        f"UPDATE {tasks} AS t SET {assignments} FROM {rowset(connection, fields)} "  # noqa: S608 our own names
        "WHERE t.run_id = %s AND t.generation = %s AND t.number = w.number AND t.fence = w.fence "
        f"AND t.state = '{TaskState.COMPUTING}' "
        f"AND EXISTS (SELECT 1 FROM {attempts} a WHERE a.id = %s AND a.phase IN ('{Phase.OPEN}', '{Phase.PAUSED}')) "
        f"RETURNING {of}number, {of}worker_id"
    )


def _note_alive(workers: Collection[int]) -> None:
    """Note that workers live, where that was not noted lately."""
    if workers:
        now = clock.now()
        FarmWorker.objects.filter(pk__in=workers, seen__lt=now - NOTED_FOR).update(seen=now)


def note_ended(workers: Iterable[int | None]) -> None:
    """Count tasks that workers have ended, and note that they live."""
    for worker, count in Counter(workers).items():
        FarmWorker.objects.filter(pk=worker).update(done=F("done") + count, seen=clock.now())
