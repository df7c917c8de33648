"""Claims: one worker at a time has an intent, or a job that is being submitted or whose results are processed.

A claim is held for `JOBS["LEASE"]` seconds and renewed by a thread while its work goes on. One that was not renewed is
anybody's: its worker died.
"""

import logging
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models import F, Q

from jobs import clock
from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.identity import holder
from jobs.models import Intent, job_rows
from jobs.transactions import committing

log = logging.getLogger(__name__)

CLAIM_INTENT = FaultPoint("worker.claim_intent")
CLAIM_JOB = FaultPoint("worker.claim_job")
RELEASE_JOB = FaultPoint("worker.release_job")


def _free(now) -> Q:
    return Q(claim="") | Q(claim_expires__lt=now)


def _me() -> str:
    # Threads of one worker process are different claimants.
    return f"{holder()}:{threading.get_ident():x}"


def claim_intent(intent_id: int) -> Intent | None:
    """Take an open intent that nobody has; None where there is nothing to take."""
    now = clock.now()
    expires = now + timedelta(seconds=conf.LEASE)
    with committing(CLAIM_INTENT):
        taken = (
            Intent.objects.open()
            .filter(_free(now), pk=intent_id)
            .update(claim=_me(), claim_expires=expires, tries=F("tries") + 1)
        )
    return Intent.objects.select_related("requested_by").get(pk=intent_id) if taken else None


def claim_job(job_id: int, attempt: int, statuses: Iterable[str], **values) -> str | None:
    """Take a job that nobody has, while it is in one of `statuses`.

    Args:
        values: columns to write with the claim.

    Returns:
        The claim, to be given to the transition that ends it; None where somebody has the job, or it has moved on.
    """
    now = clock.now()
    expires = now + timedelta(seconds=conf.LEASE)
    with committing(CLAIM_JOB):
        taken = (
            job_rows()
            .filter(_free(now), pk=job_id, attempt=attempt, status_code__in=list(statuses))
            .update(claim=_me(), claim_expires=expires, **values)
        )
    return _me() if taken else None


def release_job(job_id: int, claim: str, *, after: float = 0.0) -> None:
    """Let others take the job, at once or after so many seconds.

    That it was claimed stays to be seen, so that they look what was done.
    """
    with committing(RELEASE_JOB):
        job_rows().filter(pk=job_id, claim=claim).update(claim_expires=clock.now() + timedelta(seconds=after))


@contextmanager
def renewing(*querysets):
    """Renew the claims of this thread on these rows, every third of the lease, until the block ends."""
    mine, stop = _me(), threading.Event()

    def renew():
        try:
            while not stop.wait(conf.LEASE / 3):
                try:
                    for rows in querysets:
                        rows.filter(claim=mine).update(claim_expires=clock.now() + timedelta(seconds=conf.LEASE))
                except DatabaseError as error:
                    log.warning("a claim could not be renewed, it is tried again: %s", error)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="renew claims", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
