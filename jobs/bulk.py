"""Wanting something of many jobs at once: by their ids, or by the filter as it was shown."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connections, router
from django.db.models import Max, QuerySet, Value

from jobs import clock
from jobs.counting import Count, Counts
from jobs.errors import JobError
from jobs.faultpoints import FaultPoint
from jobs.filters import JobFilter
from jobs.intents import ALLOWED
from jobs.models import Action, BulkAction, BulkJob, job_rows
from jobs.status import Status
from jobs.transactions import committing

CREATE = FaultPoint("bulk.create")

ACTIONS: tuple[Action, ...] = tuple(ALLOWED)
"""What can be wanted of many jobs at once: all that can be wanted of one, but for a look at it."""

MOST_IDS = 1000
"""Jobs that can be named one by one; more are chosen by a filter."""


class BulkRefused(JobError, ValueError):
    """A bulk action cannot be made so; the message says why."""


@dataclass(frozen=True)
class Extent:
    """How many jobs a bulk action by filter is about, before it is made.

    Attributes:
        matching: jobs that match.
        possible: those of them that may be acted on and are in a status in which the action can be asked for.
        until: the largest primary key at the time.
    """

    matching: Count
    possible: Count
    until: int


def action_named(name: str) -> Action:
    """The action of that name.

    Raises:
        BulkRefused: it is not one of `ACTIONS`.
    """
    if name not in ACTIONS:
        raise BulkRefused(f"action: {name!r} is not one of {', '.join(ACTIONS)}")
    return Action(name)


def by_ids(user, action: str, job_ids: Collection[int]) -> BulkAction:
    """Want `action` of these jobs.

    Args:
        user: who asks; what they may not see is answered as unknown, what they may only see is refused, job by job.
        action: one of `ACTIONS`.
        job_ids: primary keys; at most `MOST_IDS`.

    Raises:
        BulkRefused: no such action, no job, or too many of them.
    """
    wanted = action_named(action)
    ids = sorted(set(job_ids))
    if not ids:
        raise BulkRefused("job: no jobs are chosen")
    if len(ids) > MOST_IDS:
        raise BulkRefused(f"job: {len(ids):,} jobs are named; name at most {MOST_IDS:,}, or choose them by a filter")
    with committing(CREATE):
        bulk = BulkAction.objects.create(user=user, action=wanted, created=clock.now(), total=len(ids))
        BulkJob.objects.bulk_create(BulkJob(bulk=bulk, job_id=job_id) for job_id in ids)
    return bulk


def by_filter(user, action: str, parameters, *, until: int | None = None) -> BulkAction:
    """Want `action` of all jobs that match a filter now, and that `user` may see.

    Which ones they are is written down here, once: what arrives or changes later is neither added nor left out.

    Args:
        parameters: as `JobFilter` takes them; none at all means all jobs.
        until: the largest primary key, as it was when the person was told how many they are.

    Raises:
        BulkRefused: no such action, a parameter that cannot be read, or nothing matches.
    """
    wanted = action_named(action)
    found = JobFilter(parameters, user=user, until=until)
    check(found)
    with committing(CREATE):
        bulk = BulkAction.objects.create(
            user=user, action=wanted, filter=found.fixed(), until=until, created=clock.now()
        )
        bulk.total = sum(_insert(bulk, part) for part in found.parts())
        if not bulk.total:
            raise BulkRefused("no job matches the filter")
        bulk.save(update_fields=["total"])
    return bulk


def check(found: JobFilter) -> None:
    """Refuse to act on what a filter finds that was not understood in full: it would find too much.

    Raises:
        BulkRefused: it says which parameter and why.
    """
    if found.errors:
        raise BulkRefused("; ".join(f"{name}: {message}" for name, message in found.errors.items()))


def extent(found: JobFilter, action: str, counts: Counts | None = None) -> Extent:
    """How many jobs `action` would be about.

    Args:
        counts: those of the filter, where they are at hand.
    """
    counts = counts or found.counts()
    return Extent(counts.of(found.statuses), possible(found, action, counts), largest_id())


def possible(found: JobFilter, action: str, counts: Counts) -> Count:
    """Of how many of the jobs that a filter finds the action can be asked, by their statuses."""
    statuses = ALLOWED[action_named(action)] & found.statuses
    if action == Action.STOP:
        # A pending job can be stopped only in the moment before an engine gets it.
        statuses -= {Status.PENDING}
    return counts.own_of(statuses)


def largest_id() -> int:
    """The largest primary key of all jobs."""
    return job_rows().aggregate(largest=Max("pk"))["largest"] or 0


def _insert(bulk: BulkAction, jobs: QuerySet) -> int:
    """Write down all jobs of a queryset in one statement."""
    connection = connections[router.db_for_write(BulkJob)]
    rows = jobs.order_by().annotate(of_bulk=Value(bulk.pk)).values_list("of_bulk", "pk")
    try:
        sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return 0
    table = connection.ops.quote_name(BulkJob._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (bulk_id, job_id, name, outcome, message) "  # noqa: S608 Django's own SQL
            f"SELECT chosen.*, '', '', '' FROM ({sql}) AS chosen",
            parameters,
        )
        return cursor.rowcount


def answers(bulk: BulkAction, outcome: str, *, after: int = 0, most: int = 100) -> Iterable[BulkJob]:
    """The jobs of a bulk action that were answered so, in the order of their primary keys.

    Args:
        outcome: one of `BulkJob.Outcome`.
        after: only those with a larger primary key.
    """
    return bulk.jobs.filter(outcome=outcome, job_id__gt=after).order_by("job_id")[:most]
