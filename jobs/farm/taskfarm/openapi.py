"""The API of taskfarm in OpenAPI: its views are plain ones, so it is written here, and put into the site's description."""

from typing import Any

from django.urls import NoReverseMatch, reverse

from jobs.farm.models import MOST_TASKS
from jobs.farm.taskfarm.runs import INFOS, STATES

TAG = "taskfarm"
LOGIN = "taskfarm"
_UUID = "319d691555c04977a704a8e0dcade3c4"
_MESSAGE = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
_ERRORS = {
    400: ("Something in the body is missing or wrong, or the task may not be changed.", "numTasks is missing"),
    401: ("No login, or one that does not do.", "name or password is wrong"),
    403: ("The run may be looked at only.", "only its owner may do that with the run"),
    404: ("There is no such thing, or it is somebody else's.", "No such run."),
    413: ("The body is larger than is taken.", "a body may have 10,000 bytes here"),
    429: ("Too many wrong passwords; `Retry-After` says when again.", "there were too many wrong passwords"),
}
_NUMBER = {"type": "integer"}
_RUN = {"id": _NUMBER, "uuid": {"type": "string"}, "numTasks": _NUMBER}
_TASK = {
    "id": {"type": ["integer", "null"]},
    "task": _NUMBER,
    "percentCompleted": {"type": "number"},
    "status": {"type": "string", "enum": list(STATES)},
}
_RUN_EXAMPLE = {"id": 7, "uuid": _UUID, "numTasks": 100}
_TASK_EXAMPLE = {"id": 12, "task": 3, "percentCompleted": 0.0, "status": "computing"}


def describe(result: dict, generator, request, public) -> dict:
    """A postprocessing hook of drf-spectacular: the paths of this API, where the site has mounted it."""
    try:
        prefix = reverse("taskfarm:runs").removesuffix("runs")
    except NoReverseMatch:
        return result
    result["paths"] |= {f"{prefix}{path}": methods for path, methods in _paths().items()}
    schemes = result.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[LOGIN] = {
        "type": "http",
        "scheme": "basic",
        "description": "Name and password; or a token of taskfarm as the name, with an empty password.",
    }
    return result


def _object(properties: dict[str, Any], *, needed: bool = True) -> dict:
    return {"type": "object", "properties": properties, **({"required": list(properties)} if needed else {})}


def _json(schema: dict, example: Any) -> dict:
    return {"application/json": {"schema": schema, "examples": {"example": {"value": example}}}}


def _call(
    operation: str,
    summary: str,
    answers: dict[int, tuple[str, dict | None, Any]],
    *,
    errors: tuple[int, ...] = (),
    body: tuple[dict, Any] | None = None,
    parameters: list[dict] | None = None,
) -> dict:
    responses = {
        str(status): {"description": words, **({"content": _json(schema, example)} if schema else {})}
        for status, (words, schema, example) in answers.items()
    }
    of_bodies = {400, 413} if body else set()
    for status in sorted({401, 403, 429, *of_bodies, *errors}):
        words, message = _ERRORS[status]
        responses[str(status)] = {"description": words, "content": _json(_MESSAGE, {"message": message})}
    said: dict[str, Any] = {"operationId": operation, "summary": summary, "tags": [TAG]}
    if parameters:
        said["parameters"] = parameters
    if body:
        said["requestBody"] = {"required": True, "content": _json(*body)}
    return said | {"security": [{LOGIN: []}], "responses": responses}


def _in(where: str, name: str, schema: dict, words: str) -> dict:
    return {"in": where, "name": name, "schema": schema, "description": words, "required": where == "path"}


_OF_RUN = _in("path", "uuid", {"type": "string"}, "Of the run, 32 hexadecimal digits.")
_OF_TASK = [_OF_RUN, _in("path", "number", {"type": "string"}, "Of the task, from 0 on.")]


def _paths() -> dict[str, dict]:
    totals = {name: {"type": "number"} for name in INFOS}
    run, task = _object(_RUN), _object(_TASK)
    done = {204: ("Done.", None, None)}
    return {
        "token": {
            "get": _call(
                "taskfarm_token",
                "A token, to be used as the name with an empty password",
                {200: ("The token.", _object({"token": {"type": "string"}}), {"token": "WzEsIjNhIl0.1uL9Zk.abc"})},
            )
        },
        "run": {
            "post": _call(
                "taskfarm_create_run",
                "A new run",
                {201: ("The run.", run, _RUN_EXAMPLE)},
                body=(
                    _object({"numTasks": {"type": "integer", "minimum": 1, "maximum": MOST_TASKS}}),
                    {"numTasks": 100},
                ),
            )
        },
        "runs": {
            "get": _call(
                "taskfarm_list_runs",
                "The caller's runs",
                {200: ("All.", _object({"data": {"type": "array", "items": run}}), {"data": [_RUN_EXAMPLE]})},
            )
        },
        "runs/{uuid}": {
            "get": _call(
                "taskfarm_read_run",
                "How far a run is",
                {
                    200: (
                        "All of it, or with `info` one of the figures.",
                        _object({**_RUN, **totals}, needed=False),
                        {**_RUN_EXAMPLE, "percentDone": 41.5, "numWaiting": 58, "numDone": 40, "numComputing": 2},
                    )
                },
                errors=(404,),
                parameters=[_OF_RUN, _in("query", "info", {"type": "string", "enum": ["", *INFOS]}, "One figure.")],
            ),
            "delete": _call("taskfarm_delete_run", "Delete a run", done, errors=(404,), parameters=[_OF_RUN]),
        },
        "runs/{uuid}/restart": {
            "post": _call(
                "taskfarm_restart_run",
                "Have tasks computed again",
                done,
                errors=(400, 404),
                parameters=[
                    _OF_RUN,
                    _in(
                        "query",
                        "all",
                        {"type": "string", "enum": ["True", "False"]},
                        "All, or those below 100 percent.",
                    ),
                ],
            )
        },
        "runs/{uuid}/task": {
            "post": _call(
                "taskfarm_check_out",
                "Take a task",
                {201: ("The task.", task, _TASK_EXAMPLE), 204: ("There is none.", None, None)},
                errors=(404,),
                parameters=[_OF_RUN],
                body=(_object({"worker_uuid": {"type": "string"}}), {"worker_uuid": "w1"}),
            )
        },
        "runs/{uuid}/tasks/{number}": {
            "get": _call(
                "taskfarm_read_task",
                "How a task is",
                {
                    200: (
                        "All of it, or with `info` one figure.",
                        _object({**_TASK, "percentDone": {"type": "number"}}, needed=False),
                        _TASK_EXAMPLE,
                    )
                },
                errors=(404,),
                parameters=[
                    *_OF_TASK,
                    _in(
                        "query",
                        "info",
                        {"type": "string", "enum": ["", "status", "percentCompleted", "percentDone"]},
                        "One.",
                    ),
                ],
            ),
            "put": _call(
                "taskfarm_change_task",
                "Say how far a task is",
                done,
                errors=(404,),
                parameters=_OF_TASK,
                body=(
                    _object(
                        {
                            "percentCompleted": {"type": "number", "minimum": 0, "maximum": 100},
                            "status": {"type": "string", "enum": list(STATES)},
                        },
                        needed=False,
                    ),
                    {"percentCompleted": 40},
                ),
            ),
        },
        "worker": {
            "post": _call(
                "taskfarm_create_worker",
                "Make a worker known",
                {
                    201: (
                        "The worker.",
                        _object({"uuid": {"type": "string"}, "id": _NUMBER}),
                        {"uuid": "w1", "id": 3},
                    )
                },
                body=(
                    _object({"uuid": {"type": "string"}, "hostname": {"type": "string"}, "pid": _NUMBER}),
                    {"uuid": "w1", "hostname": "node1", "pid": 4711},
                ),
            )
        },
    }
