"""Jobs over REST: found, made, read, changed, deleted, and what is wanted of them."""

from uuid import uuid4

import pytest
from django.test.utils import CaptureQueriesContext

from jobs.condor.models import CondorScheduler
from jobs.models import Intent, Job, job_rows
from jobs.testing import settle
from jobs.workspaces import make_workspace

pytestmark = pytest.mark.django_db


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["results"]]


def problem(answer, status: int = 400) -> dict:
    assert answer.status_code == status, answer.content
    return answer.json()["error"]


TRUE = {"executable": "/bin/true"}


def workflow(*nodes: dict) -> dict:
    return {"type": "CONDORWORKFLOW", "name": "x", "nodes": list(nodes)}


# --- the list


def test_a_list_has_own_jobs_newest_first(anns, new_job, bob):
    first, second = new_job("first"), new_job("second", "SUB", "RUN")
    new_job("bobs", user=bob)
    answer = anns.get("jobs/")
    assert ids(answer) == [str(second.uuid), str(first.uuid)]
    job = answer.json()["results"][0]
    assert (job["number"], job["name"], job["type"], job["user"]) == (second.pk, "second", "BASIC", "ann")
    assert (job["status"], job["status_label"]) == ("RUN", "Running")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=RUN", ["running"]),
        ("status=active", ["running"]),
        ("status=RUN,ERR", ["failed", "running"]),
        ("type=command", ["command"]),
        ("text=fail", ["failed"]),
        ("label=jobs&status=failed", ["failed"]),
        ("created_after=1h&status=pending", ["command", "waiting"]),
        ("created_before=2000-01-01", []),
        ("user=ann&text=wait", ["waiting"]),
        ("user=bob", []),
        ("group=lab", ["waiting"]),
        ("scheduler=nowhere", []),
    ],
)
def test_it_is_filtered_as_the_dashboard_is(anns, new_job, lab, query, names):
    new_job("waiting").groups.add(lab)
    new_job("running", "SUB", "RUN")
    new_job("failed", "SUB", "ERR")
    new_job("command", kind="COMMAND", command=["true"])
    found = anns.get(f"jobs/?{query}").json()["results"]
    assert [job["name"] for job in found] == names


def test_pages_stay_right_while_jobs_arrive(anns, new_job):
    jobs = [new_job() for _ in range(7)]
    page = anns.get("jobs/?page_size=3").json()
    assert page["previous"] is None
    new_job("late")
    seen = [job["number"] for job in page["results"]]
    while page["next"]:
        page = anns.client.get(page["next"], headers=anns.headers).json()
        seen += [job["number"] for job in page["results"]]
    assert seen == [job.pk for job in reversed(jobs)]
    assert page["previous"]


def test_the_oldest_may_come_first(anns, new_job):
    jobs = [new_job() for _ in range(4)]
    page = anns.get("jobs/?order=oldest&page_size=2&fields=number").json()
    assert page["results"] == [{"number": jobs[0].pk}, {"number": jobs[1].pk}]
    page = anns.client.get(page["next"], headers=anns.headers).json()
    assert page["results"] == [{"number": jobs[2].pk}, {"number": jobs[3].pk}]
    assert page["next"] is None


def test_only_the_wanted_fields_are_there(anns, new_job):
    new_job("wind")
    assert anns.get("jobs/?fields=name,status").json()["results"] == [{"name": "wind", "status": "PEN"}]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=happy", "status"),
        ("created_after=soon", "created_after"),
        ("fields=secret", "fields"),
        ("order=best", "order"),
        ("page_size=0", "page_size"),
        ("page_size=1000", "page_size"),
        ("before=x", "before"),
        ("colour=red", "colour"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_an_error_and_no_other_list(anns, query, field):
    error = problem(anns.get(f"jobs/?{query}"))
    assert (error["code"], list(error["fields"])) == ("invalid", [field])
    assert field in error["message"]


def test_a_page_of_fifty_costs_as_many_queries_as_one_of_two(anns, new_job):
    from django.db import connection

    anns.get("jobs/")  # the token's first use is noted
    counts = []
    for number in (2, 50):
        while job_rows().count() < number:
            new_job()
        with CaptureQueriesContext(connection) as queries:
            assert len(ids(anns.get("jobs/?page_size=50"))) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- making


def test_a_command_is_made_and_run(anns, ann):
    body = {"type": "COMMAND", "name": "count {id}", "command": ["wc", "-l", "in.txt"], "timeout": 60, "run": True}
    answer = anns.post("jobs/", body)
    assert answer.status_code == 201, answer.content
    said = answer.json()
    job = Job.objects.get(uuid=said["id"])
    assert answer["Location"].endswith(f"/api/jobs/{job.uuid}/")
    assert (job.user, job.name, job.command, job.timeout) == (ann, f"count {job.pk}", ["wc", "-l", "in.txt"], 60)
    assert (said["wanted"], said["properties"]["command"]) == ("run", ["wc", "-l", "in.txt"])
    assert Intent.objects.open().get(job=job).action == "run"


def test_without_run_it_waits(anns):
    said = anns.post("jobs/", {"type": "basic", "name": "survey", "description": "by hand"}).json()
    assert (said["status"], said["wanted"], said["actions"]) == ("PEN", None, ["run", "delete"])


def test_a_condor_job_goes_through_the_allow_list(anns):
    body = {"type": "CONDOR", "name": "model", "attributes": {"executable": "/bin/true"}, "num_jobs": 3}
    said = anns.post("jobs/", body).json()
    job = Job.objects.get(uuid=said["id"])
    assert (job.restricted, job.num_jobs, job.attributes) == (True, 3, {"executable": "/bin/true"})
    error = problem(anns.post("jobs/", {**body, "name": "evil", "attributes": {"getenv": "true"}}))
    assert "getenv" in error["fields"]["attributes"][0]
    assert not Job.objects.filter(name="evil").exists()


def test_a_workflow_is_made_with_its_nodes(anns):
    nodes = [
        {"name": "A", "attributes": TRUE},
        {"name": "B", "attributes": TRUE, "parents": ["A"], "retry": 2, "category": "heavy"},
        {"name": "Tidy", "attributes": TRUE, "final": True},
    ]
    said = anns.post("jobs/", {**workflow(*nodes), "max_jobs": {"heavy": 1}}).json()
    made = Job.objects.get(uuid=said["id"])
    assert (made.restricted, made.max_jobs) == (True, {"heavy": 1})
    found = {
        node.name: (node.KEYWORD, sorted(one.name for one in node.parent_nodes.all())) for node in made.nodes.all()
    }
    assert found == {"A": ("JOB", []), "B": ("JOB", ["A"]), "Tidy": ("FINAL", [])}


def test_a_condor_job_may_name_its_pool(anns):
    pool = CondorScheduler.objects.create(name="lab", address="cm.example.org")
    body = {"type": "CONDOR", "name": "model", "attributes": {"executable": "/bin/true"}, "scheduler": "lab"}
    assert anns.post("jobs/", body).json()["scheduler"] == "lab"
    assert Job.objects.get().scheduler_id == pool.pk
    assert "scheduler" in problem(anns.post("jobs/", {**body, "name": "other", "scheduler": "moon"}))["fields"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "type"),
        ({"type": 7}, "type"),
        ({"type": "SLURM", "name": "x"}, "type"),
        ({"type": "CONDORWORKFLOW", "name": "x"}, "nodes"),
        ({"type": "CONDORWORKFLOW", "name": "x", "nodes": []}, "nodes"),
        (workflow(*({"name": f"N{number}", "attributes": TRUE} for number in range(1001))), "nodes"),
        (workflow({"name": "A"}), "nodes.0.attributes"),
        (workflow({"name": "A", "attributes": TRUE, "pre_script": "/bin/sh"}), "nodes.0.pre_script"),
        (workflow({"name": "A b", "attributes": TRUE}), "nodes"),
        (workflow({"name": "A", "attributes": {"getenv": "true"}}), "nodes"),
        (workflow({"name": "A", "attributes": TRUE, "parents": ["B"]}), "nodes"),
        (workflow({"name": "A", "attributes": TRUE}, {"name": "A", "attributes": TRUE}), "nodes"),
        (workflow({"name": "A", "attributes": TRUE, "parents": ["A"]}), "nodes"),
        ({"type": "BASIC"}, "name"),
        ({"type": "BASIC", "name": 7}, "name"),
        ({"type": "BASIC", "name": ""}, "name"),
        ({"type": "BASIC", "name": "x" * 256}, "name"),
        ({"type": "BASIC", "name": "x", "colour": "red"}, "colour"),
        ({"type": "BASIC", "name": "x", "run": "yes"}, "run"),
        ({"type": "BASIC", "name": "x", "groups": ["lab"]}, "groups"),
        ({"type": "BASIC", "name": "x", "extended_properties": []}, "extended_properties"),
        ({"type": "COMMAND", "name": "x"}, "command"),
        ({"type": "COMMAND", "name": "x", "command": "ls -l"}, "command"),
        ({"type": "COMMAND", "name": "x", "command": []}, "command"),
        ({"type": "COMMAND", "name": "x", "command": ["ls"], "environment": {"A": 7}}, "environment.A"),
        ({"type": "COMMAND", "name": "x", "command": ["ls"], "timeout": 0}, "timeout"),
        ({"type": "COMMAND", "name": "x", "command": ["ls"], "workspace": "/etc"}, "workspace"),
        (
            {"type": "COMMAND", "name": "x", "command": ["ls"], "process_results_function": "os.system"},
            "process_results_function",
        ),
        ({"type": "CONDOR", "name": "x"}, "attributes"),
        ({"type": "CONDOR", "name": "x", "attributes": {"executable": "/etc/passwd"}}, "attributes"),
        ({"type": "CONDOR", "name": "x", "attributes": {"executable": "/bin/true"}, "restricted": False}, "restricted"),
        ({"type": "CONDOR", "name": "x", "attributes": {"executable": "/bin/true"}, "num_jobs": 0}, "num_jobs"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(anns, body, field):
    error = problem(anns.post("jobs/", body))
    assert error["code"] == "invalid"
    assert field in error["fields"], error
    assert error["message"]
    assert not job_rows().exists()


def test_a_body_that_is_no_json_is_said_so(anns):
    answer = anns.client.post("/api/jobs/", "{", "application/json", headers=anns.headers)
    assert problem(answer)["code"] == "invalid"


def test_a_name_that_is_taken_is_a_conflict(anns, new_job):
    new_job("wind")
    error = problem(anns.post("jobs/", {"type": "BASIC", "name": "wind"}), 409)
    assert (error["code"], "use another name" in error["message"]) == ("conflict", True)


def test_whoever_may_not_run_commands_makes_none(ann, anns):
    ann.user_permissions.clear()
    error = problem(anns.post("jobs/", {"type": "COMMAND", "name": "x", "command": ["ls"]}), 403)
    assert "COMMAND" in error["message"]
    assert [kind["name"] for kind in anns.get("job-types/").json()["results"]] == ["BASIC", "FUNCTION", "FARM"]


def test_the_types_say_what_they_take(anns):
    kinds = {kind["name"]: kind["schema"] for kind in anns.get("job-types/").json()["results"]}
    assert set(kinds) >= {"BASIC", "COMMAND", "CONDOR"}
    nodes = kinds["CONDORWORKFLOW"]["properties"]["nodes"]
    assert (nodes["type"], nodes["maxItems"]) == ("array", 1000)
    assert nodes["items"]["required"] == ["name", "attributes"]
    schema = kinds["CONDOR"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"name", "attributes"}
    assert (schema["properties"]["num_jobs"]["type"], schema["properties"]["num_jobs"]["maximum"]) == (
        "integer",
        100_000,
    )


# --- one job


def test_one_job_is_told_with_all_that_is_known(anns, new_job, lab):
    job = new_job("wind", "SUB", "RUN", extended_properties={"site": 7})
    job.groups.add(lab)
    said = anns.get(f"jobs/{job.uuid}/").json()
    assert (said["groups"], said["extended_properties"], said["attempt"]) == (["lab"], {"site": 7}, 1)
    assert said["actions"] == ["stop", "delete"]
    assert said["start_time"]


def test_secrets_in_an_environment_are_not_told(anns, new_job):
    job = new_job(kind="COMMAND", command=["true"], environment={"PASSWORD": "hunter2"})
    assert b"hunter2" not in anns.get(f"jobs/{job.uuid}/").content


def test_what_may_be_changed_is_changed(anns, new_job, lab):
    job = new_job("wind", "SUB", "RUN")
    changes = {"name": "gale", "description": "strong", "extended_properties": {"a": [1]}, "groups": ["lab"]}
    said = anns("PATCH", f"jobs/{job.uuid}/", changes).json()
    assert {name: said[name] for name in changes} == changes
    assert said["status"] == "RUN"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "COM"}, "status"),
        ({"user": "bob"}, "user"),
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"groups": ["root"]}, "groups"),
        ({"command": ["rm"]}, "command"),
    ],
)
def test_what_may_not_be_changed_stays(anns, new_job, body, field):
    new_job("taken")
    job = new_job("wind", kind="COMMAND", command=["true"])
    assert field in problem(anns("PATCH", f"jobs/{job.uuid}/", body))["fields"]
    job.refresh_from_db()
    assert (job.name, job.command) == ("wind", ["true"])


@pytest.mark.django_db(transaction=True)
def test_a_name_that_somebody_took_in_between_is_a_conflict(anns, new_job, monkeypatch):
    job = new_job("wind")
    monkeypatch.setattr("jobs.api.views.jobs.ChangeSerializer.validate_name", lambda self, name: new_job(name).name)
    assert problem(anns("PATCH", f"jobs/{job.uuid}/", {"name": "gale"}), 409)["code"] == "conflict"


def test_a_deleted_job_is_out_of_sight_at_once(anns, new_job):
    job = new_job()
    assert anns("DELETE", f"jobs/{job.uuid}/").status_code == 204
    assert anns.get(f"jobs/{job.uuid}/").status_code == 404
    assert ids(anns.get("jobs/")) == []


# --- actions


@pytest.mark.parametrize(
    ("statuses", "action", "wanted"),
    [
        ([], "run", "run"),
        (["SUB", "RUN"], "stop", "stop"),
        (["SUB", "ERR"], "resubmit", "run"),
    ],
)
def test_an_action_is_written_down(anns, new_job, statuses, action, wanted):
    job = new_job("wind", *statuses, kind="COMMAND", command=["true"])
    answer = anns.post(f"jobs/{job.uuid}/actions/{action}/")
    assert answer.status_code == 202
    assert answer.json()["wanted"] == wanted
    assert Intent.objects.open().get(job=job).requested_by.get_username() == "ann"


@pytest.mark.parametrize(
    ("statuses", "action"), [([], "stop"), (["SUB", "COM"], "run"), (["SUB", "RUN"], "resubmit"), ([], "rescue")]
)
def test_an_action_that_makes_no_sense_now_is_a_conflict(anns, new_job, statuses, action):
    job = new_job("wind", *statuses, kind="COMMAND", command=["true"])
    error = problem(anns.post(f"jobs/{job.uuid}/actions/{action}/"), 409)
    assert error["code"] == "conflict"
    assert "wind" in error["message"]


def test_an_unknown_action_is_not_found(anns, new_job):
    job = new_job()
    assert "there are run, stop" in problem(anns.post(f"jobs/{job.uuid}/actions/explode/"), 404)["message"]
    assert problem(anns.post(f"jobs/{job.uuid}/actions/delete/"), 404)


def test_the_history_is_told_in_order_and_goes_on(anns, new_job):
    job = new_job("wind", "SUB", "RUN", "COM")
    said = anns.get(f"jobs/{job.uuid}/history/").json()
    assert [event["new_status"] for event in said["results"]][-3:] == ["SUB", "RUN", "COM"]
    assert said["next"] is None
    assert anns.get(f"jobs/{uuid4()}/history/").status_code == 404


# --- logs and files


@pytest.mark.django_db(transaction=True)
def test_a_log_is_read_whole_and_by_ranges(anns, new_job):
    job = _ran(new_job, "echo 0123456789")
    [log] = [one for one in anns.get(f"jobs/{job.uuid}/logs/").json()["results"] if one["name"] == "stdout"]
    assert log["size"] == 11
    path = f"jobs/{job.uuid}/logs/stdout"
    whole = anns.get(path)
    assert b"".join(whole.streaming_content) == b"0123456789\n"
    assert whole["Content-Type"].startswith("text/plain")
    for asked, status, text, said in [
        ("bytes=2-4", 206, b"234", "bytes 2-4/11"),
        ("bytes=8-", 206, b"89\n", "bytes 8-10/11"),
        ("bytes=-3", 206, b"89\n", "bytes 8-10/11"),
        ("bytes=-100", 206, b"0123456789\n", "bytes 0-10/11"),
        ("bytes=5-100", 206, b"56789\n", "bytes 5-10/11"),
        ("lines=1-2", 200, b"0123456789\n", None),
    ]:
        answer = anns.get(path, Range=asked)
        assert (answer.status_code, b"".join(answer.streaming_content)) == (status, text), asked
        assert answer.get("Content-Range") == said
    assert anns.get(path, Range="bytes=11-").status_code == 416
    assert anns.get(f"{path}?attempt=2").status_code == 400
    assert anns.get(f"jobs/{job.uuid}/logs/nothing").status_code == 404


def _ran(new_job, line: str) -> Job:
    job = new_job(kind="COMMAND", command=line, shell=True)
    job.execute()
    for _ in range(400):
        settle()
        job.read_row()
        if job.is_over:
            return job
    raise AssertionError(job.status_message)


def test_files_are_uploaded_before_the_run_and_listed_and_fetched(anns, new_job):
    job = new_job()
    path = f"/api/jobs/{job.uuid}/files/data/wind%20%C3%A9.csv"
    answer = anns.client.put(path, b"1;2\n", "application/octet-stream", headers=anns.headers)
    assert (answer.status_code, answer.json()) == (201, {"name": "data/wind é.csv", "size": 4})
    assert [(one["name"], one["size"]) for one in anns.get(f"jobs/{job.uuid}/files/").json()["results"]] == [
        ("data/wind é.csv", 4)
    ]
    fetched = anns.client.get(path, headers={**anns.headers, "Range": "bytes=2-2"})
    assert (fetched.status_code, b"".join(fetched.streaming_content)) == (206, b"2")
    assert fetched["Content-Disposition"].startswith("attachment")
    again = anns.client.put(path, b"other", "text/csv", headers=anns.headers)
    assert again.json()["size"] == 5


@pytest.mark.parametrize("name", ["../out", "a/../../out", "x%00y", "a/"])
def test_no_upload_leads_out(anns, new_job, name):
    job = new_job()
    answer = anns.client.put(f"/api/jobs/{job.uuid}/files/{name}", b"x", "text/plain", headers=anns.headers)
    assert answer.status_code in (400, 404)
    assert anns.get(f"jobs/{job.uuid}/files/").json()["results"] == []


def test_no_upload_goes_through_a_link(anns, new_job, tmp_path):
    job = new_job()
    (make_workspace(job) / "way").symlink_to(tmp_path)
    answer = anns.client.put(f"/api/jobs/{job.uuid}/files/way/x", b"x", "text/plain", headers=anns.headers)
    assert not (tmp_path / "x").exists()
    assert answer.status_code in (201, 409)


def test_a_file_may_not_be_larger_than_is_taken(anns, new_job, settings):
    settings.JOBS = {**settings.JOBS, "UPLOAD_LIMIT": 3}
    job = new_job()
    answer = anns.client.put(f"/api/jobs/{job.uuid}/files/x", b"1234", "text/plain", headers=anns.headers)
    assert problem(answer, 413)["code"] == "too_large"
    assert anns.get(f"jobs/{job.uuid}/files/").json()["results"] == []


def test_an_upload_that_does_not_say_its_length_is_refused_instead_of_lost(anns, new_job):
    job = new_job()
    # As a server hands on what came in chunks.
    answer = anns.client.request(
        PATH_INFO=f"/api/jobs/{job.uuid}/files/x",
        REQUEST_METHOD="PUT",
        CONTENT_TYPE="text/plain",
        HTTP_AUTHORIZATION=anns.headers["Authorization"],
        HTTP_TRANSFER_ENCODING="chunked",
    )
    assert problem(answer, 411)["code"] == "length_required"
    assert anns.get(f"jobs/{job.uuid}/files/").json()["results"] == []


def test_nothing_is_uploaded_to_a_job_that_runs(anns, new_job):
    job = new_job("wind", "SUB", "RUN")
    answer = anns.client.put(f"/api/jobs/{job.uuid}/files/x", b"x", "text/plain", headers=anns.headers)
    assert problem(answer, 409)["code"] == "conflict"


# --- schedulers


def test_staff_tests_a_scheduler(staffs):
    pool = CondorScheduler.objects.create(name="lab", address="cm.example.org", token="secret.token.x")
    [row] = [one for one in staffs.get("schedulers/").json()["results"] if one["name"] == "lab"]
    assert (row["type"], row["reachable"], row["last_test"]) == ("condor", True, None)
    assert staffs.post("schedulers/lab/test/").json()["test_wanted"]
    pool.refresh_from_db()
    assert pool.test_wanted
    assert staffs.post("schedulers/moon/test/").status_code == 404
    assert b"secret" not in staffs.get("schedulers/").content
