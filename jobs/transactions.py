"""Transactions of a job's life, each with its fault points."""

from contextlib import contextmanager

from django.db import transaction

from jobs.faultpoints import FaultPoint


@contextmanager
def committing(point: FaultPoint):
    """A transaction whose commit is the fault point `point`.

    `before` is reached inside the transaction, just before COMMIT; `after` follows the (outermost) COMMIT at once, before
    anything else that waits for it.
    """
    with transaction.atomic():
        transaction.on_commit(lambda: point.reach("after"))
        yield
        point.reach("before")
