"""Which of the workers that run could take a function's jobs now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobs.functions.models import FunctionWorker
from jobs.functions.registry import Function


@dataclass(frozen=True)
class Availability:
    """Who could take a job now.

    Attributes:
        able: workers that take from its queue, have it as it is here, and are not about to leave.
        others: workers that take from its queue and have another version of it.
    """

    able: int
    others: int

    @property
    def words(self) -> str:
        """As a person says it."""
        if self.able:
            return "1 worker" if self.able == 1 else f"{self.able} workers"
        if self.others:
            return "The workers that run have another version of it"
        return "No worker that runs has it"


def availability(name: str, route: str, queue: str, workers: Iterable[FunctionWorker]) -> Availability:
    """Who of `workers`, which are alive, could take a job with that route from that queue."""
    there = [worker for worker in workers if queue in worker.queues and not worker.leaving]
    able = sum(route in worker.routes for worker in there)
    others = sum(route not in worker.routes and has_another(name, worker) for worker in there)
    return Availability(able, others)


def has_another(name: str, worker: FunctionWorker) -> bool:
    """Whether a worker has any version of a function."""
    return any(route.rpartition(":")[0] == name for route in worker.routes)


def of_function(function: Function, workers: Sequence[FunctionWorker] | None = None) -> Availability:
    """Who could take a function's jobs now.

    Args:
        workers: those that are alive, where they have been read; one query else.
    """
    found = alive_workers() if workers is None else workers
    return availability(function.name, function.route, function.queue, found)


def alive_workers() -> list[FunctionWorker]:
    """The workers that have given a sign of life; one query."""
    return list(FunctionWorker.objects.alive())
