"""The wake-ups of workers for functions: 'there is something in this queue'. What it is stands in the database."""

import logging
import time

from celery import shared_task
from kombu.exceptions import OperationalError

from jobs.conf import conf
from jobs.faultpoints import FaultPoint

log = logging.getLogger(__name__)

WAKE = FaultPoint("function.wake")

SILENCE = 10.0
"""Seconds for which a broker that took no message is not asked again by this process."""

_silent_until = 0.0


def broker_queue(queue: str) -> str:
    """What a queue of functions is called at the broker, where other installations may have theirs."""
    return f"{conf.QUEUE}.{queue}"


@shared_task(name="jobs.functions.take", ignore_result=True)
def take(queue: str) -> None:
    """Take one call of this queue."""
    from jobs.functions.worker.calling import take as take_one

    take_one(queue)


def wake(queue: str, times: int = 1) -> None:
    """Have so many calls of a queue taken. Where the broker takes no message the monitor does it later."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    name = broker_queue(queue)
    try:
        for _ in range(times):
            with WAKE:
                # It is lost if the broker is started anew, and is sent again then.
                take.apply_async([queue], queue=name, retry=False, delivery_mode="transient")
    except (OperationalError, OSError) as error:
        _silent_until = time.monotonic() + SILENCE
        log.warning("the broker does not take messages: %s", error)
