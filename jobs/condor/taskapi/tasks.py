"""Tasks as rows: made, changed, deleted, and moved on by the monitor."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from jobs import clock
from jobs.condor.models import CondorJob, HtcTask
from jobs.condor.taskapi.states import Facts
from jobs.errors import ActionNotAllowed
from jobs.faultpoints import FaultPoint
from jobs.intents import want
from jobs.manager import JobManager
from jobs.models import Action, Intent, JobEvent
from jobs.status import FINAL, Status
from jobs.transactions import committing

log = logging.getLogger(__name__)

CREATE = FaultPoint("task.create")
MOVE_ON = FaultPoint("task.move_on")

LABEL = "taskapi"
"""Of the jobs that are tasks."""
MOST = 500
"""Tasks that one sweep does something about."""

_FACTS = (
    *("job__status_code", "job__attempt", "submissions", "expires", "expired_attempt", "ignored_attempt"),
    "settled",
)
_OPEN = Intent.objects.open().exclude(action=Action.REFRESH).filter(job=OuterRef("job_id"))


class AgainNotAllowed(Exception):
    """The task is under way; it cannot be queued again."""


def tasks_of(user) -> QuerySet:
    """A user's tasks with their jobs, the newest first; `state_time` is when the job's status last changed."""
    latest = JobEvent.objects.filter(job=OuterRef("job_id")).order_by("-pk").values("time")[:1]
    shown = HtcTask.objects.filter(job__user=user, job__hidden=False).select_related("job")
    return shown.annotate(state_time=Subquery(latest)).order_by("-job_id")


def facts_of(task: HtcTask) -> Facts:
    """What the task's state follows from."""
    return Facts(
        task.job.status_code,
        task.job.attempt,
        task.submissions,
        task.expires,
        task.expired_attempt,
        task.ignored_attempt,
        task.settled,
    )


def facts_of_all(user) -> Iterator[Facts]:
    """The same of all of a user's tasks, of no more columns than it takes."""
    rows = HtcTask.objects.filter(job__user=user, job__hidden=False).values_list(*_FACTS)
    return (Facts(*row) for row in rows.iterator())


def create_task(user, task_id: str | None, sub_params: dict[str, str], retries: int) -> HtcTask:
    """Make a task and have it run.

    Args:
        task_id: the caller's own; None for one of ours.
        sub_params: commands of a submit description; the allow-list holds.
        retries: submissions that it may have.

    Raises:
        InvalidAttribute: `attributes: NAME: …` says which of the commands is refused, and why.
        NameTaken: the user has a task of that id.
    """
    task_id = task_id or str(uuid4())
    with committing(CREATE):
        job = JobManager(LABEL).create_job(task_id, user, CondorJob, restricted=True, attributes=dict(sub_params))
        task = HtcTask.objects.create(job=job, task_id=task_id, submissions=retries)
        if retries:
            want(job, Action.RUN, user=user)
    return task


def change_task(task: HtcTask, user, changes: dict) -> None:
    """Change what a caller may change.

    Args:
        changes: of 'state' (0 again, -1 give up), 'retriesLeft', 'clusterId', 'procId' and 'expirationDate', those that
            were given.

    Raises:
        AgainNotAllowed: it is under way.
    """
    with transaction.atomic():
        task = HtcTask.objects.select_for_update(of=("self",)).select_related("job").get(pk=task.pk)
        facts, now = facts_of(task), clock.now()
        if "expirationDate" in changes:
            task.expires = changes["expirationDate"]
        if "retriesLeft" in changes:
            task.submissions = facts.used + changes["retriesLeft"]
        task.posted_cluster = changes.get("clusterId", task.posted_cluster)
        task.posted_proc = changes.get("procId", task.posted_proc)
        if changes.get("state") == -1:
            _give_up(task, user)
        elif changes.get("state") == 0:
            _again(task, facts, user, now)
        task.settled = False
        task.save()


def _give_up(task: HtcTask, user) -> None:
    if task.job.status_code == Status.COMPLETE:
        return
    task.ignored_attempt = task.job.attempt
    if task.job.status_code not in FINAL:
        with suppress(ActionNotAllowed):  # nothing of it was wanted yet, or it is being deleted
            want(task.job, Action.STOP, user=user)


def _again(task: HtcTask, facts: Facts, user, now: datetime) -> None:
    if facts.status not in FINAL | {Status.PENDING}:
        raise AgainNotAllowed
    task.submissions = max(task.submissions, facts.used + 1)
    task.ignored_attempt = 0
    if task.expires is not None and task.expires <= now:
        task.expires = None
    if facts.status == Status.PENDING:
        task.expired_attempt = 0
        return
    try:
        want(task.job, Action.RESUBMIT, user=user)
    except ActionNotAllowed as error:
        raise AgainNotAllowed from error


def delete_task(task: HtcTask, user) -> bool:
    """Have it ended and deleted; whether it was there to be deleted."""
    try:
        want(task.job, Action.DELETE, user=user)
    except ActionNotAllowed:
        return False
    return True


def move_on() -> None:
    """What the monitor does several times a second: run what waits, try again what failed, end what is past its time."""
    now = clock.now()
    rows = HtcTask.objects.filter(settled=False, job__hidden=False).annotate(wanted=Exists(_OPEN))
    due = [
        pk
        for pk, wanted, *row in rows.values_list("pk", "wanted", *_FACTS).order_by("pk")
        if Facts(*row).step(now, is_wanted=wanted)
    ]
    for pk in due[:MOST]:
        try:
            _move_one_on(pk)
        except ActionNotAllowed as error:
            log.info("task %s: %s", pk, error)


def _move_one_on(pk: int) -> None:
    with committing(MOVE_ON):
        # Another monitor may be at it: what is to be done is decided on the locked row.
        task = (
            HtcTask.objects.select_for_update(of=("self",)).select_related("job").filter(pk=pk, settled=False).first()
        )
        if task is None or task.job.hidden:
            return
        wanted = Intent.objects.open().exclude(action=Action.REFRESH).filter(job=task.job_id).exists()
        step = facts_of(task).step(clock.now(), is_wanted=wanted)
        if step == "settle":
            HtcTask.objects.filter(pk=pk).update(settled=True)
        elif step == "expire":
            task.expired_attempt = task.job.attempt
            task.save(update_fields=["expired_attempt"])
            with suppress(ActionNotAllowed):  # it was not wanted to run yet
                want(task.job, Action.STOP)
        elif step == "run":
            want(task.job, Action.RUN)
        elif step == "resubmit":
            want(task.job, Action.RESUBMIT)
