"""For tests of app code: functions run in the test's own process."""

from jobs.functions.models import CallState, FunctionCall
from jobs.functions.worker.calling import here, take
from jobs.testing import settle


def run_functions() -> int:
    """Do what workers for functions, other workers and monitor would do, until no function waits that may run now.

    No broker and no other process is needed.

    Returns:
        How many calls were run.
    """
    before, here.in_processes = here.in_processes, False
    try:
        run = 0
        settle()
        while any(map(take, _queues())):
            run += 1
            settle()
    finally:
        here.in_processes = before
    return run


def _queues() -> list[str]:
    waiting = FunctionCall.objects.filter(state=CallState.QUEUED).order_by()
    return list(waiting.values_list("queue", flat=True).distinct())
