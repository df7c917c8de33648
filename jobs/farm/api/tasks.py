"""Single tasks: how they are, and their files on the way in and out."""

import json
import mimetypes
from uuid import UUID

from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.access.ranges import send
from jobs.access.uploads import AnyBytes, receive
from jobs.errors import InvalidAttribute
from jobs.farm.access import Place
from jobs.farm.api import schemas
from jobs.farm.api.base import FarmView
from jobs.farm.inputs import FILES, NoInput
from jobs.farm.models import FarmTask, FarmWorker, TaskState
from jobs.farm.puts import find_task
from jobs.paging import number as whole_number
from jobs.workspaces import list_files, open_inside, workspace_path

RESULTS = "results"
"""The folder of the workspace with a folder for each task that left files."""
MOST = 1000
"""Tasks of one page."""


def task_document(task: FarmTask) -> dict:
    """A task in a list."""
    names = ("number", "percent", "tries", "message", "started", "updated", "finished")
    return {
        **{name: getattr(task, name) for name in names},
        "state": TaskState(task.state).label,
        "worker": str(task.worker) if task.worker_id and isinstance(task.worker, FarmWorker) else None,
        "result": json.loads(task.result) if task.result else None,
    }


class Tasks(FarmView):
    """The tasks of a run that were handed out, by their numbers."""

    @described(
        "list_farm_tasks",
        "The tasks of a run",
        answers={200: schemas.FarmTasksSerializer},
        parameters=schemas.TASKS,
        errors=(400, 404),
        examples=[schemas.TASKS_ANSWER],
        tag="farm",
    )
    def get(self, request, uuid: UUID):
        """Those from `?after=` on, in `?state=`; a task that is not there waits. `next` is the `after` of the next page."""
        place = self.place(uuid)
        state = request.GET.get("state", "")
        states = {str(known.label): known for known in TaskState}
        if state and state not in states:
            raise exceptions.ValidationError({"state": [f"must be one of {', '.join(states)}"]})
        after, limit = request.GET.get("after", ""), request.GET.get("limit", f"{MOST}")
        for name, text in (("after", after), ("limit", limit)):
            if text and whole_number(text) is None:
                raise exceptions.ValidationError({name: ["must be a whole number"]})
        rows = FarmTask.objects.filter(run=place.run_id, generation=place.generation)
        rows = rows.filter(state=states[state]) if state else rows
        rows = rows.filter(number__gt=int(after)) if after else rows
        found = list(rows.order_by("number")[: max(1, min(MOST, int(limit)))])
        workers = FarmWorker.objects.in_bulk({task.worker_id for task in found if task.worker_id})
        for task in found:
            if task.worker_id:
                task.worker = workers.get(task.worker_id)
        more = found and rows.filter(number__gt=found[-1].number).exists()
        return Response(
            {"results": [task_document(task) for task in found], "next": found[-1].number if more else None}
        )


class OneTask(FarmView):
    """One task, with its input and what it left."""

    @described(
        "read_farm_task",
        "A task of a run",
        answers={200: schemas.FarmTaskDetailSerializer},
        errors=(404,),
        examples=[schemas.TASK_ANSWER],
        tag="farm",
    )
    def get(self, request, uuid: UUID, number: int):
        """How it is, its input, its result, and the names of its files."""
        place = self.place(uuid)
        task = find_task(place, self.number(place, number), make=False) or FarmTask(number=number)
        if task.worker_id:
            task.worker = FarmWorker.objects.filter(pk=task.worker_id).first()
        run = self.run(place)
        try:
            value = run.inputs[number]
        except NoInput as error:
            raise exceptions.NotFound(str(error)) from error
        return Response(
            {
                **task_document(task),
                "input": value,
                "input_files": run.inputs.files_of(number),
                "files": [file.name for file in list_files(workspace_path(run) / RESULTS / str(number))],
            }
        )


class TaskFile(FarmView):
    """A file of a task."""

    parser_classes = (AnyBytes,)
    folder = ""

    def send(self, place: Place, number: int, name: str):
        """The file as an answer.

        Raises:
            NotFound: there is none.
        """
        folder = workspace_path(self.run(place))
        try:
            file = open_inside(folder, f"{self.folder}/{self.number(place, number)}/{name}")
        except (OSError, InvalidAttribute) as error:
            raise exceptions.NotFound("There is no such file.") from error
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return send(self.request, file, name.rpartition("/")[2], kind)

    def receive(self, place: Place, number: int, name: str) -> Response:
        """Take the body of the request as the file."""
        if name.startswith("/") or ".." in name.split("/"):
            raise exceptions.ValidationError({"name": ["must name a file inside the task's folder"]})
        size = receive(self.request, self.run(place), f"{self.folder}/{self.number(place, number)}/{name}")
        return Response({"name": name, "size": size}, status=201)


class InputFile(TaskFile):
    """A file that a task starts from."""

    folder = FILES

    @described("read_farm_input", "A file that a task starts from", answers=schemas.FILE, errors=(404,), tag="farm")
    def get(self, request, uuid: UUID, number: int, name: str):
        """The file, whole or a range of it."""
        return self.send(self.place(uuid), number, name)

    @described(
        "upload_farm_input",
        "Put a file there for a task to start from",
        request=schemas.BYTES,
        answers={201: schemas.TaskFileSerializer},
        errors=(400, 404, 409, 411),
        tag="farm",
    )
    def put(self, request, uuid: UUID, number: int, name: str):
        """The body is the file."""
        return self.receive(self.place_to_act(uuid), number, name)


class ResultFile(TaskFile):
    """A file that a task left."""

    folder = RESULTS

    @described("read_farm_file", "A file that a task left", answers=schemas.FILE, errors=(404,), tag="farm")
    def get(self, request, uuid: UUID, number: int, name: str):
        """The file, whole or a range of it."""
        return self.send(self.place(uuid), number, name)

    @described(
        "upload_farm_file",
        "Send a file that a task left",
        request=schemas.BYTES,
        answers={201: schemas.TaskFileSerializer},
        parameters=[schemas.TOKEN],
        errors=(400, 404, 409, 411),
        tag="farm",
    )
    def put(self, request, uuid: UUID, number: int, name: str):
        """The body is the file; the header `X-Task-Token` is the task's token. 409 where the worker has the task no more."""
        place = self.place_to_work(uuid)
        mine = FarmTask.objects.filter(
            run=place.run_id, generation=place.generation, number=self.number(place, number), state=TaskState.COMPUTING
        )
        token = request.headers.get("X-Task-Token", "")
        if not token or not mine.filter(fence=token).exists():
            raise Conflict(f"task {number} is not yours any more, or X-Task-Token is not its token")
        return self.receive(place, number, name)
