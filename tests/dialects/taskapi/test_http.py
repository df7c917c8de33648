"""The task API over HTTP without a pool: its documents, and everything that it refuses."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client

from jobs import clock
from jobs.access.tokens import make_token
from jobs.condor.models import CondorJob, HtcTask, TrackerNote
from jobs.condor.taskapi.tasks import move_on
from jobs.models import Intent, job_rows
from jobs.transitions import Change, transition
from jobs.workspaces import make_workspace

pytestmark = pytest.mark.django_db

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
SUB = {"executable": "/bin/sleep", "arguments": "1"}


class Caller:
    """Somebody who calls the API."""

    def __init__(self, user=None, scopes=("read", "submit")):
        text = make_token(user, "test", scopes)[1] if user else ""
        self.headers = {"Authorization": f"Bearer {text}"} if user else {}
        self.client = Client()

    def __call__(self, method: str, path: str, body=None, **more):
        return self.client.generic(
            method,
            f"/api/{path}",
            *(() if body is None else (_json(body), "application/json")),
            headers=self.headers,
            **more,
        )

    def post(self, path: str, body):
        return self("POST", path, body)

    def get(self, path: str):
        return self("GET", path)

    def task(self, **fields) -> dict:
        answer = self.post("tasks", {"subParams": SUB, **fields})
        assert answer.status_code == 200, answer.content
        return answer.json()


def _json(body) -> str:
    import json

    return body if isinstance(body, str) else json.dumps(body)


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


@pytest.fixture
def caller(ann) -> Caller:
    return Caller(ann)


def job_of(task: dict) -> CondorJob:
    return CondorJob.objects.get(task__task_id=task["id"])


def become(task: dict, *statuses: str) -> None:
    """Have the task's job go through statuses, as its engine would say it."""
    job = job_of(task)
    for status in statuses:
        external = {"external_id": "102"} if status == "SUB" else {}
        transition([Change(job.pk, job.attempt, status, **external)], source="test")
    Intent.objects.open().filter(job=job).update(closed=clock.now(), outcome="done")


# --- documents


def test_a_new_task_is_queued_and_a_condor_job_like_any_other(caller, ann):
    task = caller.task(id="41a694e0-5b66-4e79-9abd-7ea9d351f0e6")
    assert list(task) == [
        *("id", "creationDate", "subParams", "state", "stateDate", "retriesLeft", "clusterId", "procId"),
        *("expirationDate", "latestSubId"),
    ]
    assert (task["id"], task["subParams"]) == ("41a694e0-5b66-4e79-9abd-7ea9d351f0e6", SUB)
    assert (task["state"], task["retriesLeft"]) == (0, 2)
    assert [task[name] for name in ("clusterId", "procId", "expirationDate", "latestSubId")] == [None] * 4
    assert ISO.fullmatch(task["creationDate"])
    assert ISO.fullmatch(task["stateDate"])
    job = job_of(task)
    assert (job.user, job.restricted, job.name) == (ann, True, task["id"])
    assert Intent.objects.open().get(job=job).action == "run"


def test_without_an_id_it_gets_one(caller):
    assert len(caller.task()["id"]) == 36


def test_a_task_is_followed_through_its_states(caller):
    task = caller.task()
    become(task, "SUB")
    now = caller.get(f"tasks/{task['id']}").json()
    assert (now["state"], now["clusterId"], now["retriesLeft"]) == (1, 102, 1)
    assert now["latestSubId"]
    become(task, "RUN", "COM")
    done = caller.get(f"tasks/{task['id']}").json()
    assert (done["state"], done["clusterId"], done["procId"]) == (2, 102, None)
    assert done["latestSubId"] == now["latestSubId"]
    assert done["stateDate"] > task["stateDate"]


def test_lists_and_counts(caller):
    queued, running, done, failed = (caller.task() for _ in range(4))
    become(running, "SUB")
    become(done, "SUB", "COM")
    become(failed, "SUB", "ERR")
    HtcTask.objects.filter(task_id=failed["id"]).update(submissions=1)
    answer = caller.get("tasks").json()
    assert answer["kind"] == "hpctask-list"
    assert ISO.fullmatch(answer["responseDate"])
    assert [item["id"] for item in answer["items"]] == [one["id"] for one in (failed, done, running, queued)]
    assert [item["id"] for item in caller.get("tasks-queued").json()["items"]] == [queued["id"]]
    assert [item["id"] for item in caller.get("tasks-completed").json()["items"]] == [done["id"]]
    status = caller.get("status").json()
    assert status["kind"] == "dtaskapi-htc-server-status"
    assert {name: value for name, value in status.items() if name.startswith("n")} == {
        "nTasksQueued": 1,
        "nTasksSubmitted": 1,
        "nTasksCompleted": 1,
        "nTasksCompletedWithError": 1,
        "nTasksTimedOut": 0,
    }


def test_a_list_costs_as_many_queries_for_ten_tasks_as_for_one(caller, django_assert_max_num_queries):
    for _ in range(10):
        caller.task()
    with django_assert_max_num_queries(6):
        assert len(caller.get("tasks").json()["items"]) == 10


def test_a_cluster_is_shown_with_its_task(caller):
    task = caller.task()
    become(task, "SUB", "RUN")
    answer = caller.get("htc-clusters/102").json()
    assert (answer["kind"], answer["extra"]) == ("htc-cluster-with-task", {})
    assert answer["task"]["id"] == answer["cluster"]["taskId"] == task["id"]
    assert (answer["cluster"]["id"], answer["cluster"]["numProcs"]) == (102, 1)
    assert answer["cluster"]["status"]["clusterState"] == 1
    assert caller.get("htc-clusters/103").status_code == 404


def test_what_a_tracker_posts_is_kept_and_overrules_nothing(caller):
    task = caller.task()
    become(task, "SUB")
    caller.post(
        "htc-clusters", {"id": 102, "taskId": task["id"], "clusterAd": {"Owner": "x"}, "status": {"clusterState": 3}}
    )
    caller.post("htc-job-events", {"clusterId": 102, "procId": 0, "eventType": 5, "details": {"ReturnValue": 9}})
    assert TrackerNote.objects.count() == 2
    answer = caller.get("htc-clusters/102").json()
    assert answer["cluster"]["clusterAd"] == {"Owner": "x"}
    assert answer["cluster"]["status"]["clusterState"] == 0
    assert answer["task"]["state"] == 1


def test_the_files_of_a_task_are_listed_and_fetched(caller):
    task = caller.task()
    folder = make_workspace(job_of(task))
    (folder / "logs").mkdir()
    (folder / "logs" / "wind é.out").write_text("3 m/s\n")
    items = caller.get(f"tasks/{task['id']}/outputs").json()["items"]
    assert [(item["name"], item["size"]) for item in items] == [("logs/wind é.out", 6)]
    answer = caller.get(f"tasks/{task['id']}/outputs/logs/wind é.out")
    assert b"".join(answer.streaming_content) == b"3 m/s\n"
    assert answer["Content-Disposition"].startswith("attachment")
    for name in ("nothing", "../../jobdeck.sqlite3", "logs"):
        assert caller.get(f"tasks/{task['id']}/outputs/{name}").status_code == 404


# --- changing


def test_retries_expiry_and_numbers_are_changed_and_taken_back(caller):
    task = caller.task()
    changes = {"retriesLeft": 5, "clusterId": 7, "procId": 0, "expirationDate": "2100-01-31T14:00:00"}
    now = caller.post(f"tasks/{task['id']}", changes).json()
    assert {name: now[name] for name in changes} == changes
    cleared = caller.post(f"tasks/{task['id']}", {"clusterId": None, "procId": None, "expirationDate": None}).json()
    assert [cleared[name] for name in changes] == [5, None, None, None]


def test_a_posted_cluster_never_overrules_the_pools(caller):
    task = caller.task()
    become(task, "SUB")
    assert caller.post(f"tasks/{task['id']}", {"clusterId": 7}).json()["clusterId"] == 102


def test_a_time_with_a_zone_is_shown_in_utc(caller):
    task = caller.task()
    now = caller.post(f"tasks/{task['id']}", {"expirationDate": "2100-01-31T14:00:00+02:00"}).json()
    assert now["expirationDate"] == "2100-01-31T12:00:00"


def test_giving_up_stops_it(caller):
    task = caller.task()
    become(task, "SUB")
    caller.post(f"tasks/{task['id']}", {"state": -1})
    assert Intent.objects.open().get(job=job_of(task)).action == "stop"
    become(task, "ABT")
    assert caller.get(f"tasks/{task['id']}").json()["state"] == -1


def test_one_that_is_over_is_queued_again_with_a_submission_of_its_own(caller):
    task = caller.task(retriesLeft=1)
    become(task, "SUB", "ERR")
    move_on()
    assert caller.get(f"tasks/{task['id']}").json()["state"] == 3
    again = caller.post(f"tasks/{task['id']}", {"state": 0}).json()
    assert (again["state"], again["retriesLeft"], again["clusterId"]) == (0, 1, None)
    assert job_of(task).attempt == 2


def test_one_under_way_is_not_queued_again(caller):
    task = caller.task()
    become(task, "SUB")
    answer = caller.post(f"tasks/{task['id']}", {"state": 0})
    assert answer.status_code == 409
    assert "state -1" in answer.json()["detail"]


def test_a_deleted_task_is_gone_and_its_id_free(caller):
    task = caller.task(id="wind")
    assert caller("DELETE", "tasks/wind").json() == {"deleted_flag": True}
    assert caller.get("tasks/wind").status_code == 404
    assert caller("DELETE", "tasks/wind").json() == {"deleted_flag": False}
    assert caller.task(id="wind")["id"] == task["id"]


# --- by itself


def test_a_failing_task_is_submitted_again_while_retries_are_left(caller):
    task = caller.task()
    become(task, "SUB", "ERR")
    assert caller.get(f"tasks/{task['id']}").json()["state"] == 0, "a client that waits for its end does not stop here"
    first = caller.get(f"tasks/{task['id']}").json()["latestSubId"]
    move_on()
    move_on()
    assert job_of(task).attempt == 2
    become(task, "SUB", "ERR")
    move_on()
    now = caller.get(f"tasks/{task['id']}").json()
    assert (now["state"], now["retriesLeft"], job_of(task).attempt) == (3, 0, 2)
    assert now["latestSubId"] != first
    assert HtcTask.objects.get().settled


def test_one_that_was_given_up_is_not_tried_again(caller):
    task = caller.task()
    become(task, "SUB", "ERR")
    caller.post(f"tasks/{task['id']}", {"state": -1})
    move_on()
    assert job_of(task).attempt == 1
    assert caller.get(f"tasks/{task['id']}").json()["state"] == -1


def test_one_past_its_expiration_is_removed_and_timed_out(caller):
    task = caller.task()
    become(task, "SUB", "RUN")
    caller.post(f"tasks/{task['id']}", {"expirationDate": (clock.now() - timedelta(seconds=1)).isoformat()})
    move_on()
    assert Intent.objects.open().get(job=job_of(task)).action == "stop"
    become(task, "ABT")
    move_on()
    assert caller.get(f"tasks/{task['id']}").json()["state"] == 4
    assert job_of(task).attempt == 1


def test_what_is_done_on_its_page_after_its_end_is_not_tried_again_by_itself_and_is_no_queued_task(caller):
    task = caller.task(retriesLeft=5)
    become(task, "SUB", "COM")
    move_on()
    job_of(task).resubmit()
    become(task, "SUB", "ERR")
    move_on()
    now = caller.get(f"tasks/{task['id']}").json()
    assert (now["state"], job_of(task).attempt) == (3, 2), "a client that waits for its end must not wait for ever"
    caller.post(f"tasks/{task['id']}", {"state": 0})
    become(task, "SUB", "ERR")
    move_on()
    assert job_of(task).attempt == 4, "from then on it is tried again"


def test_older_tasks_in_a_state_are_not_cut_off_by_newer_ones_in_others(caller, monkeypatch):
    monkeypatch.setattr("jobs.condor.taskapi.views.MOST", 2)
    old = caller.task()
    for _ in range(3):
        become(caller.task(), "SUB")
    assert [item["id"] for item in caller.get("tasks-queued").json()["items"]] == [old["id"]]
    assert len(caller.get("tasks").json()["items"]) == 2


def test_a_task_without_retries_waits_until_it_gets_one(caller):
    task = caller.task(retriesLeft=0)
    move_on()
    assert not Intent.objects.open().filter(job=job_of(task)).exists()
    caller.post(f"tasks/{task['id']}", {"retriesLeft": 1})
    move_on()
    assert Intent.objects.open().get(job=job_of(task)).action == "run"


def test_the_sweep_looks_at_nothing_that_is_settled(caller, django_assert_num_queries):
    for _ in range(3):
        become(caller.task(), "SUB", "COM")
    move_on()
    with django_assert_num_queries(1):
        move_on()


# --- refusals


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ([], ["body"]),
        ("{", ["body"]),
        ({}, ["body", "subParams"]),
        ({"subParams": {}}, ["body", "subParams", "executable"]),
        ({"subParams": {"executable": " "}}, ["body", "subParams", "executable"]),
        ({"subParams": {"executable": "/bin/true", "priority": 5}}, ["body", "subParams", "priority"]),
        ({"subParams": ["x"]}, ["body", "subParams"]),
        ({"subParams": SUB, "retries": 3}, ["body", "retries"]),
        ({"subParams": SUB, "retriesLeft": "3"}, ["body", "retriesLeft"]),
        ({"subParams": SUB, "retriesLeft": -1}, ["body", "retriesLeft"]),
        ({"subParams": SUB, "retriesLeft": True}, ["body", "retriesLeft"]),
        ({"subParams": SUB, "state": 2}, ["body", "state"]),
        ({"subParams": SUB, "id": 7}, ["body", "id"]),
        ({"subParams": SUB, "id": ""}, ["body", "id"]),
        ({"subParams": SUB, "id": "a/b"}, ["body", "id"]),
        ({"subParams": SUB, "id": "a\nb"}, ["body", "id"]),
        ({"subParams": SUB, "id": "x{id}"}, ["body", "id"]),
        ({"subParams": SUB, "id": "x" * 201}, ["body", "id"]),
        ({"subParams": {**SUB, "getenv": "true"}}, ["body", "subParams", "getenv"]),
        ({"subParams": {**SUB, "+Owner": "root"}}, ["body", "subParams", "+Owner"]),
        ({"subParams": {**SUB, "queue": "5"}}, ["body", "subParams", "queue"]),
        ({"subParams": {"executable": "/etc/passwd"}}, ["body", "subParams", "executable"]),
        ({"subParams": {**SUB, "initialdir": "/etc"}}, ["body", "subParams", "initialdir"]),
        ({"subParams": {**SUB, "transfer_input_files": "/etc/passwd"}}, ["body", "subParams", "transfer_input_files"]),
        ({"subParams": {**SUB, "log": "/var/log/x"}}, ["body", "subParams", "log"]),
        ({"subParams": {**SUB, "arguments": "$ENV(SECRET_KEY)"}}, ["body", "subParams", "arguments"]),
    ],
)
def test_a_task_that_is_refused_is_told_where_and_nothing_is_made(caller, body, where):
    answer = caller.post("tasks", body)
    assert answer.status_code == 422, answer.content
    [problem] = answer.json()["detail"]
    assert problem["loc"] == where
    assert problem["msg"]
    assert not job_rows().exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": 2}, "state"),
        ({"state": "0"}, "state"),
        ({"retriesLeft": None}, "retriesLeft"),
        ({"clusterId": "7"}, "clusterId"),
        ({"clusterId": -1}, "clusterId"),
        ({"expirationDate": "tomorrow"}, "expirationDate"),
        ({"expirationDate": 7}, "expirationDate"),
        ({"subParams": SUB}, "subParams"),
    ],
)
def test_a_change_that_is_refused_is_told_where(caller, body, field):
    task = caller.task()
    answer = caller.post(f"tasks/{task['id']}", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_the_same_id_twice_is_a_conflict_for_one_user_and_none_for_two(caller, bob):
    caller.task(id="wind")
    answer = caller.post("tasks", {"id": "wind", "subParams": SUB})
    assert answer.status_code == 409
    assert Caller(bob).task(id="wind")["id"] == "wind"


def test_paths_in_a_shared_folder_are_fine(caller, settings, tmp_path):
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(tmp_path)]}
    (tmp_path / "logs").mkdir()
    (tmp_path / "myscript.sh").write_text("#!/bin/sh\n")
    params = {"executable": str(tmp_path / "myscript.sh"), "initialdir": str(tmp_path / "logs"), "arguments": "5 0"}
    assert caller.task(subParams=params)["subParams"] == params


def test_outputs_of_a_folder_that_leads_elsewhere_by_now_are_none(caller, settings, tmp_path):
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(tmp_path / "shared")]}
    folder = tmp_path / "shared" / "logs"
    folder.mkdir(parents=True)
    task = caller.task(subParams={**SUB, "initialdir": str(folder)})
    folder.rmdir()
    folder.symlink_to("/etc")
    assert caller.get(f"tasks/{task['id']}/outputs").status_code == 404
    assert caller.get(f"tasks/{task['id']}/outputs/passwd").status_code == 404


# --- who


def test_somebody_elses_task_answers_exactly_as_none(caller, bob):
    task = caller.task()
    other = Caller(bob)
    for method, path in [("GET", ""), ("POST", ""), ("GET", "/outputs"), ("GET", "/outputs/x")]:
        body = {} if method == "POST" else None
        theirs, none = (other(method, f"tasks/{one}{path}", body) for one in (task["id"], "no-such-task"))
        assert (theirs.status_code, theirs.content) == (none.status_code, none.content)
        assert theirs.json() == {"detail": "not-found"}
    assert other("DELETE", f"tasks/{task['id']}").json() == {"deleted_flag": False}
    assert other.get("tasks").json()["items"] == []


def test_whoever_may_not_run_commands_may_look_only(ann):
    ann.user_permissions.clear()
    caller = Caller(ann)
    assert caller.get("tasks").status_code == 200
    answer = caller.post("tasks", {"subParams": SUB})
    assert answer.status_code == 403
    assert "may not run commands" in answer.json()["detail"]


def test_nobody_gets_nothing():
    for method, path in [("GET", "tasks"), ("POST", "tasks"), ("GET", "status"), ("GET", "htc-clusters/1")]:
        assert Caller()(method, path, {} if method == "POST" else None).status_code == 401


@pytest.fixture
def account(settings, ann):
    settings.JOBS = {**settings.JOBS, "TASKAPI_ACCOUNT": "ann"}
    return ann


def test_with_the_dialects_account_calls_of_this_machine_need_no_login(account):
    assert job_of(Caller().task()).user == account


@pytest.mark.parametrize(
    "more", [{"REMOTE_ADDR": "10.1.2.3"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"REMOTE_ADDR": ""}]
)
def test_calls_from_elsewhere_do_unless_it_is_forced(account, settings, more):
    assert Caller()("GET", "tasks", **more).status_code == 401
    settings.JOBS = {**settings.JOBS, "TASKAPI_ANYWHERE": True}
    assert Caller()("GET", "tasks", **more).status_code == 200


def test_a_wrong_login_is_not_taken_for_none(account):
    assert Client().get("/api/tasks", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_system_check_warns_of_the_account(account, settings):
    assert "jobs_condor.W002" in {found.id for found in run_checks(tags=["jobs"])}
    settings.JOBS = {**settings.JOBS, "TASKAPI_ANYWHERE": True}
    assert "jobs_condor.W001" in {found.id for found in run_checks(tags=["jobs"])}
    settings.JOBS = {**settings.JOBS, "TASKAPI_ACCOUNT": ""}
    assert not {found.id for found in run_checks(tags=["jobs"])} & {"jobs_condor.W001", "jobs_condor.W002"}
