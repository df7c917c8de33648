"""What workers ask for and say: tasks, and how far they are."""

import json
import time
from uuid import UUID, uuid4

from django.db import connections
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.openapi import described
from jobs.access.waiting import has_room, leave
from jobs.conf import conf
from jobs.farm.access import Place
from jobs.farm.api import schemas
from jobs.farm.api.base import FarmView
from jobs.farm.api.run import state_of
from jobs.farm.handout import HandedOut, check_out, handed_out
from jobs.farm.inputs import NoInput
from jobs.farm.models import FarmWorker, TaskState
from jobs.farm.reports import report
from jobs.farm.turns import my_turn

STEP = 0.25
"""Seconds between two looks while a worker waits for tasks."""
ASK_AGAIN = 2
"""Seconds after which a worker that got none may ask again."""
STATES = {
    "computing": None,
    "done": TaskState.DONE,
    "failed": TaskState.FAILED,
    "waiting": TaskState.WAITING,
}


class CheckOut(FarmView):
    """Tasks for a worker."""

    @described(
        "check_out_farm_tasks",
        "Take tasks of a run",
        request=schemas.CheckOutSerializer,
        answers={200: schemas.HandedOutSerializer},
        errors=(400, 404),
        examples=[schemas.CHECK_OUT, schemas.CHECKED_OUT],
        tag="farm",
    )
    def post(self, request, uuid: UUID):
        """Up to `count` tasks that wait, each with a token by which the worker speaks of it.

        Where none waits the answer comes as soon as one does, at the latest after `wait` seconds; or at once, where too many
        wait already. No tasks in a run that is open: others are at work on the last ones, and may fail. A worker whose answer was
        lost repeats the call with its `token` and `again`, and gets what it was given.
        """
        place = self.place_to_work(uuid)
        said = schemas.CheckOutSerializer(data=self.body())
        said.is_valid(raise_exception=True)
        wanted = said.validated_data
        worker = self._worker(wanted["worker"])
        token = wanted.get("token") or uuid4().hex
        tasks = handed_out(place, worker, token) if wanted["again"] else []
        tasks = tasks or self._check_out(place, worker, wanted["count"], token, wanted["wait"])
        return Response(
            {
                "tasks": [document for task in tasks if (document := self._document(place, task))],
                "state": state_of(self.place(uuid)) if not tasks else state_of(place),
                "lease_seconds": place.lease_seconds,
                "retry_after": 0 if tasks else ASK_AGAIN,
            }
        )

    def _check_out(self, place: Place, worker: FarmWorker, count: int, token: str, wait: float) -> list[HandedOut]:
        tasks = check_out(place, worker, count, token)
        if tasks or not wait or not place.goes_on or not has_room():
            return tasks
        try:
            deadline = time.monotonic() + wait
            while not tasks and place.goes_on and time.monotonic() < deadline:
                # Nobody who waits holds a connection.
                connections.close_all()
                time.sleep(STEP)
                place = self.place(place.uuid)
                tasks = check_out(place, worker, count, token)
        finally:
            leave()
        return tasks

    def _worker(self, said: dict) -> FarmWorker:
        known = FarmWorker.objects.filter(user=self.request.user, uuid=said["uuid"]).first()
        if known is not None:
            return known
        with my_turn():
            worker, _ = FarmWorker.objects.get_or_create(
                user=self.request.user,
                uuid=said["uuid"],
                defaults={"hostname": said["hostname"], "pid": said["pid"]},
            )
        return worker

    def _document(self, place: Place, task: HandedOut) -> dict | None:
        """The task; None where its input is lost, with which it has failed."""
        run = self._run_of(place)
        try:
            value = run.inputs[task.number]
        except NoInput as error:
            said = {"number": task.number, "fence": task.fence, "message": str(error)}
            report(place, [said], state=TaskState.FAILED)
            return None
        return {
            "number": task.number,
            "tries": task.tries,
            "percent": task.percent,
            "token": task.fence,
            "expires": task.expires,
            "input": value,
            "input_files": run.inputs.files_of(task.number),
        }

    def _run_of(self, place: Place):
        if getattr(self, "_read", None) is None:
            self._read = self.run(place)
        return self._read


class ReportTasks(FarmView):
    """What a worker says about the tasks that it has."""

    @described(
        "report_farm_tasks",
        "Say how far tasks are",
        request=schemas.ReportSerializer,
        answers={200: schemas.ReportedSerializer},
        errors=(400, 404),
        examples=[schemas.REPORT, schemas.REPORTED],
        tag="farm",
    )
    def post(self, request, uuid: UUID):
        """For each task its token and state: computing (which renews its lease), done, failed, or waiting, to give it back.

        `lost` are tasks that the worker does not have any more, because its lease expired, they were restarted, or the run was
        stopped; what it says about them is not taken.
        """
        place = self.place_to_work(uuid)
        said = schemas.ReportSerializer(data=self.body())
        said.is_valid(raise_exception=True)
        tasks = [self._task(index, task) for index, task in enumerate(said.validated_data["tasks"])]
        taken, lost = [], []
        for word, state in STATES.items():
            if group := [task for task in tasks if task["state"] == word]:
                ours, not_ours = report(place, group, state=state)
                taken += ours
                lost += not_ours
        return Response({"taken": sorted(taken), "lost": sorted(lost), "state": state_of(place)})

    def _task(self, index: int, said: dict) -> dict:
        task = {
            "number": said["number"],
            "fence": said["token"],
            "state": said["state"],
            "percent": said.get("percent"),
        }
        if said.get("message"):
            task["message"] = said["message"]
        if "result" in said:
            task["result"] = json.dumps(said["result"])
            if len(task["result"]) > conf.FARM_RESULT_LIMIT:
                problem = (
                    f"has {len(task['result']):,} bytes of JSON, and {conf.FARM_RESULT_LIMIT:,} are taken here; send it as a "
                    "file of the task"
                )
                raise exceptions.ValidationError({f"tasks.{index}.result": [problem]})
        return task
