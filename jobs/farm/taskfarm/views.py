"""The API of taskfarm over HTTP.

Plain views: every task is some thirteen requests here, and what a framework for APIs does for each would be most of the work.
Errors are `{"message": …}`; its workers look at the status only.
"""

import json
from collections.abc import Callable
from functools import wraps
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from jobs.errors import ActionNotAllowed, JobError
from jobs.farm.access import NO_RUN, Place, may_act, place_of, place_of_lately, runs_of
from jobs.farm.handout import check_out
from jobs.farm.models import MOST_TASKS, FarmRun, FarmWorker, TaskState
from jobs.farm.puts import PutRefused, find_task, put, put_usual
from jobs.farm.restarting import ALL, UNFINISHED, restart
from jobs.farm.taskfarm.login import LoginNeeded, caller_of
from jobs.farm.taskfarm.runs import (
    INFOS,
    STATES,
    WORDS,
    create_run,
    run_document,
    task_document,
    totals_document,
)
from jobs.farm.taskfarm.tokens import make_token
from jobs.farm.turns import my_turn
from jobs.intents import want
from jobs.models import Action

LONGEST_BODY = 10_000
LONGEST_NAME = 255
LARGEST_PID = 2**62


class Refused(Exception):
    """What was asked for is not done; the message says why."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def view(*methods: str) -> Callable:
    """A view for callers who have logged in, and for these methods; `request.caller` is who it is."""

    def wrap(function: Callable) -> Callable:
        @csrf_exempt
        @wraps(function)
        def call(request: HttpRequest, **names: str) -> HttpResponse:
            try:
                request.caller = caller_of(request)
                if request.method not in methods:
                    answer = _error(405, f"{request.method} is not for this address; {', '.join(methods)} is")
                    answer["Allow"] = ", ".join(methods)
                    return answer
                return function(request, **names)
            except LoginNeeded as error:
                return _login_needed(error)
            except Refused as error:
                return _error(error.status, str(error))
            except Http404 as error:
                return _error(404, str(error))
            except (PutRefused, ActionNotAllowed, JobError) as error:
                return _error(400, str(error))

        return call

    return wrap


def _error(status: int, message: str) -> JsonResponse:
    return JsonResponse({"message": message}, status=status)


def _login_needed(error: LoginNeeded) -> HttpResponse:
    if error.retry_after:
        answer = _error(429, str(error))
        answer["Retry-After"] = str(error.retry_after)
        return answer
    answer = _error(401, str(error))
    answer["WWW-Authenticate"] = 'Basic realm="taskfarm", charset="UTF-8"'
    return answer


def _done() -> HttpResponse:
    return HttpResponse(status=204)


# --- what callers say


def _body(request: HttpRequest) -> dict:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        raise Refused(413, f"a body may have {LONGEST_BODY:,} bytes here")
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not body:
        raise Refused(400, "the body must be a JSON object")
    return body


def _text(body: dict, name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise Refused(400, f"{name} is missing, or no text of at most {longest} characters")
    return value


def _place(request: HttpRequest, uuid: str, find: Callable = place_of) -> Place:
    try:
        # 32 digits, as they are given out.
        found = UUID(hex=uuid) if len(uuid) == 32 else None
    except ValueError:
        found = None
    if found is None:
        raise Http404(NO_RUN)
    return find(request.caller, found)


def _place_to_act(request: HttpRequest, uuid: str) -> Place:
    place = _place(request, uuid)
    if not may_act(request.caller, place):
        raise Refused(403, "only its owner may do that with the run")
    return place


def _place_to_work(request: HttpRequest, uuid: str, find: Callable = place_of) -> Place:
    place = _place(request, uuid, find)
    if not place.may_work:
        raise Refused(403, "its owner has not named you as somebody who may work on the run")
    return place


def _number(place: Place, text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or int(text) >= place.num_tasks:
        raise Refused(404, f"no such task: they are numbered 0 to {place.num_tasks - 1}")
    return int(text)


# --- the views


@view("GET")
def token(request):
    """`GET /token`"""
    answer = JsonResponse({"token": make_token(request.caller)})
    answer["Cache-Control"] = "no-store"
    return answer


@view("POST")
def new_run(request):
    """`POST /run`"""
    num_tasks = _body(request).get("numTasks")
    if isinstance(num_tasks, bool) or not isinstance(num_tasks, int) or not 1 <= num_tasks <= MOST_TASKS:
        raise Refused(400, f"numTasks is missing, or no whole number from 1 to {MOST_TASKS:,}")
    run = create_run(request.caller, num_tasks)
    return JsonResponse(run_document(run.pk, run.uuid, run.num_tasks), status=201)


@view("GET")
def runs(request):
    """`GET /runs`"""
    rows = runs_of(request.caller).values_list("pk", "uuid", "num_tasks")
    return JsonResponse({"data": [run_document(*row) for row in rows]})


@view("GET", "DELETE")
def one_run(request, uuid):
    """`GET` and `DELETE /runs/<uuid>`"""
    if request.method == "DELETE":
        place = _place_to_act(request, uuid)
        want(FarmRun.objects.non_polymorphic().get(pk=place.run_id), Action.DELETE, user=request.caller)
        return _done()
    place = _place(request, uuid)
    info = request.GET.get("info", "")
    if info and info not in INFOS:
        raise Refused(404, f"info: there is {', '.join(INFOS)}")
    totals = totals_document(place)
    if info:
        return JsonResponse({info: totals[info]})
    return JsonResponse({**run_document(place.run_id, place.uuid, place.num_tasks), **totals})


@view("POST")
def restart_run(request, uuid):
    """`POST /runs/<uuid>/restart`"""
    place = _place_to_act(request, uuid)
    everything = request.GET.get("all", "False")
    if everything not in ("True", "False"):
        raise Refused(404, "all: must be True or False")
    what = ALL if everything == "True" else UNFINISHED
    restart(place, what, user=request.caller, below_100_only=True)
    return _done()


@view("POST")
def check_out_task(request, uuid):
    """`POST /runs/<uuid>/task`"""
    name = _text(_body(request), "worker_uuid", 64)
    place = _place_to_work(request, uuid)
    worker = FarmWorker.objects.filter(user=request.caller.pk, uuid=name).first()
    if worker is None:
        raise Refused(404, "no such worker; POST /worker makes one known")
    if place.lease_seconds:
        raise Refused(400, "the tasks of this run have leases, which this API has not; see /docs for the one that has")
    if not (found := check_out(place, worker, 1, uuid4().hex)):
        return _done()
    [task] = found
    return JsonResponse(
        {"id": task.id, "task": task.number, "percentCompleted": task.percent, "status": "computing"}, status=201
    )


@view("GET", "PUT")
def one_task(request, uuid, number):
    """`GET` and `PUT /runs/<uuid>/tasks/<n>`"""
    if request.method == "PUT":
        return _put(request, uuid, number)
    place = _place(request, uuid)
    task_number = _number(place, number)
    info = request.GET.get("info", "")
    if info not in ("", "status", "percentCompleted", "percentDone"):
        raise Refused(404, "info: there is status, percentCompleted")
    task = find_task(place, task_number, make=not info and place.attempt_id is not None)
    if not info and task is not None:
        return JsonResponse(task_document(task))
    state, percent = (task.state, task.percent) if task is not None else (TaskState.WAITING, 0.0)
    if not info:
        return JsonResponse(
            {"id": None, "task": task_number, "percentCompleted": percent, "status": WORDS[TaskState(state)]}
        )
    return JsonResponse({info: WORDS[TaskState(state)] if info == "status" else percent})


def _put(request: HttpRequest, uuid: str, number: str) -> HttpResponse:
    body = _body(request)
    for key in body:
        if key not in ("percentCompleted", "status"):
            raise Refused(400, f"{key} is nothing that can be set; percentCompleted and status are")
    place = _place_to_work(request, uuid, place_of_lately)
    task_number = _number(place, number)
    percent, state = body.get("percentCompleted"), None
    if "percentCompleted" in body and (
        isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100
    ):
        raise Refused(400, "percentCompleted must be a number from 0 to 100")
    if "status" in body:
        state = STATES.get(body["status"]) if isinstance(body["status"], str) else None
        if state is None:
            raise Refused(400, f"status must be one of {', '.join(STATES)}")
    if not put_usual(place, task_number, percent=percent, state=state):
        put(_place_to_work(request, uuid), task_number, percent=percent, state=state)
    return _done()


@view("POST")
def new_worker(request):
    """`POST /worker`"""
    body = _body(request)
    name, host = _text(body, "uuid", 64), _text(body, "hostname", LONGEST_NAME)
    pid = body.get("pid")
    if isinstance(pid, bool) or not isinstance(pid, int) or not 0 <= pid < LARGEST_PID:
        raise Refused(400, "pid is missing, or no whole number")
    with my_turn():
        # Asked again where the answer was lost.
        worker, _ = FarmWorker.objects.get_or_create(
            user=request.caller, uuid=name, defaults={"hostname": host, "pid": pid}
        )
    return JsonResponse({"uuid": worker.uuid, "id": worker.pk}, status=201)
