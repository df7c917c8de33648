"""Leadership: one monitor watches a scheduler at a time, by a lease in its row."""

from datetime import timedelta

from django.db.models import Q

from jobs import clock
from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.identity import HOST, holder
from jobs.models import Scheduler
from jobs.transactions import committing

LEASE = FaultPoint("monitor.lease")


def lead(scheduler_id: int) -> bool:
    """Take the lease of a scheduler if it is free or has run out, renew it if it is ours.

    Returns:
        Whether this process watches the scheduler now.
    """
    now = clock.now()
    mine = Q(lease_holder=holder())
    free = Q(lease_expires__isnull=True) | Q(lease_expires__lt=now) | Q(lease_holder="")
    still_long = mine & Q(lease_expires__gt=now + timedelta(seconds=conf.LEASE * 2 / 3))
    rows = Scheduler.objects.filter(Q(host="") | Q(host=HOST), pk=scheduler_id)
    if rows.filter(still_long).exists():
        return True
    with committing(LEASE):
        expires = now + timedelta(seconds=conf.LEASE)
        return bool(rows.filter(mine | free).update(lease_holder=holder(), lease_expires=expires))


def still_leads(scheduler_id: int, **values) -> bool:
    """Whether nobody took the lease over; locks the row and writes `values`. For use inside a transaction.

    A lease that has run out is ours until somebody takes it: an answer that came late is good as long as nobody else asked.
    """
    return bool(Scheduler.objects.filter(pk=scheduler_id, lease_holder=holder()).update(**values))


def renew() -> None:
    """Renew all leases of this process that nobody took over, also while an engine takes long to answer."""
    expires = clock.now() + timedelta(seconds=conf.LEASE)
    Scheduler.objects.filter(lease_holder=holder()).update(lease_expires=expires)


def resign() -> None:
    """Give up all leases of this process, so that another monitor need not wait for them to run out."""
    Scheduler.objects.filter(lease_holder=holder()).update(lease_holder="", lease_expires=None)
