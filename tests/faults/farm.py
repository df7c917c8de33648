"""What workers do with farm runs, each with what must be true in the end, whatever was killed on the way."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import uuid4

import httpx
from django.db import connection

from jobs.access.tokens import make_token
from jobs.farm.models import FarmAttempt, FarmBlock, FarmRun, FarmTask, TaskState
from jobs.farm.worker.calls import NotAnswered
from jobs.farm.worker.client import Farm
from jobs.status import Status
from tests.faults.scenarios import PATIENCE, Problem, Run
from tests.faults.stack import wait_until

POINTS = tuple(
    f"farm.{name}" for name in ("check_out", "make_block", "put", "remove_tasks", "report", "restart", "take_back")
)
TASKS = 9
LEASE = 2
WORKERS = 3


@dataclass
class Ownership:
    """Who had which task, from when until when, by this machine's clock; of one run."""

    spans: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def had(self, number: int, begun: float, ended: float) -> None:
        self.spans[number].append((begun, ended))

    def overlaps(self) -> Iterator[int]:
        """Tasks that two had at a time."""
        for number, spans in self.spans.items():
            spans = sorted(spans)
            if any(second[0] < first[1] for first, second in pairwise(spans)):
                yield number


def _new_run(run: Run, **attributes) -> FarmRun:
    job = run.manager.create_job(f"{uuid4()}", run.user, "FARM", **attributes)
    run.act(job, "execute")
    return job


def _farm(run: Run, job: FarmRun) -> Farm:
    token = make_token(run.user, "faults", ["read", "write"])[1]
    connection.close()
    return Farm(f"{run.stack.url}/api/jobs/{job.uuid}/farm/", token)


def _work(farm: Farm, owned: Ownership, deadline: float, *, dies: bool) -> None:
    """Work as a worker does; with `dies` it says nothing any more of its first task, and is another one from then on."""
    with suppress(NotAnswered):  # when the run is over
        _work_on(farm, owned, deadline, dies=dies)


def _work_on(farm: Farm, owned: Ownership, deadline: float, *, dies: bool) -> None:
    while time.monotonic() < deadline:
        asked = time.monotonic()
        found = farm.checkout(2, wait=1)
        got = time.monotonic()
        if found.is_over:
            return
        if not found.tasks:
            time.sleep(0.2)
            continue
        if dies:
            # It may believe that it has them for as long as the lease lasts, from when the site gave them at the earliest.
            for task in found.tasks:
                owned.had(task.number, got, max(got, asked + LEASE))
            dies = False
            continue
        farm.report([{"number": task.number, "token": task.token, "percent": 50} for task in found.tasks])
        time.sleep(0.05)
        said = time.monotonic()
        done = [
            {"number": task.number, "token": task.token, "state": "done", "result": task.number} for task in found.tasks
        ]
        taken = farm.report(done).taken
        for task in found.tasks:
            owned.had(task.number, got, max(got, said if task.number in taken else asked + LEASE))


def run_with_leases(run: Run) -> None:
    """Every task is done, by one worker at a time, although a worker and whatever else dies."""
    job = _new_run(run, num_tasks=TASKS, lease_seconds=LEASE, max_tries=100)
    owned, deadline = Ownership(), time.monotonic() + PATIENCE
    with ThreadPoolExecutor(WORKERS) as pool:
        farms = [_farm(run, job) for _ in range(WORKERS)]
        works = [pool.submit(_work, farm, owned, deadline, dies=not index) for index, farm in enumerate(farms)]
        try:
            run.wait_for(job, Status.COMPLETE)
        finally:
            for farm in farms:
                farm.give_up()
    for work in works:
        if error := work.exception():
            raise Problem("wrong", f"{run.describe(job)}: a worker broke: {error!r}")
    if twice := list(owned.overlaps()):
        raise Problem("doubled", f"{run.describe(job)}: tasks {twice} were had by two at a time")
    _all_done(run, job, TASKS)
    results = FarmTask.objects.filter(run=job.pk).order_by("number").values_list("result", flat=True)
    if list(results) != [str(number) for number in range(TASKS)]:
        raise Problem("lost", f"{run.describe(job)}: results {list(results)}")


def _all_done(run: Run, job: FarmRun, number: int) -> None:
    done = FarmTask.objects.filter(run=job.pk, generation=job.state.generation, state=TaskState.DONE).count()
    if done != number or job.state.done != number:
        raise Problem("lost", f"{run.describe(job)}: {done} of {number} tasks are done, {job.state.done} were counted")


class Taskfarm:
    """A client of the API of taskfarm that tries again as long as the site is away."""

    def __init__(self, run: Run):
        self.client = httpx.Client(base_url=f"{run.stack.url}/api/", auth=(run.user.username, run.user.username))
        self.patience = time.monotonic() + 2 * PATIENCE

    def ask(self, method: str, path: str, body: dict | None = None) -> tuple[httpx.Response, int]:
        """The answer, and how often it was asked for."""
        for tries in range(1, 10_000):
            try:
                answer = self.client.request(method, path, json=body, timeout=10)
                if answer.status_code < 500:
                    return answer, tries
            except httpx.TransportError:
                if time.monotonic() > self.patience:
                    raise
            time.sleep(0.1)
        raise AssertionError("not reached")


def run_of_taskfarm(run: Run) -> None:
    """By the API of taskfarm: what a lost answer took stays computing until the run is restarted; nothing is handed out twice."""
    farm = Taskfarm(run)
    farm.ask("POST", "worker", {"uuid": (worker := uuid4().hex), "hostname": "node1", "pid": 1})
    job = _new_run(run, num_tasks=5)
    path, seen = f"runs/{job.uuid.hex}", []
    while not wait_until(lambda: _count(farm, path, "numDone") == 5, 0):
        while (answer := farm.ask("POST", f"{path}/task", {"worker_uuid": worker})[0]).status_code == 201:
            number = answer.json()["task"]
            seen.append(number)
            for percent in (50, 100):
                farm.ask("PUT", f"{path}/tasks/{number}", {"percentCompleted": percent})
            farm.ask("PUT", f"{path}/tasks/{number}", {"status": "done"})
        farm.ask("POST", f"{path}/restart?all=False")
    if len(seen) != len(set(seen)):
        raise Problem("doubled", f"{run.describe(job)}: handed out {seen}")
    run.wait_for(job, Status.COMPLETE)
    _all_done(run, job, 5)


def _count(farm: Taskfarm, path: str, info: str) -> int:
    return farm.ask("GET", f"{path}?info={info}")[0].json()[info]


def run_deleted(run: Run) -> None:
    """A run is begun, restarted and deleted in the middle of it, and nothing is left."""
    farm = Taskfarm(run)
    farm.ask("POST", "worker", {"uuid": (worker := uuid4().hex), "hostname": "node1", "pid": 1})
    job = _new_run(run, num_tasks=700)
    path = f"runs/{job.uuid.hex}"
    farm.ask("POST", f"{path}/task", {"worker_uuid": worker})
    farm.ask("POST", f"{path}/restart?all=True")
    farm.ask("POST", f"{path}/task", {"worker_uuid": worker})
    if not wait_until(lambda: FarmTask.objects.filter(run=job.pk).count() == 500, PATIENCE):
        raise Problem("stuck", f"{run.describe(job)}: the tasks from before the restart are there still")
    farm.ask("DELETE", path)
    kinds = (FarmAttempt, FarmBlock, FarmTask)
    if not wait_until(lambda: not any(kind.objects.filter(run=job.pk).exists() for kind in kinds), PATIENCE):
        raise Problem("lost", f"job {job.pk} was deleted, and rows of it are left")


FARM: list[Callable[[Run], None]] = [run_of_taskfarm, run_deleted, run_with_leases]
