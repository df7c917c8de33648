"""Who may do what with schedules over REST, and how others are answered."""

from uuid import uuid4

import pytest

from jobs.schedules.models import Execution, Schedule
from tests.api.conftest import Caller
from tests.schedules.api.conftest import COMMAND, problem

pytestmark = pytest.mark.django_db


ONE = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "pause/"),
    ("POST", "resume/"),
    ("POST", "run-now/"),
    ("GET", "executions/"),
    ("GET", "latest/"),
]


@pytest.mark.parametrize(("method", "path"), ONE)
def test_anothers_schedule_answers_exactly_as_one_that_is_not_there(bobs, made, agent, method, path):
    body = None if method == "GET" else {}
    theirs = bobs(method, f"schedules/{made()['id']}/{path}", body)
    none = bobs(method, f"schedules/{uuid4()}/{path}", body)
    assert problem(theirs, 404) == problem(none, 404)
    assert Schedule.objects.get().enabled
    assert not Execution.objects.exists()


@pytest.mark.parametrize(("method", "path"), ONE)
def test_nobody_is_let_in_without_a_login(nobodys, made, method, path):
    assert problem(nobodys(method, f"schedules/{made()['id']}/{path}"), 401)["code"] == "not_authenticated"
    assert nobodys.get("schedules/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", "", None, "read"),
        ("GET", "executions/", None, "read"),
        ("GET", "latest/", None, "read"),
        ("PATCH", "", {"name": "other"}, "submit"),
        ("PATCH", "", {"argv": ["id"]}, "submit"),
        ("PATCH", "", {"name": "other", "frequency": "every 1 seconds"}, "submit"),
        ("PATCH", "", {"on_tags": ["gpu"]}, "submit"),
        ("POST", "pause/", {}, "write"),
        ("POST", "resume/", {}, "submit"),
        ("POST", "run-now/", {}, "submit"),
        ("DELETE", "", None, "write"),
    ],
)
def test_a_token_needs_the_scope_of_what_it_does(ann, made, agent, method, path, body, scope):
    path = f"schedules/{made()['id']}/{path}"
    others = [one for one in ("read", "write", "submit") if one != scope]
    assert f"needs {scope}" in problem(Caller(ann, others)(method, path, body), 403)["message"]
    assert Caller(ann, [scope])(method, path, body).status_code < 300


def test_making_needs_the_scope_submit(ann):
    assert problem(Caller(ann, ["read", "write"]).post("schedules/", COMMAND), 403)["code"] == "forbidden"
    assert Caller(ann, ["submit"]).post("schedules/", COMMAND).status_code == 201


def test_other_methods_are_none(anns, made):
    path = f"schedules/{made()['id']}/"
    for method, where in (
        ("PUT", path),
        ("GET", f"{path}run-now/"),
        ("DELETE", "schedules/"),
        ("POST", f"{path}latest/"),
    ):
        assert problem(anns(method, where), 405)["code"] == "method_not_allowed"


def test_too_many_requests_are_told_when_again(anns, settings):
    settings.JOBS = {**settings.JOBS, "API_RATES": {"read": 1, "write": 1, "submit": 1}}
    assert anns.get("schedules/").status_code == 200
    answer = anns.get("schedules/")
    assert problem(answer, 429)["code"] == "throttled"
    assert int(answer["Retry-After"]) > 0


def test_a_type_of_job_that_is_gone_is_shown_and_not_run(anns, made):
    schedule = made(argv=[], job_type="COMMAND", job_values={"command": ["true"]})
    Schedule.objects.update(job_type="GONE")
    assert anns.get(f"schedules/{schedule['id']}/").json()["job_type"] == "GONE"
    assert problem(anns.post(f"schedules/{schedule['id']}/run-now/"), 403)["code"] == "forbidden"
