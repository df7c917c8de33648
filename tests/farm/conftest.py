"""Runs of tasks, and workers that take them."""

import itertools
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from jobs.farm.access import Place, place_of
from jobs.farm.handout import HandedOut, check_out
from jobs.farm.models import FarmRun, FarmWorker, TaskState
from jobs.farm.reports import report
from jobs.farm.totals import Totals, totals_of
from jobs.manager import JobManager
from jobs.testing import settle
from tests.api.conftest import Caller

_numbers = itertools.count(1)


class Farmed:
    """A run, what its workers do with it, and how it is."""

    def __init__(self, run: FarmRun):
        self.run = run
        self.worker = FarmWorker.objects.create(user=run.user, uuid=uuid4().hex, hostname="node1", pid=7)

    @property
    def place(self) -> Place:
        return place_of(self.run.user, self.run.uuid)

    @property
    def totals(self) -> Totals:
        place = self.place
        return totals_of(place.attempt, place.num_tasks)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Waiting, computing, done, failed."""
        totals = self.totals
        return totals.waiting, totals.computing, totals.done, totals.failed

    @property
    def status(self) -> str:
        """After the monitor has looked."""
        settle()
        return self.run.cached_status

    def take(self, count: int = 1) -> list[HandedOut]:
        self.worker.refresh_from_db()
        return check_out(self.place, self.worker, count, uuid4().hex)

    def say(self, tasks, state: str | None = None, **values) -> tuple[list[int], list[int]]:
        said = [{"number": task.number, "fence": task.fence, **values} for task in tasks]
        return report(self.place, said, state=state)

    def do(self, count: int = 1, **values) -> list[int]:
        """Take tasks and do them; their numbers."""
        return self.say(self.take(count), TaskState.DONE, **values)[0]

    def fail(self, count: int = 1, message: str = "it broke") -> list[int]:
        return self.say(self.take(count), TaskState.FAILED, message=message)[0]


@pytest.fixture
def farm(ann: User):
    """Makes a run that is open."""

    def make(num_tasks: int | None = None, **attributes) -> Farmed:
        if num_tasks is not None:
            attributes["num_tasks"] = num_tasks
        run = JobManager("farm").create_job(f"run {next(_numbers)}", ann, "FARM", **attributes)
        run.execute()
        return Farmed(run)

    return make


@pytest.fixture
def call():
    """Makes somebody who calls REST."""
    return Caller
