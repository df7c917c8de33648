"""'Test connection': somebody wants to know what works at a scheduler, a worker looks, pages show what it found.

`Scheduler.last_test` is `{"time": ISO, "ok": bool, "checks": [{"name", "ok", "detail"}, …]}`; a check also has
`"offer"` where it found what staff may accept.
"""

import logging
from datetime import timedelta

from jobs import clock
from jobs.engine import Check, EngineError
from jobs.faultpoints import FaultPoint
from jobs.models import Scheduler
from jobs.transactions import committing
from jobs.types import job_types

log = logging.getLogger(__name__)

WANT = FaultPoint("scheduler.want_test")
TEST = FaultPoint("engine.test")
RECORD = FaultPoint("worker.record_test")

LONGEST = timedelta(seconds=45)
"""A test that has brought no answer by then is begun again: its worker died."""


class NotTestable(ValueError):
    """The scheduler's engine is not installed, or has no test."""


def engine_of(scheduler: Scheduler):
    """The engine that talks to the scheduler, or None where its room is not installed."""
    return next((one.engine for one in job_types() if one.engine and one.engine.name == scheduler.type), None)


def is_testable(scheduler: Scheduler) -> bool:
    """Whether the scheduler's engine has a test."""
    engine = engine_of(scheduler)
    return engine is not None and engine.supports.test


def want_test(scheduler: Scheduler) -> None:
    """Have a worker test the scheduler; `test_wanted` of its row is empty again when the answer is in `last_test`.

    Raises:
        NotTestable: it cannot be tested.
    """
    if not is_testable(scheduler):
        raise NotTestable(
            f"{scheduler.name}: jobs of the type {scheduler.type!r} have no connection that could be tested"
        )
    with committing(WANT):
        Scheduler.objects.filter(pk=scheduler.pk).update(test_wanted=clock.now())


def due() -> list[int]:
    """Keys of the schedulers to be tested now."""
    return list(Scheduler.objects.filter(test_wanted__lte=clock.now()).values_list("pk", flat=True))


def run_test(scheduler_id: int) -> None:
    """Test the scheduler, unless another worker is at it, and write down what was found."""
    now = clock.now()
    taken = now + LONGEST
    if not Scheduler.objects.filter(pk=scheduler_id, test_wanted__lte=now).update(test_wanted=taken):
        return
    scheduler = Scheduler.objects.get(pk=scheduler_id)
    try:
        with TEST:
            checks = engine_of(scheduler).test(scheduler)
        found = [_written(check) for check in checks]
    except EngineError as error:
        found = [{"name": "Test", "ok": False, "detail": str(error)}]
    except Exception as error:  # an engine's bug is an answer too; without one the page would wait for ever
        log.exception("%s: its test", scheduler.name)
        found = [{"name": "Test", "ok": False, "detail": f"{type(error).__name__}: {error}"}]
    result = {"time": clock.now().isoformat(), "ok": all(one["ok"] is not False for one in found), "checks": found}
    with committing(RECORD):
        Scheduler.objects.filter(pk=scheduler_id).update(last_test=result)
        # Unless it is wanted again since.
        Scheduler.objects.filter(pk=scheduler_id, test_wanted=taken).update(test_wanted=None)


def _written(check: Check) -> dict:
    written = {"name": check.name, "ok": check.ok, "detail": check.detail}
    return written | ({"offer": check.offer} if check.offer else {})
