"""Farm runs, with a worker that takes a task of each run with each turn and does it."""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from uuid import uuid4

from jobs.engine import make_tag
from jobs.farm.access import place_of
from jobs.farm.engine import FarmEngine
from jobs.farm.handout import check_out
from jobs.farm.inputs import INDEX
from jobs.farm.models import FarmAttempt, FarmBlock, FarmRun, FarmTask, FarmWorker, TaskState
from jobs.farm.reports import report
from jobs.workspaces import make_workspace
from tests.contract.worlds.base import World

MANY = 1_000_000
ENDS: dict[str, Callable[[dict], dict]] = {
    TaskState.DONE: lambda task: task,
    TaskState.FAILED: lambda task: {**task, "message": "it broke"},
}


class FarmWorld(World):
    """The worker is this object."""

    name = "farm"
    model = FarmRun
    supports = FarmEngine.supports
    # Brokers have no part in it.
    drivers = ("settle", "redis")
    driver_on = {"redis": "on_postgresql"}
    exit_codes = False
    has_messages = False

    def __init__(self, user, outside, engine):
        super().__init__(user, outside, engine)
        self.worker = FarmWorker.objects.create(user=user, uuid=uuid4().hex, hostname="node1", pid=7)
        self._started: Counter[str] = Counter()
        self._worked: Counter[str] = Counter()
        self._ends: dict[int, str] = {}

    @classmethod
    @contextmanager
    def running_engine(cls):
        yield FarmEngine()

    def restart(self):
        self.engine = FarmEngine()

    # --- jobs

    def _doing(self, end: str, num_tasks: int, attributes: dict) -> FarmRun:
        job = self.job(num_tasks=num_tasks, **attributes)
        self._ends[job.pk] = end
        return job

    def succeeding(self, **attributes):
        return self._doing(TaskState.DONE, 1, attributes)

    def failing(self, exit_code, **attributes):
        return self._doing(TaskState.FAILED, 1, attributes)

    def lasting(self, **attributes):
        return self._doing(TaskState.DONE, MANY, attributes)

    def impossible(self, **attributes):
        job = self.succeeding(**attributes)
        # As a run whose file of inputs was taken away.
        (make_workspace(job) / INDEX).write_bytes(b"")
        return job

    # --- what happens outside

    def turn(self):
        for job in FarmRun.objects.non_polymorphic().filter(pk__in=self._ends, hidden=False).select_related("user"):
            place = place_of(job.user, job.uuid)
            tasks = check_out(place, self.worker, 1, uuid4().hex)
            if not tasks:
                continue
            if not self._worked[job.tag]:
                self._started[job.tag] += 1
            self._worked[job.tag] += 1
            end = self._ends[job.pk]
            said = [ENDS[end]({"number": task.number, "fence": task.fence}) for task in tasks]
            report(place, said, state=end)

    def starts(self, job, attempt=None):
        return self._started[make_tag(job.uuid, attempt or job.attempt)]

    def work_done(self, job):
        return self._worked[job.tag]

    def works(self, job):
        """Whether a worker that asks now would get something to do, or has it."""
        place = place_of(job.user, job.uuid)
        computing = FarmTask.objects.filter(run=job.pk, state=TaskState.COMPUTING)
        return place.is_open or computing.exists()

    def traces(self, job):
        kinds = (FarmAttempt, FarmBlock, FarmTask)
        return [f"{kind.__name__} {row}" for kind in kinds for row in kind.objects.filter(run=job.pk)]

    def lose(self, job):
        FarmAttempt.objects.filter(tag=job.tag).delete()
