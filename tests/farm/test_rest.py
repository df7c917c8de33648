"""REST of farm runs: made, worked on, read, restarted; by the owner, by those who were named, and by nobody else."""

import csv
import io
import json
import time
from threading import Thread
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from jobs.access import waiting
from jobs.farm.models import FarmRun
from jobs.testing import settle
from jobs.workspaces import workspace_path

pytestmark = pytest.mark.django_db(transaction=True)
WORKER = {"uuid": "w1", "hostname": "node1", "pid": 7}


@pytest.fixture
def anns(call, ann):
    """Ann calls, whose runs they are."""
    return call(ann)


@pytest.fixture
def bobs(call, bob):
    """Bob calls."""
    return call(bob)


@pytest.fixture
def new_run(anns):
    """Makes a run by REST and has it run; the path of its REST."""

    def make(**values) -> str:
        answer = anns.post("jobs/", {"type": "FARM", "name": f"run {uuid4()}", "run": True, **values})
        assert answer.status_code == 201, answer.content
        return f"jobs/{answer.json()['id']}/farm/"

    return make


def check_out(caller, run: str, **values) -> dict:
    answer = caller.post(f"{run}checkout/", {"worker": WORKER, **values})
    assert answer.status_code == 200, answer.content
    return answer.json()


def say(caller, run: str, tasks: list[dict], **values) -> dict:
    said = [{"number": task["number"], "token": task["token"], **values} for task in tasks]
    answer = caller.post(f"{run}report/", {"tasks": said})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_tasks_are_taken_with_their_inputs_and_their_results_come_back(anns, new_run):
    run = new_run(inputs=[{"wind": number} for number in range(3)], lease_seconds=30)
    found = check_out(anns, run, count=2)
    assert [(task["number"], task["input"], task["tries"]) for task in found["tasks"]] == [
        (0, {"wind": 0}, 1),
        (1, {"wind": 1}, 1),
    ]
    assert (found["state"], found["lease_seconds"]) == ("open", 30)
    assert say(anns, run, found["tasks"], state="done", result={"power": 1.5}) == {
        "taken": [0, 1],
        "lost": [],
        "state": "open",
    }
    [last] = check_out(anns, run, count=10)["tasks"]
    say(anns, run, [last], state="failed", message="no wind")
    settle()
    assert anns.get(run).json() | {"rate": 0, "as_of": None} == {
        "num_tasks": 3,
        "lease_seconds": 30,
        "max_tries": 3,
        "participants": [],
        "state": "ended",
        "waiting": 0,
        "computing": 0,
        "done": 2,
        "failed": 1,
        "percent": 66.667,
        "rate": 0,
        "eta": None,
        "as_of": None,
    }
    task = anns.get(f"{run}tasks/0/").json()
    assert (task["state"], task["result"], task["input"], task["worker"]) == (
        "done",
        {"power": 1.5},
        {"wind": 0},
        "node1:7",
    )
    assert [task["number"] for task in anns.get(f"{run}tasks/?state=failed").json()["results"]] == [2]


def test_the_results_of_all_tasks_are_one_file(anns, new_run):
    run = new_run(num_tasks=4)
    tasks = check_out(anns, run, count=4)["tasks"]
    say(anns, run, tasks[:1], state="done", result={"power": 1, "note": "=1+1"})
    say(anns, run, tasks[1:2], state="done", result={"other": [1, 2], "=cmd": 0})
    say(anns, run, tasks[2:3], state="done", result=7)
    lines = b"".join(anns.get(f"{run}results.jsonl").streaming_content).decode().splitlines()
    assert [json.loads(line)["result"] for line in lines] == [
        {"power": 1, "note": "=1+1"},
        {"other": [1, 2], "=cmd": 0},
        7,
    ]
    answer = anns.get(f"{run}results.csv")
    # What a spreadsheet would take for a formula is a text, in the head too.
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["number"], row["power"], row["note"], row["other"], row["result"]) for row in rows] == [
        ("0", "1", "'=1+1", "", ""),
        ("1", "", "", "[1, 2]", ""),
        ("2", "", "", "", "7"),
    ]
    assert "'=cmd" in rows[0]
    assert answer["Content-Disposition"] == 'attachment; filename="results.csv"'


def put(caller, path: str, body: bytes, **headers):
    return caller.client.put(
        f"/api/{path}", body, content_type="application/octet-stream", headers={**caller.headers, **headers}
    )


def test_files_come_to_a_task_and_back_from_it(anns, new_run):
    run = new_run(num_tasks=2)
    assert put(anns, f"{run}tasks/1/inputs/map.txt", b"north").status_code == 201
    tasks = check_out(anns, run, count=2)["tasks"]
    assert [task["input_files"] for task in tasks] == [[], ["map.txt"]]
    assert b"".join(anns.get(f"{run}tasks/1/inputs/map.txt").streaming_content) == b"north"
    token = {"X-Task-Token": tasks[1]["token"]}
    assert put(anns, f"{run}tasks/1/files/out/a.bin", b"\0\1", **token).status_code == 201
    assert anns.get(f"{run}tasks/1/").json()["files"] == ["out/a.bin"]
    assert b"".join(anns.get(f"{run}tasks/1/files/out/a.bin").streaming_content) == b"\0\1"
    assert put(anns, f"{run}tasks/1/files/b", b"", **{"X-Task-Token": "0" * 32}).status_code == 409
    say(anns, run, tasks, state="done")
    assert put(anns, f"{run}tasks/1/files/b", b"", **token).status_code == 409, "it is not the worker's any more"


@pytest.mark.parametrize("name", ["../1/files/x", "..%2f..%2fx", "/etc/x"])
def test_no_name_of_a_file_leads_out_of_its_task(anns, new_run, name):
    run = new_run(num_tasks=2)
    [task] = check_out(anns, run)["tasks"]
    answer = put(anns, f"{run}tasks/0/files/{name}", b"x", **{"X-Task-Token": task["token"]})
    assert answer.status_code in (400, 404, 405)
    job = FarmRun.objects.get()
    assert [path for path in workspace_path(job).rglob("*") if path.is_file()] == []


def test_a_worker_whose_answer_was_lost_gets_the_same_tasks_again(anns, new_run):
    run, token = new_run(num_tasks=3), uuid4().hex
    first = check_out(anns, run, count=2, token=token)["tasks"]
    assert check_out(anns, run, count=2, token=token, again=True)["tasks"] == first
    assert check_out(anns, run, token=uuid4().hex, again=True)["tasks"][0]["number"] == 2


def test_a_worker_may_wait_until_a_task_is_given_back(anns, new_run):
    run = new_run(num_tasks=1)
    tasks = check_out(anns, run)["tasks"]

    def give_back() -> None:
        time.sleep(0.6)
        say(anns, run, tasks, state="waiting")
        connection.close()

    thread = Thread(target=give_back)
    thread.start()
    began = time.monotonic()
    found = check_out(anns, run, wait=20)["tasks"]
    thread.join()
    assert [task["number"] for task in found] == [0]
    assert 0.3 < time.monotonic() - began < 10
    assert waiting._waiting == 0


def test_who_waits_hears_at_once_that_the_run_is_over(anns, new_run):
    run = new_run(num_tasks=1)
    say(anns, run, check_out(anns, run)["tasks"], state="done")
    settle()
    found = check_out(anns, run, wait=20)
    assert (found["tasks"], found["state"]) == ([], "ended")


def test_of_those_who_wait_only_so_many_are_let_wait(anns, new_run, monkeypatch):
    run = new_run(num_tasks=1)
    check_out(anns, run)
    monkeypatch.setattr(waiting, "_waiting", 10)
    began = time.monotonic()
    assert check_out(anns, run, wait=20)["retry_after"] == 2
    assert time.monotonic() - began < 5


def test_who_was_named_may_work_and_nothing_else(anns, bobs, new_run):
    run = new_run(num_tasks=3)
    assert bobs.get(run).status_code == 404
    assert bobs.post(f"{run}checkout/", {"worker": WORKER}).status_code == 404
    assert anns("PATCH", run, {"participants": ["bob"]}).json()["participants"] == ["bob"]
    tasks = check_out(bobs, run)["tasks"]
    assert say(bobs, run, tasks, state="done")["taken"] == [0]
    assert bobs.get(run).status_code == 200
    for answer in (
        bobs("PATCH", run, {"participants": []}),
        bobs.post(f"{run}restart/", {"what": "all"}),
        put(bobs, f"{run}tasks/1/inputs/x", b"x"),
    ):
        assert answer.status_code == 403
    anns("PATCH", run, {"participants": []})
    assert bobs.post(f"{run}checkout/", {"worker": WORKER}).status_code == 404


def test_members_of_its_group_may_look_and_not_work(anns, bobs, ann, bob, new_run):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    bob.groups.add(lab)
    run = new_run(num_tasks=3, groups=["lab"])
    assert bobs.get(run).status_code == 200
    assert bobs.post(f"{run}checkout/", {"worker": WORKER}).status_code == 403


def test_tasks_are_restarted(anns, new_run):
    run = new_run(num_tasks=3)
    say(anns, run, check_out(anns, run)["tasks"], state="done")
    say(anns, run, check_out(anns, run)["tasks"], state="failed")
    assert anns.post(f"{run}restart/", {"what": "failed"}).status_code == 204
    assert (
        anns.get(f"{run}?exact=1").json() | {"done": 1, "waiting": 2, "failed": 0} == anns.get(f"{run}?exact=1").json()
    )
    assert anns.post(f"{run}restart/", {"what": "all"}).status_code == 204
    assert anns.get(f"{run}?exact=1").json()["waiting"] == 3
    answer = anns.post(f"{run}restart/", {"what": "some"})
    assert answer.status_code == 400
    assert "what" in answer.json()["error"]["fields"]


def test_the_workers_of_a_run_are_listed(anns, new_run):
    run = new_run(num_tasks=3)
    say(anns, run, check_out(anns, run, count=2)["tasks"], state="done")
    [worker] = anns.get(f"{run}workers/").json()["results"]
    assert (worker["hostname"], worker["pid"], worker["done"]) == ("node1", 7, 2)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("checkout/", {}, "worker"),
        ("checkout/", {"worker": WORKER, "count": 0}, "count"),
        ("checkout/", {"worker": WORKER, "count": 1001}, "count"),
        ("checkout/", {"worker": WORKER, "wait": 26}, "wait"),
        ("checkout/", {"worker": WORKER, "token": "xyz"}, "token"),
        ("checkout/", {"worker": {**WORKER, "pid": "x"}}, "worker.pid"),
        ("checkout/", {"worker": WORKER, "many": 1}, "many"),
        ("report/", {"tasks": []}, "tasks"),
        ("report/", {"tasks": [{"number": 0, "token": "x", "state": "ready"}]}, "tasks.0.state"),
        ("report/", {"tasks": [{"number": 0, "token": "x", "percent": 101}]}, "tasks.0.percent"),
        ("report/", {"tasks": [{"number": 0, "token": "x", "percent": 10**400}]}, "tasks.0.percent"),
        ("report/", {"tasks": [{"number": 0, "token": "x", "percent": True}]}, "tasks.0.percent"),
        ("checkout/", {"worker": WORKER, "wait": 10**400}, "wait"),
        ("report/", {"tasks": [{"number": 0, "token": "x", "result": "x" * 100_001}]}, "tasks.0.result"),
    ],
)
def test_what_is_wrong_is_named(anns, new_run, path, body, field):
    answer = anns.post(new_run(num_tasks=1) + path, body)
    assert answer.status_code == 400, answer.content
    assert any(name.startswith(field) for name in answer.json()["error"]["fields"]), answer.json()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "num_tasks"),
        ({"num_tasks": 1_000_001}, "num_tasks"),
        ({"num_tasks": 2, "inputs": [1]}, "inputs"),
        ({"num_tasks": 2, "participants": ["nobody"]}, "participants"),
        ({"num_tasks": 2, "lease_seconds": 0}, "lease_seconds"),
    ],
)
def test_what_cannot_be_a_run_is_refused_by_name(anns, values, field):
    answer = anns.post("jobs/", {"type": "FARM", "name": "x", **values})
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_a_task_whose_input_is_lost_has_failed_and_says_so(anns, new_run):
    run = new_run(inputs=[1, 2])
    (workspace_path(FarmRun.objects.get()) / "inputs.jsonl").write_text("1\n")
    assert [task["number"] for task in check_out(anns, run, count=2)["tasks"]] == [0]
    task = anns.get(f"{run}tasks/?state=failed").json()["results"][0]
    assert (task["number"], "cannot be read" in task["message"]) == (1, True)
