"""REST of functions: which there are, a job of one, its call and its result; with owner, member, stranger, staff, nobody."""

import json
from uuid import uuid4

import pytest

from jobs.functions.models import CallState, FunctionCall, FunctionJob
from jobs.functions.registry import get_function
from jobs.functions.testing import run_functions
from jobs.workspaces import workspace_path
from tests.functions.conftest import allow
from tests.functions.test_signatures import ALL

pytestmark = pytest.mark.django_db


@pytest.fixture
def anns(ann, call):
    """Ann calls, who may run all functions."""
    return call(allow(ann))


@pytest.fixture
def guests(guest, call):
    """The guest calls, who may run public functions."""
    return call(guest)


def fields(answer, status=400) -> dict:
    assert answer.status_code == status, answer.content
    return answer.json()["error"].get("fields", {})


def post(caller, function="add", arguments=None, **more):
    body = {"type": "FUNCTION", "name": "job {id}", "function": function, "arguments": arguments or {}, **more}
    return caller.post("jobs/", body)


# --- the functions


def test_a_function_is_described_with_the_schema_of_its_arguments(anns, new_worker):
    new_worker()
    answer = anns.get("functions/slow/")
    assert answer.status_code == 200
    assert answer.json() == {
        "name": "slow",
        "description": "Work longer than it may.",
        "public": False,
        "queue": "tests",
        "time_limit": 1,
        "retries": 0,
        "idempotent": False,
        "fingerprint": get_function("slow").fingerprint,
        "workers": 1,
        "arguments": {
            "type": "object",
            "properties": {"outside": {"type": "string"}},
            "required": ["outside"],
            "additionalProperties": False,
        },
    }


def test_the_list_has_the_functions_that_the_caller_may_run(anns, guests, guest, call):
    def names(caller) -> list[str]:
        return [one["name"] for one in caller.get("functions/").json()["results"]]

    assert {"add", "typed", "fail"} <= set(names(anns))
    assert "add" in names(guests)
    assert "typed" not in names(guests)
    assert "typed" in names(call(allow(guest, "call_typed")))


def test_whoever_may_not_run_a_function_is_told_what_is_missing(guests):
    answer = guests.get("functions/typed/")
    assert answer.status_code == 403
    assert "jobs_functions.call_typed" in answer.json()["error"]["message"]


def test_a_function_that_is_not_there_is_404(anns):
    assert anns.get("functions/nonsense/").status_code == 404


# --- a new job


def test_a_job_is_made_run_and_gives_its_result(anns, ann):
    answer = post(anns, "add", {"x": 2, "y": 3}, run=True, timeout=60)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["type"], said["status"], said["timeout"]) == ("FUNCTION", "SUB", 60)
    assert said["properties"] == {"function": "add", "arguments": {"x": 2, "y": 3}}
    assert FunctionJob.objects.get().user == ann
    run_functions()
    result = anns.get(f"jobs/{said['id']}/function/result/")
    assert (result.status_code, result["Content-Type"]) == (200, "application/json")
    assert json.loads(b"".join(result)) == 5


def test_a_function_that_is_not_there_is_an_error_at_its_field(anns):
    assert fields(post(anns, "nonsense")) == {
        "function": ["there is no function 'nonsense'; /api/functions/ has those that you may run"]
    }


def test_each_wrong_argument_is_an_error_at_its_name(anns):
    wrong = {**ALL, "whole": "1", "numbers": [1, "two"], "other": 3}
    del wrong["text"]
    answer = post(anns, "typed", wrong)
    assert fields(answer) == {
        "arguments.whole": ["input should be a valid integer"],
        "arguments.text": ["is missing"],
        "arguments.numbers": ["[1] input should be a valid number"],
        "arguments.other": [
            "is no parameter; there are: whole, number, flag, text, numbers, kind, point, more",
        ],
    }
    assert not FunctionJob.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"arguments": [1]}, "arguments"),
        ({"function": 3}, "function"),
        ({"function": None}, "function"),
        ({"timeout": 0}, "timeout"),
        ({"workspace": "/etc"}, "workspace"),
        ({"process_results_function": "os.system"}, "process_results_function"),
    ],
)
def test_what_else_is_wrong_names_its_field(anns, body, field):
    assert list(fields(post(anns, **({"arguments": {"x": 1, "y": 2}} | body)))) == [field]


def test_without_the_right_nothing_is_made_and_the_reason_said(guests):
    answer = post(guests, "typed", ALL)
    assert answer.status_code == 403
    assert "jobs_functions.call_typed" in answer.json()["error"]["message"]
    assert not FunctionJob.objects.exists()


def test_a_public_function_needs_no_right(guests):
    assert post(guests, "add", {"x": 1, "y": 2}).status_code == 201


def test_the_type_is_offered_to_whoever_may_run_any_function(guests, monkeypatch):
    def types() -> list[str]:
        return [one["name"] for one in guests.get("job-types/").json()["results"]]

    assert "FUNCTION" in types()
    monkeypatch.setattr("jobs.functions.permissions.functions", lambda: [])
    assert "FUNCTION" not in types()
    assert post(guests, "add", {"x": 1, "y": 2}).status_code == 403


def test_a_token_needs_the_scope_submit(ann, call):
    assert post(call(allow(ann), ["read", "write"]), "add", {"x": 1, "y": 2}).status_code == 403


# --- the call and the result of a job


def test_the_call_of_a_job_is_described(anns, calling, new_worker):
    job = calling("add", x=2, y=3)
    said = {"function": "add", "arguments": {"x": 2, "y": 3}, "has_result": False, "result_size": None}
    url = f"jobs/{job.uuid}/function/"
    nothing = {"queue": None, "fingerprint": None, "tries": None, "worker": None}
    assert anns.get(url).json() == said | nothing
    job.execute()
    said |= {"queue": "default", "fingerprint": get_function("add").fingerprint, "tries": 0, "worker": None}
    assert anns.get(url).json() == said
    worker = new_worker("node1:7")
    FunctionCall.objects.update(state=CallState.RUNNING, worker=worker.holder, tries=1)
    assert anns.get(url).json() == said | {"tries": 1, "worker": "node1:7"}
    FunctionCall.objects.update(state=CallState.QUEUED, worker="", tries=0)
    run_functions()
    assert anns.get(url).json() == said | {"tries": 1, "has_result": True, "result_size": 1}


def test_there_is_no_result_before_the_function_has_returned(anns, calling):
    job = calling("add", x=2, y=3)
    job.execute()
    answer = anns.get(f"jobs/{job.uuid}/function/result/")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"{job.name} has no result; it is Submitted."


def test_a_long_result_comes_from_the_workspace_while_it_is_there(anns, ran):
    job = ran("returning", what="long")
    assert json.loads(b"".join(anns.get(f"jobs/{job.uuid}/function/result/"))) == "x" * 200_000
    (workspace_path(job) / "result.json").unlink()
    assert anns.get(f"jobs/{job.uuid}/function/result/").status_code == 404


def test_a_job_of_another_type_calls_no_function(anns, ann, manager):
    job = manager.create_job("plain", ann, "BASIC")
    for url in ("function/", "function/result/"):
        answer = anns.get(f"jobs/{job.uuid}/{url}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("url", ["function/", "function/result/"])
def test_a_member_of_its_group_and_staff_see_it_and_a_stranger_as_little_as_none(
    ran, call, bob, member, lab, staff, url
):
    job = ran("add", x=2, y=3)
    theirs, none = (call(bob).get(f"jobs/{uuid}/{url}") for uuid in (job.uuid, uuid4()))
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content
    job.groups.add(lab)
    assert call(member).get(f"jobs/{job.uuid}/{url}").status_code == 200
    assert call(staff).get(f"jobs/{job.uuid}/{url}").status_code == 200
    assert call().get(f"jobs/{job.uuid}/{url}").status_code == 401


# --- the workers


def test_staff_sees_the_workers_and_what_they_run(call, staff, calling, new_worker):
    worker = new_worker("node1:7", routes=[get_function("add").route, "typed:0123456789abcdef"])
    job = calling("add", x=2, y=3)
    job.execute()
    FunctionCall.objects.update(state=CallState.RUNNING, worker=worker.holder)
    [said] = call(staff).get("functions/workers/").json()["results"]
    assert said["running"] == [{"job": str(job.uuid), "name": job.name, "function": "add", "started": None}]
    assert (said["functions"], said["other_versions"]) == (["add"], ["typed"])
    assert (said["alive"], said["leaving"], said["queues"]) == (True, False, ["default", "tests"])


@pytest.mark.parametrize("url", ["functions/", "functions/add/", "functions/workers/"])
def test_nobody_gets_nothing(call, url):
    answer = call().get(url)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_whoever_is_not_staff_does_not_see_the_workers(anns, new_worker):
    new_worker()
    answer = anns.get("functions/workers/")
    assert answer.status_code == 403
    assert "Only staff" in answer.json()["error"]["message"]
