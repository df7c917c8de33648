"""A run of taskfarm is a FarmRun: made, started, and said in its words."""

from django.db import transaction

from jobs.farm.access import Place
from jobs.farm.engine import NAME
from jobs.farm.models import FarmRun, FarmTask, TaskState
from jobs.farm.totals import Totals, totals_of
from jobs.intents import want
from jobs.manager import JobManager
from jobs.models import Action
from jobs.status import Status
from jobs.transitions import Change, transition

LABEL = "taskfarm"
"""Of the runs that are made here."""
INFOS = ("percentDone", "numWaiting", "numDone", "numComputing")
WORDS = {
    TaskState.WAITING: "waiting",
    TaskState.COMPUTING: "computing",
    TaskState.DONE: "done",
    # There nothing fails: a task whose worker gave up stays computing until the run is restarted.
    TaskState.FAILED: "computing",
}
STATES = {"waiting": TaskState.WAITING, "computing": TaskState.COMPUTING, "done": TaskState.DONE}


def create_run(user, num_tasks: int) -> FarmRun:
    """Make a run and have it run at once."""
    with transaction.atomic():
        run = JobManager(LABEL).create_job("run-{id}", user, FarmRun, num_tasks=num_tasks)
        want(run, Action.RUN, user=user)
        transition([Change(run.pk, run.attempt, Status.RUNNING)], source=NAME)
    return run


def run_document(pk: int, uuid, num_tasks: int) -> dict:
    """What is said of a run everywhere."""
    return {"id": pk, "uuid": uuid.hex, "numTasks": num_tasks}


def totals_document(place: Place) -> dict:
    """How far a run is at this moment."""
    totals = totals_of(place.attempt, place.num_tasks) if place.attempt_id else Totals(place.num_tasks)
    return {
        "percentDone": totals.percent_done,
        "numWaiting": totals.waiting,
        "numDone": totals.done,
        "numComputing": totals.computing + totals.failed,
    }


def task_document(task: FarmTask) -> dict:
    """A task."""
    return {
        "id": task.pk,
        "task": task.number,
        "percentCompleted": task.percent,
        "status": WORDS[TaskState(task.state)],
    }
