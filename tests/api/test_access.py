"""Every endpoint with its owner, a member of a group, a stranger, staff and nobody."""

from uuid import uuid4

import pytest
from django.test import Client

from jobs.manager import JobManager
from tests.api.conftest import ALL, Caller

pytestmark = pytest.mark.django_db

READ = ["", "history/", "logs/", "files/", "files/out.txt", "logs/stdout"]
WRITE = [("PATCH", ""), ("DELETE", ""), ("POST", "actions/run/"), ("POST", "actions/stop/"), ("PUT", "files/in.txt")]
ANY = [
    ("GET", "jobs/"),
    ("POST", "jobs/"),
    ("GET", "job-types/"),
    ("GET", "schedulers/"),
    ("POST", "schedulers/x/test/"),
]


@pytest.fixture
def shared(new_job, lab):
    job = new_job()
    job.groups.add(lab)
    return job


@pytest.mark.parametrize("path", READ)
def test_whoever_may_not_see_a_job_gets_what_an_unknown_one_gives(bobs, new_job, path):
    theirs, none = (bobs.get(f"jobs/{uuid}/{path}") for uuid in (new_job().uuid, uuid4()))
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content


@pytest.mark.parametrize(("method", "path"), WRITE)
def test_whoever_may_not_see_it_may_not_act_either(bobs, new_job, method, path):
    job = new_job()
    theirs, none = (bobs(method, f"jobs/{uuid}/{path}", {}) for uuid in (job.uuid, uuid4()))
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content


def test_a_member_of_its_group_sees_it_and_its_files(members, shared):
    for path in ("", "history/", "logs/", "files/"):
        assert members.get(f"jobs/{shared.uuid}/{path}").status_code == 200
    assert [job["id"] for job in members.get("jobs/").json()["results"]] == [str(shared.uuid)]


@pytest.mark.parametrize(("method", "path"), WRITE)
def test_a_member_of_its_group_does_not_act_on_it(members, shared, method, path):
    answer = members(method, f"jobs/{shared.uuid}/{path}", {})
    assert answer.status_code == 403
    assert "you may look at it, but not change it" in answer.json()["error"]["message"]


def test_staff_sees_and_acts_on_all(staffs, new_job):
    job = new_job()
    assert staffs.get(f"jobs/{job.uuid}/").status_code == 200
    assert staffs.post(f"jobs/{job.uuid}/actions/run/").status_code == 202


@pytest.mark.parametrize(("method", "path"), ANY)
def test_nobody_gets_nothing(nobodys, method, path):
    answer = nobodys(method, path, {} if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), [("GET", one) for one in READ] + WRITE)
def test_nobody_gets_nothing_of_a_job(nobodys, new_job, method, path):
    assert nobodys(method, f"jobs/{new_job().uuid}/{path}", None if method == "GET" else {}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "jobs/", "read"),
        ("POST", "jobs/", "submit"),
        ("GET", "{job}", "read"),
        ("PATCH", "{job}", "write"),
        ("DELETE", "{job}", "write"),
        ("POST", "{job}actions/run/", "submit"),
        ("POST", "{job}actions/resubmit/", "submit"),
        ("POST", "{job}actions/stop/", "write"),
        ("PUT", "{job}files/in.txt", "submit"),
        ("GET", "job-types/", "read"),
    ],
)
def test_a_token_needs_the_scope(ann, new_job, method, path, scope):
    path = path.format(job=f"jobs/{new_job().uuid}/")
    body = None if method == "GET" else {}
    without = Caller(ann, [one for one in ALL if one != scope])(method, path, body)
    assert without.status_code == 403
    assert f"needs {scope}" in without.json()["error"]["message"]
    assert Caller(ann, [scope])(method, path, body).status_code != 403


def test_only_staff_sees_schedulers(anns, staffs):
    assert anns.get("schedulers/").status_code == 403
    assert staffs.get("schedulers/").status_code == 200


def test_a_session_is_good_too_and_changes_need_the_csrf_token(ann, new_job):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    job = new_job()
    assert strict.get(f"/api/jobs/{job.uuid}/").status_code == 200
    answer = strict.delete(f"/api/jobs/{job.uuid}/")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["jobs/", "job-types/"])
def test_other_methods_are_not_allowed(anns, path):
    answer = anns("DELETE", path)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_nobody_asks_more_often_in_a_minute_than_is_good_and_others_are_not_held_up(anns, bobs, settings):
    settings.JOBS = {**settings.JOBS, "API_RATES": {"read": 3, "write": 600, "submit": 600}}
    answers = [anns.get("jobs/") for _ in range(8)]  # a minute may end in between
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["error"]["code"] == "throttled"
    assert 0 < int(refused[0]["Retry-After"]) <= 60
    assert anns.post("jobs/", {"type": "BASIC", "name": "of another kind"}).status_code == 201
    assert bobs.get("jobs/").status_code == 200


def test_what_belongs_to_the_app_that_made_a_job_is_not_changed_by_rest(ann, anns):
    job = JobManager("my_app").create_job("model", ann, "BASIC", extended_properties={"site": 7})
    answer = anns("PATCH", f"jobs/{job.uuid}/", {"extended_properties": {"site": 8}})
    assert "belongs to the app" in answer.json()["error"]["fields"]["extended_properties"][0]
    answer = anns("PATCH", f"jobs/{job.uuid}/", {"name": "other"})
    assert "belongs to the app" in answer.json()["error"]["fields"]["name"][0]
    answer = anns.client.put(f"/api/jobs/{job.uuid}/files/model.py", b"x", "text/plain", headers=anns.headers)
    assert answer.status_code == 403
    assert "belong to the app" in answer.json()["error"]["message"]
    job.refresh_from_db()
    assert (job.name, job.extended_properties) == ("model", {"site": 7})


@pytest.mark.parametrize("text", ["\0", "\ud800", "a\udfffb"])
@pytest.mark.parametrize("where", ["name", "extended_properties.deep.1", "extended_properties"])
def test_what_no_database_can_store_is_refused_with_where_it_stands(anns, new_job, text, where):
    body = (
        {"name": text}
        if where == "name"
        else {"extended_properties": {"deep": [1, text]} if "." in where else {text: 1}}
    )
    answer = anns("PATCH", f"jobs/{new_job().uuid}/", body)
    assert answer.status_code == 400
    assert f"in {where} has a character that cannot be stored" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["schedulers/a%00b/test/", "tasks/a%00b", "tasks/a%00b/outputs"])
def test_an_address_that_no_database_can_be_asked_for_is_not_found(staffs, path):
    assert staffs("POST" if "test" in path else "GET", path).status_code == 404


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1e999", "[" * 200_000])
def test_what_is_no_json_or_cannot_be_stored_is_refused(anns, value):
    text = f'{{"type": "BASIC", "name": "x", "extended_properties": {{"a": {value}}}}}'
    answer = anns.client.post("/api/jobs/", text, "application/json", headers=anns.headers)
    assert answer.status_code == 400


def test_a_body_is_taken_up_to_what_the_documentation_says(anns):
    note = {"type": "BASIC", "name": "x", "extended_properties": {"note": "x" * 5_000_000}}
    assert anns.post("jobs/", note).status_code == 201
    note["extended_properties"]["note"] = "x" * 10_000_000
    answer = anns.post("jobs/", note)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["jobs/", "bulk/", "tasks"])
def test_a_body_larger_than_is_taken_is_not_read(anns, monkeypatch, path):
    monkeypatch.setattr("jobs.access.parsers.MOST", 100)
    assert anns.post(path, {"name": "x" * 100}).status_code == 413
