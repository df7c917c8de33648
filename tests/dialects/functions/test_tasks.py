"""Tasks of flask-tasks: made, read, refused, in the words of its document."""

import ast
import os
import subprocess
import sys
import uuid

import pytest
from django.core.checks import run_checks
from django.test import Client

from jobs.functions.models import FunctionJob
from jobs.functions.testing import run_functions
from jobs.workspaces import workspace_path
from tests.dialects.functions.conftest import Caller, allow, with_token

MOV3D = {"dt": 0.001, "mass": 1.0, "r0": [0.5, 0.5, 0.5], "v0": [10.0, 10.0, 10.0], "radius": 0.3, "drag": False}


def test_it_is_online(nobody):
    assert nobody.get("/ping").json() == {"status": "online"}


def test_everybody_may_see_the_tasks_and_their_arguments(nobody):
    tasks = nobody.get("/tasks").json()
    assert tasks["myProtectedTask"] == {
        "require_authorization": True,
        "args": {"x": "<class 'int'>", "y": "<class 'int'>"},
    }
    assert tasks["mov3d"] == {
        "require_authorization": False,
        "args": {
            "dt": "<class 'float'>",
            "r0": "<class 'list'>",
            "v0": "<class 'list'>",
            "mass": "<class 'float'>",
            "radius": "<class 'float'>",
            "drag": "<class 'bool'>",
        },
    }
    assert tasks["tadd"]["require_authorization"] is tasks["add"]["require_authorization"] is False


def test_a_task_is_pending_until_it_was_run_and_has_its_result_then(nobody, account):
    task = nobody.task("add", x=1, y=2)
    assert task == {"id": task["id"], "result": {}, "args": {"x": 1, "y": 2}, "status": "PENDING", "type": "add"}
    assert nobody.get(f"/task/{task['id']}").json() == task
    assert nobody.result(task) == {**task, "result": 3, "status": "SUCCESS"}


def test_a_task_is_a_job_in_the_jobs_table(nobody, account):
    task = nobody.task("add", x=1, y=2)
    job = FunctionJob.objects.get(uuid=task["id"])
    assert (job.user, job.label, job.status_display) == (account, "flasktasks", "Submitted")


def test_a_task_that_runs_is_started(nobody, account):
    task = nobody.task("add", x=1, y=2)
    FunctionJob.objects.non_polymorphic().filter(uuid=task["id"]).update(status_code="RUN")
    assert nobody.get(f"/task/{task['id']}").json()["status"] == "STARTED"


def test_the_flight_of_the_document_has_all_its_arrays(nobody, account):
    said = nobody.result(nobody.task("mov3d", **MOV3D))
    assert said["status"] == "SUCCESS"
    assert said["result"].keys() == {"r", "v", "a", "alpha", "w", "t"}
    assert said["result"]["r"][0] == MOV3D["r0"]
    assert {len(array) for array in said["result"].values()} == {len(said["result"]["t"])}


def test_a_task_that_fails_says_why(nobody, account):
    said = nobody.result(nobody.task("mov3d", **{**MOV3D, "dt": 1e-9}))
    assert (said["status"], said["result"]) == ("FAILURE", {})
    assert said["message"].startswith("ValueError: dt: ")


def test_a_task_that_was_stopped_is_revoked(nobody, account):
    task = nobody.task("add", x=1, y=2)
    FunctionJob.objects.get(uuid=task["id"]).stop()
    assert nobody.result(task)["status"] == "REVOKED"


def test_a_result_that_was_removed_is_gone(nobody, account):
    task = nobody.task("mov3d", **MOV3D)
    run_functions()
    (workspace_path(FunctionJob.objects.get(uuid=task["id"])) / "result.json").unlink()
    answer = nobody.get(f"/task/{task['id']}")
    assert (answer.status_code, answer.json()) == (410, {"message": f"the result of {task['id']} is there no more"})


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"type": "nosuch", "args": {}}, 404, "task type nosuch doesnt exist"),
        ({"type": "add", "args": {"x": 1}}, 404, "the required param y was not passed."),
        (
            {"type": "add", "args": {"x": 1, "y": "2"}},
            404,
            "the passed param y doesnt match the required type: <class 'int'>.",
        ),
        (
            {"type": "add", "args": {"x": True, "y": 2}},
            404,
            "the passed param x doesnt match the required type: <class 'int'>.",
        ),
        (
            {"type": "mov3d", "args": {**MOV3D, "drag": 1}},
            404,
            "the passed param drag doesnt match the required type: <class 'bool'>.",
        ),
        (
            {"type": "mov3d", "args": {**MOV3D, "mass": True}},
            404,
            "the passed param mass doesnt match the required type: <class 'float'>.",
        ),
        (
            {"type": "mov3d", "args": {**MOV3D, "r0": "0,0,0"}},
            404,
            "the passed param r0 doesnt match the required type: <class 'list'>.",
        ),
        ({"type": "add", "args": {"x": 1, "y": 2, "z": 3}}, 404, "the passed param z is not required."),
        # Of several the first in the order of the parameters, what is too much last: as in the program.
        (
            {"type": "add", "args": {"z": 3, "x": "1"}},
            404,
            "the passed param x doesnt match the required type: <class 'int'>.",
        ),
        ({"type": "add", "args": {"z": 3, "y": "1"}}, 404, "the required param x was not passed."),
        ({"args": {"x": 1}}, 400, 'type is missing, or of another type than in "add"'),
        ({"type": "add"}, 400, 'args is missing, or of another type than in {"x": 1, "y": 2}'),
        ({"type": "add", "args": [1, 2]}, 400, 'args is missing, or of another type than in {"x": 1, "y": 2}'),
        ({"type": ["add"], "args": {}}, 400, 'type is missing, or of another type than in "add"'),
        ([1], 400, "the body must be a JSON object"),
        ("no JSON", 400, None),
        ({"type": "add", "args": {"x": 1, "y": 2, "\0": 1}}, 400, None),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_document(nobody, account, body, status, message):
    answer = nobody.post(body)
    assert answer.status_code == status, answer.content
    assert answer.json().keys() == {"message"}
    if message is not None:
        assert answer.json() == {"message": message}
    assert not FunctionJob.objects.exists()


def test_the_types_are_those_that_pydantic_knows(ann):
    allow(ann, "typed")
    caller = with_token(ann)
    right = {"whole": 1, "number": 2, "flag": True, "text": "", "numbers": [1, 2.5], "kind": "fast", "point": {"x": 1}}
    assert caller.post({"type": "typed", "args": {**right, "numbers": [1, "2"]}}).json() == {
        "message": "the passed param numbers doesnt match the required type: list[float]."
    }
    assert caller.get("/tasks").json()["typed"]["args"]["numbers"] == "list[float]"
    # It has a default: it may be left out.
    assert "more" not in right
    assert caller.task("typed", **right)["args"] == right


def test_a_whole_number_will_do_for_a_float(nobody, account):
    assert nobody.task("mov3d", **{**MOV3D, "mass": 1})["status"] == "PENDING"


def test_what_curl_sends_without_saying_what_it_is_is_taken(account):
    body = '{"type":"add", "args":{"x": 1, "y": 2}}'
    answer = Client().generic("POST", "/task", body, "application/x-www-form-urlencoded")
    assert answer.status_code == 200


def test_a_page_of_another_site_reaches_the_account_only_where_the_browser_has_asked(account):
    body = '{"type":"add", "args":{"x": 1, "y": 2}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = Client().generic("POST", "/task", body, kind, headers={"Origin": "https://evil.example"})
        assert (answer.status_code, answer.json().keys()) == (415, {"message"})
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked = Client().options("/task", headers=asking)
    assert "Access-Control-Allow-Origin" not in asked
    assert not FunctionJob.objects.exists()


def test_an_id_that_nobody_knows_is_pending(nobody):
    for name in (str(uuid.uuid4()), "nonsense", "%00"):
        said = nobody.get(f"/task/{name}").json()
        if name != "%00":
            assert said == {"id": name, "result": {}, "status": "PENDING"}


def test_somebody_elses_task_is_to_the_letter_as_one_that_is_not_there(allowed, nobody, bob):
    task = allowed.task("myProtectedTask", x=3, y=4)
    assert allowed.result(task)["result"] == 12
    for stranger in (nobody, with_token(bob)):
        answer = stranger.get(f"/task/{task['id']}")
        other = stranger.get(f"/task/{uuid.UUID(int=1)}")
        assert answer.status_code == other.status_code == 200
        assert answer.content.decode() == other.content.decode().replace(str(uuid.UUID(int=1)), task["id"])


def test_staff_may_read_the_tasks_of_others(allowed, staff):
    task = allowed.task("myProtectedTask", x=3, y=4)
    assert with_token(staff).result(task)["result"] == 12


def test_without_the_account_nobody_runs_anything_without_a_token(nobody, db):
    answer = nobody.post({"type": "add", "args": {"x": 1, "y": 2}})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "/token" in answer.json()["message"]
    assert not FunctionJob.objects.exists()


def test_the_account_is_for_this_machine_only_unless_said_otherwise(account, settings):
    far = Caller(address="192.0.2.1")
    assert far.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401
    behind = Caller()
    behind.headers["X-Forwarded-For"] = "192.0.2.1"
    assert behind.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401
    settings.JOBS = {**settings.JOBS, "FLASKTASKS_ANYWHERE": True}
    assert far.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 200


def test_an_account_that_is_locked_or_not_there_lets_nobody_in(nobody, account, settings):
    account.is_active = False
    account.save()
    assert nobody.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401
    settings.JOBS = {**settings.JOBS, "FLASKTASKS_ACCOUNT": "no-such-account"}
    assert nobody.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 401


def test_whoever_lets_people_in_without_a_login_is_warned(account, settings):
    def ids() -> set[str]:
        return {one.id for one in run_checks(tags=["jobs"]) if one.id.startswith("jobs_functions.")}

    assert ids() == {"jobs_functions.W002"}
    settings.JOBS = {**settings.JOBS, "FLASKTASKS_ANYWHERE": True}
    assert ids() == {"jobs_functions.W001"}
    settings.JOBS = {**settings.JOBS, "FLASKTASKS_ACCOUNT": ""}
    assert ids() == set()


def test_those_without_a_login_are_throttled_by_address(nobody, account, settings):
    settings.JOBS = {**settings.JOBS, "API_RATES": {"submit": 2, "read": 2}, "FLASKTASKS_ANYWHERE": True}
    codes = [nobody.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    codes = [nobody.get("/task/unknown").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    other = Caller(address="192.0.2.1")
    assert other.get("/task/unknown").status_code == 200
    assert other.post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 200
    assert with_token(account).post({"type": "add", "args": {"x": 1, "y": 2}}).status_code == 200


@pytest.mark.parametrize("path", ["/tasks", "/task/5861c3a8-fa0f-4b84-9e54-04b545408114", "/ping"])
def test_other_methods_are_refused_in_the_same_form(nobody, path):
    answer = nobody("DELETE", path)
    assert answer.status_code == 405
    assert answer.json().keys() == {"message"}


def test_pages_of_the_front_end_may_use_it_without_cookies(nobody, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    answer = nobody("GET", "/tasks", Origin="https://front.example")
    assert answer["Access-Control-Allow-Origin"] == "https://front.example"
    assert "Access-Control-Allow-Credentials" not in answer
    asked = nobody("OPTIONS", "/task", **{"Origin": "https://front.example", "Access-Control-Request-Method": "POST"})
    assert "authorization" in asked["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in nobody("GET", "/tasks", Origin="https://other.example")
    assert "Access-Control-Allow-Origin" not in nobody("GET", "/api/jobs/", Origin="https://front.example")


def test_without_a_front_end_no_page_of_another_site_may(nobody):
    assert "Access-Control-Allow-Origin" not in nobody("GET", "/tasks", Origin="https://front.example")


def test_a_star_stands_for_all_pages(nobody, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True
    answer = nobody("GET", "/tasks", Origin="https://any.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in nobody("GET", "/api/jobs/", Origin="https://any.example")


@pytest.mark.parametrize(
    ("variable", "origins"),
    [
        ("", (False, [])),
        ("*", (True, [])),
        ("https://a.example/, http://b.example:8080", (False, ["https://a.example", "http://b.example:8080"])),
    ],
)
def test_the_variable_of_the_program_names_the_front_end(variable, origins):
    code = "from project import settings as s; print((s.CORS_ALLOW_ALL_ORIGINS, s.CORS_ALLOWED_ORIGINS))"
    environment = {**os.environ, "FRONTEND_URL": variable, "ENV_FILE": os.devnull}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ast.literal_eval(done.stdout) == origins
