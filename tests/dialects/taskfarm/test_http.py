"""The API of taskfarm: every documented status, and who may do what."""

import time

import pytest

from jobs.farm.models import MOST_TASKS, FarmRun
from jobs.farm.taskfarm import login
from jobs.models import Intent
from jobs.testing import settle
from tests.dialects.taskfarm.conftest import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_run_runs_at_once(anns):
    answer = anns.post("run", {"numTasks": 5})
    assert answer.status_code == 201
    job = FarmRun.objects.get()
    assert answer.json() == {"id": job.pk, "uuid": job.uuid.hex, "numTasks": 5}
    assert (job.status_display, job.user.username, job.label) == ("Running", "ann", "taskfarm")


@pytest.mark.parametrize("body", [None, {}, [], "x", {"numTasks": "5"}, {"numTasks": 0}, {"numTasks": MOST_TASKS + 1}])
def test_a_run_without_a_number_of_tasks_is_400(anns, body):
    answer = anns.post("run", body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_runs_are_listed_as_the_client_reads_them(anns):
    uuids = [anns.run(1), anns.run(2)]
    data = anns.get("runs").json()["data"]
    assert [(run["uuid"], run["numTasks"]) for run in data] == list(zip(uuids, (1, 2), strict=True))


def test_a_run_says_how_far_it_is(anns):
    run, worker = anns.run(4), anns.worker()
    for percent in (100, 50):
        task = anns.check_out(run, worker)
        anns.put(f"runs/{run}/tasks/{task['task']}", {"percentCompleted": percent})
    anns.put(f"runs/{run}/tasks/0", {"status": "done"})
    assert anns.get(f"runs/{run}").json() == {
        **anns.get("runs").json()["data"][0],
        "percentDone": 37.5,
        "numWaiting": 2,
        "numDone": 1,
        "numComputing": 1,
    }
    for info, value in {"percentDone": 37.5, "numWaiting": 2, "numDone": 1, "numComputing": 1}.items():
        assert anns.get(f"runs/{run}?info={info}").json() == {info: value}
    assert anns.get(f"runs/{run}?info=numFailed").status_code == 404


def test_tasks_are_handed_out_until_there_are_none(anns):
    run, worker = anns.run(2), anns.worker()
    first = anns.post(f"runs/{run}/task", {"worker_uuid": worker})
    assert first.status_code == 201
    assert first.json() == {"id": first.json()["id"], "task": 0, "percentCompleted": 0.0, "status": "computing"}
    assert anns.check_out(run, worker)["task"] == 1
    answer = anns.post(f"runs/{run}/task", {"worker_uuid": worker})
    assert (answer.status_code, answer.content) == (204, b"")


def test_without_a_worker_there_is_no_task(anns):
    run = anns.run()
    assert anns.post(f"runs/{run}/task", {"other": 1}).status_code == 400
    assert anns.post(f"runs/{run}/task").status_code == 400
    assert anns.post(f"runs/{run}/task", {"worker_uuid": "unknown"}).status_code == 404
    assert anns.post(f"runs/{'0' * 32}/task", {"worker_uuid": anns.worker()}).status_code == 404


@pytest.mark.parametrize("missing", ["uuid", "hostname", "pid"])
def test_a_worker_says_who_it_is(anns, missing):
    body = {"uuid": "w1", "hostname": "node1", "pid": 7}
    answer = anns.post("worker", body)
    assert answer.status_code == 201
    assert answer.json() == {"uuid": "w1", "id": answer.json()["id"]}
    assert anns.post("worker", body).json() == answer.json(), "said again, it is the same worker"
    del body[missing]
    assert anns.post("worker", body).status_code == 400
    assert anns.post("worker").status_code == 400


def test_a_task_is_read_whole_and_in_parts_also_before_it_is_handed_out(anns):
    run = anns.run(1000)
    assert anns.get(f"runs/{run}/tasks/700?info=status").json() == {"status": "waiting"}
    assert anns.get(f"runs/{run}/tasks/700?info=percentCompleted").json() == {"percentCompleted": 0.0}
    assert anns.get(f"runs/{run}/tasks/700?info=percentDone").json() == {"percentDone": 0.0}
    task = anns.get(f"runs/{run}/tasks/700").json()
    assert task == {"id": task["id"], "task": 700, "percentCompleted": 0.0, "status": "waiting"}
    assert isinstance(task["id"], int)
    for path in ("1000", "-1", "x", "9999999999"):
        assert anns.get(f"runs/{run}/tasks/{path}").status_code == 404
    assert anns.get(f"runs/{run}/tasks/1?info=id").status_code == 404


def test_a_task_is_changed_by_its_number(anns):
    run, worker = anns.run(2), anns.worker()
    anns.check_out(run, worker)
    task = f"runs/{run}/tasks/0"
    for body, percent, status in (
        ({"percentCompleted": 40}, 40, "computing"),
        ({"percentCompleted": 100, "status": "done"}, 100, "done"),
        ({"status": "waiting"}, 100, "waiting"),
        ({"status": "computing", "percentCompleted": 0.5}, 0.5, "computing"),
    ):
        answer = anns.put(task, body)
        assert (answer.status_code, answer.content) == (204, b""), body
        said = anns.get(task).json()
        assert (said["percentCompleted"], said["status"]) == (percent, status)
    assert anns.put(f"runs/{run}/tasks/1", {"status": "done"}).status_code == 204
    assert anns.get(f"runs/{run}?info=numDone").json() == {"numDone": 1}


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"percent": 4},
        {"percentCompleted": "4"},
        {"percentCompleted": True},
        {"percentCompleted": 101},
        {"percentCompleted": -1},
        {"percentCompleted": 10**400},
        "NaN",
        '{"percentCompleted": NaN}',
        {"status": "failed"},
        {"status": 1},
        {"percentCompleted": 5, "id": 3},
    ],
)
def test_a_change_that_is_none_is_400_and_changes_nothing(anns, body):
    run, worker = anns.run(2), anns.worker()
    anns.check_out(run, worker)
    assert anns.put(f"runs/{run}/tasks/0", body).status_code == 400
    assert anns.get(f"runs/{run}/tasks/0").json()["percentCompleted"] == 0


def test_a_restart_puts_back_what_is_below_100_percent_or_everything(anns):
    run, worker = anns.run(4), anns.worker()
    for percent, done in ((100, True), (100, False), (30, False)):
        task = anns.check_out(run, worker)["task"]
        anns.put(f"runs/{run}/tasks/{task}", {"percentCompleted": percent, **({"status": "done"} if done else {})})

    def tasks() -> list[tuple[str, float]]:
        said = [anns.get(f"runs/{run}/tasks/{number}").json() for number in range(4)]
        return [(task["status"], task["percentCompleted"]) for task in said]

    assert anns.post(f"runs/{run}/restart").status_code == 204
    assert tasks() == [("done", 100), ("computing", 100), ("waiting", 30), ("waiting", 0)]
    assert anns.post(f"runs/{run}/restart?all=True").status_code == 204
    assert tasks() == [("waiting", 0)] * 4
    assert anns.post(f"runs/{run}/restart?all=true").status_code == 404
    assert anns.post(f"runs/{'0' * 32}/restart").status_code == 404


def test_a_run_that_is_over_is_restarted_as_a_new_attempt(anns):
    run, worker = anns.run(1), anns.worker()
    anns.check_out(run, worker)
    anns.put(f"runs/{run}/tasks/0", {"percentCompleted": 100, "status": "done"})
    settle()
    job = FarmRun.objects.get()
    assert job.status_display == "Complete"
    assert anns.put(f"runs/{run}/tasks/0", {"percentCompleted": 100, "status": "done"}).status_code == 204
    answer = anns.put(f"runs/{run}/tasks/0", {"status": "waiting"})
    assert (answer.status_code, "restart it" in answer.json()["message"]) == (400, True)
    assert anns.post(f"runs/{run}/restart?all=True").status_code == 204
    assert anns.check_out(run, worker)["task"] == 0
    job.read_row()
    assert job.attempt == 2


def test_a_deleted_run_is_gone(anns):
    run = anns.run()
    assert anns("DELETE", f"runs/{run}").status_code == 204
    assert Intent.objects.get(action="delete").requested_by.username == "ann"
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/tasks/0"), ("POST", "/restart")):
        assert anns(method, f"runs/{run}{path}").status_code == 404
    assert anns.get("runs").json() == {"data": []}
    settle()
    assert not FarmRun.objects.exists()


def test_runs_of_others_are_as_unknown_ones(anns, bobs):
    run, worker = anns.run(), bobs.worker()
    unknown = "0" * 32
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/tasks/0", None),
        ("PUT", "/tasks/0", {"status": "done"}),
        ("POST", "/restart", None),
        ("POST", "/task", {"worker_uuid": worker}),
    ):
        answers = [bobs(method, f"runs/{uuid}{path}", body) for uuid in (run, unknown)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
    assert bobs.get("runs").json() == {"data": []}


def test_whom_the_owner_names_may_work_on_a_run_and_not_end_it(anns, bobs, bob):
    run = anns.run()
    FarmRun.objects.get().participants.add(bob)
    assert bobs.get("runs").json()["data"][0]["uuid"] == run
    worker = bobs.worker()
    task = bobs.check_out(run, worker)["task"]
    assert bobs.put(f"runs/{run}/tasks/{task}", {"percentCompleted": 100, "status": "done"}).status_code == 204
    assert bobs.post(f"runs/{run}/restart").status_code == 403
    assert bobs("DELETE", f"runs/{run}").status_code == 403
    assert anns.post(f"runs/{run}/task", {"worker_uuid": worker}).status_code == 404, "it is bob's worker"


def test_a_run_with_leases_is_worked_on_by_token_only(anns):
    run = anns.run()
    worker = anns.worker()
    anns.check_out(run, worker)
    FarmRun.objects.update(lease_seconds=30)
    assert "lease" in anns.post(f"runs/{run}/task", {"worker_uuid": worker}).json()["message"]
    answer = anns.put(f"runs/{run}/tasks/0", {"status": "done"})
    assert (answer.status_code, "lease" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("path", ["token", "runs", "runs/" + "0" * 32, "run", "worker"])
def test_nobody_is_asked_for_a_login(db, path):
    answer = Caller().get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_a_token_is_good_here_only_and_ends_with_the_password(ann, client):
    token = Caller("ann", "ann").get("token").json()["token"]
    assert Caller(token).get("runs").status_code == 200
    assert Caller(token, "x").get("runs").status_code == 401
    assert Caller(token + "x").get("runs").status_code == 401
    assert client.get("/api/jobs/", headers=Caller(token).headers).status_code == 401
    assert client.get("/api/jobs/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    ann.set_password("other")
    ann.save()
    login._known.clear()
    assert Caller(token).get("runs").status_code == 401


def test_the_account_of_a_token_that_is_locked_is_out_within_seconds(ann, anns):
    assert anns.get("runs").status_code == 200
    ann.is_active = False
    ann.save()
    time.sleep(login.KNOWN_FOR + 0.1)
    assert anns.get("runs").status_code == 401


def test_a_password_is_hashed_once_and_wrong_ones_only_so_often(ann, monkeypatch):
    hashed = []
    check = type(ann).check_password
    monkeypatch.setattr(type(ann), "check_password", lambda self, raw: hashed.append(raw) or check(self, raw))
    for _ in range(3):
        assert Caller("ann", "ann").get("runs").status_code == 200
    assert hashed == ["ann"]
    answers = [Caller("ann", f"wrong {number}").get("runs") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1]["Retry-After"]
    assert Caller("ann", "ann").get("runs").status_code == 200


@pytest.mark.parametrize("header", ["Basic !", "Basic YW5u", "Bearer x", "Basic"])
def test_a_login_that_is_none_is_401(db, client, header):
    assert client.get("/api/runs", headers={"Authorization": header}).status_code == 401


def test_a_method_that_is_not_for_it_is_405(anns):
    answer = anns("PUT", "runs", {"a": 1})
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_a_body_that_is_too_long_is_413(anns):
    assert anns.post("run", {"numTasks": 1, "x": "y" * 20_000}).status_code == 413
