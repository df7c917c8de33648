"""Many clients of taskfarm at once."""

import multiprocessing
import time
from dataclasses import dataclass

UPDATES = 10
"""Of each task, before it is done."""


@dataclass
class Load:
    """What clients did in the time that was measured.

    Attributes:
        waited: seconds of each request.
    """

    tasks: int
    requests: int
    seconds: float
    waited: list[float]


def work(base: str, uuid: str, clients: int, seconds: float, name: str, password: str) -> Load:
    """Have so many processes work on a run for so long with the published client, in its pattern."""
    context = multiprocessing.get_context("fork")
    ready, answers = context.Barrier(clients + 1), context.Queue()
    arguments = (base, uuid, seconds, name, password, ready, answers)
    processes = [context.Process(target=_client, args=arguments, daemon=True) for _ in range(clients)]
    for process in processes:
        process.start()
    ready.wait(120)
    found = [answers.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    waited = [one for _, times in found for one in times]
    return Load(sum(tasks for tasks, _ in found), len(waited), seconds, waited)


def _client(base: str, uuid: str, seconds: float, name: str, password: str, ready, answers) -> None:
    from taskfarm_worker import TaskFarmWorker

    worker = TaskFarmWorker(name, password, uuid, url_base=base)
    waited: list[float] = []
    ask = worker.session.request

    def timed(*args, **kwargs):
        began = time.perf_counter()
        answer = ask(*args, **kwargs)
        waited.append(time.perf_counter() - began)
        return answer

    worker.session.request = timed
    ready.wait(120)
    end, tasks = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        if worker.task is None:
            raise SystemExit("the run has too few tasks for this")
        for number in range(1, UPDATES + 1):
            worker.update(100 * number / UPDATES)
        worker.done()
        tasks += 1
    answers.put((tasks, waited))
