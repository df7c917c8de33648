"""Carrying out bulk actions: batch by batch, each with its answers in one transaction."""

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError

from jobs import clock
from jobs.conf import conf
from jobs.errors import ActionNotAllowed
from jobs.faultpoints import FaultPoint
from jobs.identity import holder
from jobs.intents import want
from jobs.models import BulkAction, BulkJob, job_rows
from jobs.permissions import may_act
from jobs.transactions import committing

log = logging.getLogger(__name__)

CLAIM_BULK = FaultPoint("worker.claim_bulk")
BATCH = FaultPoint("worker.bulk_batch")
RELEASE_BULK = FaultPoint("worker.release_bulk")

TOGETHER = 50
"""Jobs in a batch: their rows are locked while it lasts, a fraction of a second."""
SLICE = 10.0
"""Seconds for which one wake-up works: then other work has its turn, and the sweep sends another."""
AT_ONCE = 2
"""Bulk actions that one worker process carries out at a time; its other threads are for the jobs."""
KEPT = timedelta(days=30)
"""How long the answers of a finished action can be read."""

UNKNOWN = "There is no such job."
NOT_YOURS = "It is {owner}'s job; you may look at it, but not change it."
UNEXPECTED = "It could not be asked for because of an error of this site's; its worker's log has the details."

_places = threading.BoundedSemaphore(AT_ONCE)


def due() -> list[int]:
    """Ids of the bulk actions for which a worker is to be woken."""
    return list(BulkAction.objects.open().free().order_by("id").values_list("pk", flat=True)[:20])


def carry_out_bulk(bulk_id: int) -> None:
    """Ask for what a bulk action wants, job by job, unless another worker does so."""
    if not _places.acquire(blocking=False):
        return
    try:
        if _claim(bulk_id):
            _work(bulk_id)
    finally:
        _places.release()


def _me() -> str:
    # Threads of one worker process are different claimants.
    return f"{holder()}:{threading.get_ident():x}"


def _claim(bulk_id: int) -> bool:
    with committing(CLAIM_BULK):
        rows = BulkAction.objects.open().free().filter(pk=bulk_id)
        return bool(rows.update(claim=_me(), claim_expires=clock.now() + timedelta(seconds=conf.LEASE)))


def _work(bulk_id: int) -> None:
    until = clock.now() + timedelta(seconds=SLICE)
    try:
        while batch(bulk_id):
            if clock.now() > until:
                break
    except DatabaseError as error:  # a deadlock, a server that went away: the batch is undone, and taken up again
        log.warning("bulk action %s: a batch broke off, it is tried again: %s", bulk_id, error)
    with committing(RELEASE_BULK):
        BulkAction.objects.open().filter(pk=bulk_id, claim=_me()).update(claim_expires=clock.now())


def batch(bulk_id: int) -> bool:
    """Ask for the next jobs, and write down the answers, in one transaction: both are true, or neither.

    Returns:
        Whether there is more to do.
    """
    with committing(BATCH):
        # Whoever has this row locked is alone with the action, whatever became of the claim.
        bulk = BulkAction.objects.select_for_update(of=("self",)).select_related("user").filter(pk=bulk_id).first()
        if bulk is None or bulk.finished is not None or bulk.claim != _me():
            return False
        chosen = list(bulk.jobs.filter(outcome="").order_by("job_id")[:TOGETHER])
        rows = _visible_rows(bulk.user, [one.job_id for one in chosen])
        for one in chosen:
            _answer(bulk, one, rows.get(one.job_id))
        BulkJob.objects.bulk_update(chosen, ["name", "outcome", "message"])
        done = sum(one.outcome == BulkJob.Outcome.DONE for one in chosen)
        bulk.done += done
        bulk.refused += len(chosen) - done
        now = clock.now()
        bulk.claim_expires = now + timedelta(seconds=conf.LEASE)
        if not bulk.left:
            bulk.finished = now
            # Here and not in a sweep of its own: whoever makes new ones has the old ones cleared away.
            BulkAction.objects.of(bulk.user).filter(finished__lt=now - KEPT).delete()
        bulk.save(update_fields=["done", "refused", "claim_expires", "finished"])
        return bool(bulk.left)


def _visible_rows(user, ids: list[int]) -> dict:
    """Those of the jobs that the person may still see, locked in the order in which the transition function locks."""
    rows = job_rows().shown().visible_to(user).select_related("user").filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def _answer(bulk: BulkAction, one: BulkJob, row) -> None:
    one.name = row.name if row is not None else ""
    one.message = _refusal(bulk, row)
    one.outcome = BulkJob.Outcome.REFUSED if one.message else BulkJob.Outcome.DONE


def _refusal(bulk: BulkAction, row) -> str:
    """Why the job refuses; empty where the action is wanted of it now."""
    if row is None:
        return UNKNOWN
    if not may_act(bulk.user, row):
        return NOT_YOURS.format(owner=row.user.get_username())
    try:
        want(row, bulk.action, user=bulk.user)
    except ActionNotAllowed as error:
        return str(error)
    except DatabaseError:
        raise
    except Exception:  # a bug about one job must not keep all the others waiting for ever
        log.exception("bulk action %s: job %s: %s", bulk.pk, row.pk, bulk.action)
        return UNEXPECTED
    return ""
