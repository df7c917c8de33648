"""Handing tasks out: each to one worker. One statement claims, whoever else claims at the same time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from jobs import clock
from jobs.farm.access import Place
from jobs.farm.blocks import make_next_block
from jobs.farm.models import FarmAttempt, FarmTask, FarmWorker, Phase, TaskState
from jobs.farm.turns import my_turn
from jobs.faultpoints import FaultPoint

CHECK_OUT = FaultPoint("farm.check_out")
MAKE_BLOCK = FaultPoint("farm.make_block")

MOST_AT_ONCE = 1000
"""Tasks of one call."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A task that a worker has from now on.

    Attributes:
        tries: times that it was handed out, with this one.
        fence: the token by which the worker speaks of it; see `reports`.
        expires: when it is taken back unless the worker is heard of.
    """

    id: int
    number: int
    percent: float
    tries: int
    fence: str
    expires: datetime | None


def check_out(place: Place, worker: FarmWorker, count: int, fence: str) -> list[HandedOut]:
    """Give a worker up to so many tasks that wait, those with the lowest numbers.

    Fewer where fewer wait; none where the run is paused or over. New blocks of tasks are made as they are needed.

    Args:
        place: the run; the worker may work on it.
        fence: a token that was never used before.
    """
    if not place.is_open:
        return []
    with my_turn():
        found = _claim(place, worker, count, fence)
        # Where others take what was made in between it is made again.
        while len(found) < count and _make_block(place):
            found += _claim(place, worker, count - len(found), fence)
    _note_sign_of_life(worker, place.run_id)
    return sorted(found, key=lambda task: task.number)


def handed_out(place: Place, worker: FarmWorker, fence: str) -> list[HandedOut]:
    """What a worker has been given with that token and still has: for who did not get the answer."""
    rows = FarmTask.objects.filter(
        run=place.run_id, generation=place.generation, state=TaskState.COMPUTING, worker=worker, fence=fence
    )
    return [
        HandedOut(row.pk, row.number, row.percent, row.tries, row.fence, row.lease_expires)
        for row in rows.order_by("number")
    ]


def _make_block(place: Place) -> bool:
    attempt = place.attempt
    with MAKE_BLOCK:
        made = make_next_block(attempt, place.num_tasks)
    place.generation = attempt.generation
    return made


def _claim(place: Place, worker: FarmWorker, count: int, fence: str) -> list[HandedOut]:
    now = clock.now()
    expires = now + timedelta(seconds=place.lease_seconds) if place.lease_seconds else None
    adapt = connection.ops.adapt_datetimefield_value
    parameters = [
        *(place.attempt_id, place.generation, place.run_id, place.generation, min(count, MOST_AT_ONCE)),
        *(worker.pk, fence, adapt(expires), adapt(now), adapt(now)),
    ]
    with CHECK_OUT, connection.cursor() as cursor:
        cursor.execute(_sql(), parameters)
        return [HandedOut(*row, fence, expires) for row in cursor.fetchall()]


def _sql() -> str:
    quote = connection.ops.quote_name
    tasks, attempts = quote(FarmTask._meta.db_table), quote(FarmAttempt._meta.db_table)
    if connection.vendor == "postgresql":
        # Shared: claims do not wait for one another, only for who stops or pauses the run, or makes the next block.
        # Materialized: else the planner may run a part again for each row, and claim more than the limit.
        share, skip, cte = "FOR SHARE", "FOR UPDATE SKIP LOCKED", "MATERIALIZED"
    else:
        share = skip = cte = ""
    return (
        f"WITH going AS {cte} (SELECT id FROM {attempts} WHERE id = %s AND generation = %s "  # noqa: S608
        f"AND phase = '{Phase.OPEN}' {share}), "
        f"next AS {cte} (SELECT id FROM {tasks} WHERE run_id = %s AND generation = %s "
        f"AND state = '{TaskState.WAITING}' AND EXISTS (SELECT 1 FROM going) ORDER BY number LIMIT %s {skip}) "
        f"UPDATE {tasks} SET state = '{TaskState.COMPUTING}', worker_id = %s, fence = %s, lease_expires = %s, "
        "tries = tries + 1, started = %s, updated = %s, finished = NULL, message = '' "
        "WHERE id IN (SELECT id FROM next) RETURNING id, number, percent, tries"
    )


def _note_sign_of_life(worker: FarmWorker, run_id: int) -> None:
    now = clock.now()
    if worker.run_id == run_id:
        # Often, and nobody looks so closely.
        if (now - worker.seen).total_seconds() > 1:
            FarmWorker.objects.filter(pk=worker.pk).update(seen=now)
    else:
        FarmWorker.objects.filter(pk=worker.pk).update(seen=now, run=run_id, started=now, done=0)
