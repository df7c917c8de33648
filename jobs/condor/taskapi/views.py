"""The task API of seed 000 over HTTP; errors have the form that its program, a FastAPI app, gives them."""

import mimetypes
from itertools import islice
from pathlib import Path

from django.http import FileResponse
from pydantic import ValidationError
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from jobs import clock
from jobs.access.authentication import BasicLogin, TokenLogin
from jobs.access.views import CallerView, headers_of
from jobs.condor.models import HtcTask, TrackerNote
from jobs.condor.submission.folders import base_folder
from jobs.condor.taskapi import bodies, openapi
from jobs.condor.taskapi.account import AccountLogin
from jobs.condor.taskapi.documents import cluster_document, list_document, moment, status_document, task_document
from jobs.condor.taskapi.states import COMPLETED, QUEUED, STATUSES_OF
from jobs.condor.taskapi.tasks import (
    AgainNotAllowed,
    change_task,
    create_task,
    delete_task,
    facts_of,
    facts_of_all,
    tasks_of,
)
from jobs.engine import EngineRefused
from jobs.errors import InvalidAttribute, NameTaken
from jobs.permissions import RUN_COMMANDS
from jobs.workspaces import list_files, open_inside

MOST = 10_000
"""Tasks in a list: the newest."""
NOT_FOUND = "not-found"


class Unprocessable(Exception):
    """Something in the body is wrong.

    Args:
        where: the way to it, from the body down.
        message: what is wrong, and what would do.
    """

    def __init__(self, *where: str, message: str):
        super().__init__(message)
        self.where = where


class TaskApiView(CallerView):
    """What all of them have in common."""

    authentication_classes = (AccountLogin, BasicLogin, TokenLogin)
    changing_scope = "submit"
    how_to_log_in = "Log in with the site's password (Basic), or with a token of scope submit."

    def check_permissions(self, request):
        super().check_permissions(request)
        if request.method not in SAFE_METHODS and not request.user.has_perm(RUN_COMMANDS):
            raise exceptions.PermissionDenied(f"{request.user} may not run commands here; staff can permit it.")

    def get_authenticate_header(self, request):
        return BasicLogin().authenticate_header(request)

    def get_exception_handler(self):
        return _answer_for

    # --- what several need

    def body(self, request, model: type[bodies.Body]):
        """The body, checked.

        Raises:
            Unprocessable: it is none, or something in it is wrong.
        """
        if not isinstance(request.data, dict):
            raise Unprocessable("body", message="must be a JSON object")
        return model.model_validate(request.data)

    def task(self, task_id: str) -> HtcTask:
        """The caller's task.

        Raises:
            NotFound: there is none; somebody else's is none.
        """
        task = tasks_of(self.request.user).filter(task_id=task_id).first()
        if task is None:
            raise exceptions.NotFound(NOT_FOUND)
        return task

    def folder(self, task_id: str) -> Path:
        """Where the task's outputs come.

        Raises:
            NotFound: there is no such task, or its folder leads elsewhere by now.
        """
        try:
            return base_folder(self.task(task_id).job)
        except (InvalidAttribute, EngineRefused) as error:
            raise exceptions.NotFound(NOT_FOUND) from error


def _answer_for(error: Exception, context: dict) -> Response | None:
    if isinstance(error, ValidationError):
        return Response({"detail": [_problem(one) for one in error.errors()]}, status=422)
    if isinstance(error, Unprocessable):
        return Response({"detail": [{"loc": list(error.where), "msg": str(error), "type": "value_error"}]}, status=422)
    if isinstance(error, exceptions.ParseError):
        return Response({"detail": [{"loc": ["body"], "msg": str(error), "type": "json_invalid"}]}, status=422)
    if isinstance(error, exceptions.APIException):
        return Response({"detail": str(error.detail)}, status=error.status_code, headers=headers_of(error))
    return None


def _problem(error: dict) -> dict:
    where = [str(one) for one in error["loc"]]
    message = error["msg"].removeprefix("Value error, ")
    name, colon, rest = message.partition(": ")
    if where == ["subParams"] and colon and name == "executable":
        where, message = [*where, name], rest
    return {"loc": ["body", *where], "msg": message, "type": error["type"]}


class Tasks(TaskApiView):
    """`/tasks`"""

    @openapi.call("list_tasks", "Your tasks, the newest first", openapi.TaskListSerializer)
    def get(self, request):
        return Response(list_document(tasks_of(request.user)[:MOST], clock.now()))

    @openapi.call(
        "create_task",
        "A new task, which is run",
        openapi.TaskSerializer,
        request=bodies.NewTask,
        errors=(409,),
        examples=[openapi.NEW, openapi.TASK],
    )
    def post(self, request):
        body = self.body(request, bodies.NewTask)
        try:
            task = create_task(request.user, body.id, body.subParams, body.retriesLeft)
        except NameTaken:
            return Response(
                {"detail": f"You have a task with the id {body.id} already; use another, or none."}, status=409
            )
        except InvalidAttribute as error:
            raise _refusal(str(error)) from error
        return Response(task_document(self.task(task.task_id), clock.now()))


def _refusal(message: str) -> Unprocessable:
    """A refusal of the allow-list, at the parameter that it is about."""
    field, _, rest = message.partition(": ")
    if field == "attributes":
        name, colon, reason = rest.partition(": ")
        return (
            Unprocessable("body", "subParams", name, message=reason)
            if colon
            else Unprocessable("body", "subParams", message=rest)
        )
    return Unprocessable("body", "id" if field == "name" else field, message=rest or message)


def _those_in(state: int, user) -> dict:
    """The list of a user's tasks that have a state."""
    now = clock.now()
    # Which ones could have it the database knows; else the older ones would be cut off with those that have another.
    possible = tasks_of(user).filter(job__status_code__in=STATUSES_OF[state]).iterator(chunk_size=1000)
    found = (task for task in possible if facts_of(task).state(now) == state)
    return list_document(islice(found, MOST), now)


class TasksQueued(TaskApiView):
    """`/tasks-queued`"""

    @openapi.call("list_queued_tasks", "Those that are queued", openapi.TaskListSerializer)
    def get(self, request):
        return Response(_those_in(QUEUED, request.user))


class TasksCompleted(TaskApiView):
    """`/tasks-completed`"""

    @openapi.call("list_completed_tasks", "Those that are completed", openapi.TaskListSerializer)
    def get(self, request):
        return Response(_those_in(COMPLETED, request.user))


class OneTask(TaskApiView):
    """`/tasks/{id}`"""

    @openapi.call("read_task", "One task", openapi.TaskSerializer, errors=(404,), examples=[openapi.TASK])
    def get(self, request, task_id: str):
        return Response(task_document(self.task(task_id), clock.now()))

    @openapi.call(
        "change_task",
        "Queue it again, give it up, change what it may have",
        openapi.TaskSerializer,
        request=bodies.TaskChange,
        errors=(404, 409),
        examples=[openapi.CHANGE, openapi.TASK],
    )
    def post(self, request, task_id: str):
        task = self.task(task_id)
        try:
            change_task(task, request.user, self.body(request, bodies.TaskChange).given())
        except AgainNotAllowed:
            return Response(
                {"detail": f"Task {task_id} is under way; end it with state -1 before it can be queued again."},
                status=409,
            )
        return Response(task_document(self.task(task_id), clock.now()))

    @openapi.call("delete_task", "End it, and remove it with its files", openapi.DELETED)
    def delete(self, request, task_id: str):
        task = tasks_of(request.user).filter(task_id=task_id).first()
        return Response({"deleted_flag": task is not None and delete_task(task, request.user)})


class ServerStatus(TaskApiView):
    """`/status`"""

    @openapi.call("read_status", "How many tasks are in which state", openapi.TaskStatusSerializer)
    def get(self, request):
        return Response(status_document(facts_of_all(request.user), clock.now()))


class Outputs(TaskApiView):
    """`/tasks/{id}/outputs`: the files of the task's folder."""

    @openapi.call("list_outputs", "The files of a task", openapi.TaskOutputsSerializer, errors=(404,))
    def get(self, request, task_id: str):
        files = list_files(self.folder(task_id))
        items = [{"name": file.name, "size": file.size, "modified": moment(file.modified)} for file in files]
        return Response({"kind": "hpctask-outputs", "responseDate": moment(clock.now()), "items": items})


class Output(TaskApiView):
    """`/tasks/{id}/outputs/{name}`: one of them, as it is."""

    @openapi.call("read_output", "One of them", openapi.FILE, errors=(404,))
    def get(self, request, task_id: str, name: str):
        try:
            file = open_inside(self.folder(task_id), name)
        except (OSError, InvalidAttribute) as error:
            raise exceptions.NotFound(NOT_FOUND) from error
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        answer = FileResponse(file, as_attachment=True, filename=name.rsplit("/", 1)[-1], content_type=kind)
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class Cluster(TaskApiView):
    """`/htc-clusters/{clusterId}`"""

    @openapi.call("read_cluster", "A cluster with its task", openapi.ClusterWithTaskSerializer, errors=(404,))
    def get(self, request, cluster_id: int):
        tasks = tasks_of(request.user)
        task = tasks.filter(job__external_id=str(cluster_id)).first() or tasks.filter(posted_cluster=cluster_id).first()
        if task is None:
            raise exceptions.NotFound(NOT_FOUND)
        posted = TrackerNote.objects.filter(user=request.user, kind="cluster", cluster_id=cluster_id).last()
        return Response(cluster_document(task, cluster_id, posted, clock.now()))


class Clusters(TaskApiView):
    """`POST /htc-clusters`: what a tracker saw is kept as history."""

    @openapi.call(
        "note_cluster",
        "What a tracker saw of a cluster: kept as history",
        openapi.NotedSerializer,
        request=bodies.Cluster,
    )
    def post(self, request):
        return _noted(request.user, "cluster", self.body(request, bodies.Cluster), "id")


class JobEvents(TaskApiView):
    """`POST /htc-job-events`: likewise."""

    @openapi.call(
        "note_event",
        "What a tracker saw happen: kept as history",
        openapi.NotedSerializer,
        request=bodies.JobEvent,
    )
    def post(self, request):
        return _noted(request.user, "event", self.body(request, bodies.JobEvent), "clusterId")


def _noted(user, kind: str, body: bodies.Body, number: str) -> Response:
    said = body.model_dump(mode="json", exclude_unset=True)
    note = TrackerNote.objects.create(
        user=user, kind=kind, cluster_id=getattr(body, number), received=clock.now(), body=said
    )
    return Response({"kind": f"htc-{kind}-noted", "noteId": note.pk, "responseDate": moment(note.received), **said})
