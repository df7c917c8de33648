"""A task of flask-tasks is a FunctionJob: made, found, and said in its words."""

import json
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from jobs.functions.models import FunctionJob
from jobs.functions.registry import Function
from jobs.intents import want
from jobs.manager import JobManager
from jobs.models import Action
from jobs.permissions import visible_jobs
from jobs.status import Status

LABEL = "flasktasks"
"""Of the jobs that are made here."""
ANONYMOUS = "anonymous"
"""In the extended properties of those that nobody logged in for: whoever knows the id may read them."""

PENDING, STARTED, SUCCESS, FAILURE, REVOKED = "PENDING", "STARTED", "SUCCESS", "FAILURE", "REVOKED"
STATES = {
    Status.PENDING: PENDING,
    Status.SUBMITTED: PENDING,
    Status.COMPLETE: SUCCESS,
    Status.ERROR: FAILURE,
    Status.ABORTED: REVOKED,
}
"""The others have been received by a worker and are not over: STARTED."""


class WrongArgument(Exception):
    """Arguments that a function does not take, in the words of the program."""


def create_task(user, function: Function, arguments: Mapping, *, anonymous: bool) -> FunctionJob:
    """Make a task and have it run.

    Raises:
        WrongArgument: see there.
    """
    _check(function, arguments)
    with transaction.atomic():
        job = JobManager(LABEL).create_job(
            f"{function.name}-{{id}}",
            user,
            FunctionJob,
            function=function.name,
            arguments=dict(arguments),
            extended_properties={ANONYMOUS: True} if anonymous else {},
        )
        want(job, Action.RUN, user=None if anonymous else user)
    return job


def _check(function: Function, arguments: Mapping) -> None:
    # Of several things that are wrong the program tells the first: the parameters in turn, then what is too much.
    for parameter in function.signature.parameters:
        name = parameter.name
        if name in arguments:
            try:
                parameter.read(arguments[name])
            except ValueError as error:
                message = f"the passed param {name} doesnt match the required type: {parameter.type_text}."
                raise WrongArgument(message) from error
        elif parameter.required:
            raise WrongArgument(f"the required param {name} was not passed.")
    known = {parameter.name for parameter in function.signature.parameters}
    for name in arguments:
        if name not in known:
            raise WrongArgument(f"the passed param {name} is not required.")


def find_task(task_id: str, user) -> FunctionJob | None:
    """The task of that id, if the caller may read it.

    Args:
        user: who asks; perhaps nobody.
    """
    try:
        uuid = UUID(task_id)
    except ValueError:
        return None
    job = FunctionJob.objects.non_polymorphic().filter(uuid=uuid, hidden=False).first()
    if job is None:
        return None
    if job.label == LABEL and job.extended_properties.get(ANONYMOUS) is True:
        return job
    return job if visible_jobs(FunctionJob.objects.non_polymorphic().filter(pk=job.pk), user).exists() else None


def unknown_document(task_id: str) -> str:
    """What is said of an id that nobody knows, or that is somebody else's."""
    return json.dumps({"id": task_id, "result": {}, "status": PENDING})


def task_document(job: FunctionJob) -> str:
    """A task as JSON.

    Raises:
        OSError, InvalidAttribute: its result is in a file that is there no more.
    """
    status = STATES.get(job.status_code, STARTED)
    said = {"id": str(job.uuid), "args": job.arguments, "status": status, "type": job.function}
    if status in (FAILURE, REVOKED):
        said["message"] = job.status_message
    call = job.call if status == SUCCESS else None
    # A long result is JSON already: it is not read and written again.
    result = call.result_json().decode() if call is not None and call.has_result else "{}"
    return f'{json.dumps(said)[:-1]}, "result": {result}}}'
