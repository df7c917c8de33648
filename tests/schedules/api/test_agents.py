"""Agents and the tokens that let them in, over REST."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission

from jobs import clock
from jobs.schedules.enrolment import make_enrol_token
from jobs.schedules.models import Agent, Assignment, EnrolToken
from tests.api.conftest import Caller
from tests.schedules.api.conftest import problem, results
from tests.schedules.spoken import BASE, Spoken

pytestmark = pytest.mark.django_db


def test_whoever_may_run_commands_sees_the_agents(anns, agent):
    agent.sync(cores=8, system="Linux")
    (one,) = results(anns.get("schedules/agents/"))
    assert (one["id"], one["name"], one["cores"], one["system"]) == (agent.id, "node1", 8, "Linux")
    assert (one["silent"], one["wrong_clock"]) == (False, False)
    assert anns.get(f"schedules/agents/{agent.id}/").json()["name"] == "node1"


def test_what_opens_doors_is_not_shown(anns, agent):
    agent.hello()
    shown = anns.get("schedules/agents/").content + anns.get(f"schedules/agents/{agent.id}/").content
    assert agent.key.hex().encode() not in shown
    assert b"session" not in shown
    assert b"key" not in shown


def test_pages_and_a_filter(anns):
    for number in range(3):
        Spoken(f"node{number}")
    page = anns.get("schedules/agents/?page_size=2").json()
    assert [one["name"] for one in page["results"]] == ["node2", "node1"]
    assert [one["name"] for one in results(anns.client.get(page["next"], headers=anns.headers))] == ["node0"]
    assert [one["name"] for one in results(anns.get("schedules/agents/?text=DE1"))] == ["node1"]
    assert list(problem(anns.get("schedules/agents/?colour=red"))["fields"]) == ["colour"]


def test_name_and_tags_are_changed_and_schedules_follow(staffs, made, agent):
    made(on_all=False, on_tags=["gpu"])
    answer = staffs("PATCH", f"schedules/agents/{agent.id}/", {"name": "node9", "tags": ["gpu"]})
    assert (answer.status_code, answer.json()["name"], answer.json()["tags"]) == (200, "node9", ["gpu"])
    assert Assignment.objects.standing().get().agent.name == "node9"
    assert len(agent.sync()["schedules"]) == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "node2"}, "name"),
        ({"tags": "gpu"}, "tags"),
        ({"tags": [["gpu"]]}, "tags.0"),
        ({"tags": ["-"]}, "tags"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"key": "0" * 64}, "key"),
    ],
)
def test_what_is_wrong_is_named(staffs, agent, said, field):
    Spoken("node2")
    assert list(problem(staffs("PATCH", f"schedules/agents/{agent.id}/", said))["fields"]) == [field]
    assert agent.row.name == "node1"


def test_a_removed_agent_is_none(staffs, agent):
    path = f"schedules/agents/{agent.id}/"
    assert staffs("DELETE", path).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert problem(staffs(method, path, {}), 404) == problem(
            staffs(method, f"schedules/agents/{uuid4()}/", {}), 404
        )
    assert results(staffs.get("schedules/agents/")) == []
    agent.session = agent.session or "x"
    assert agent.ask("sync").status_code == 403


def test_a_token_lets_one_agent_in_once(staffs):
    answer = staffs.post("schedules/enrol-tokens/", {"name": "node7", "tags": ["gpu"]})
    token = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert (token["made_by"], token["used"], token["ending"]) == ("staff", None, token["token"][-4:])
    said = {"token": token["token"], "key": "0" * 64, "name": "any"}
    assert staffs.client.post(f"{BASE}/enrol", said, content_type="application/json").json()["name"] == "node7"
    (listed,) = results(staffs.get("schedules/enrol-tokens/"))
    assert listed["agent"] == str(Agent.objects.get().uuid)
    assert token["token"].encode() not in staffs.get("schedules/enrol-tokens/").content
    assert problem(staffs("DELETE", f"schedules/enrol-tokens/{token['id']}/"), 409)["code"] == "conflict"


def test_one_that_was_deleted_lets_nobody_in(staffs):
    token = staffs.post("schedules/enrol-tokens/").json()
    assert staffs("DELETE", f"schedules/enrol-tokens/{token['id']}/").status_code == 204
    said = {"token": token["token"], "key": "0" * 64, "name": "any"}
    assert staffs.client.post(f"{BASE}/enrol", said, content_type="application/json").status_code == 403
    for number in (token["id"], 10**30, "9" * 5000):
        assert staffs("DELETE", f"schedules/enrol-tokens/{number}/").status_code == 404


def test_its_time_can_be_said(staffs):
    moment = clock.now() + timedelta(days=7)
    assert staffs.post("schedules/enrol-tokens/", {"expires": moment.isoformat()}).status_code == 201
    assert EnrolToken.objects.get().expires == moment


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": None}, "name"),
        ({"tags": ["a b"]}, "tags"),
        ({"tags": ["x"] * 51}, "tags"),
        ({"tags": {"gpu": 1}}, "tags"),
        ({"expires": "2000-01-01T00:00:00Z"}, "expires"),
        ({"expires": "9000-01-01T00:00:00Z"}, "expires"),
        ({"expires": 10**400}, "expires"),
        ({"used": None}, "used"),
    ],
)
def test_a_token_that_cannot_be_is_refused(staffs, said, field):
    assert list(problem(staffs.post("schedules/enrol-tokens/", said))["fields"]) == [field]
    assert not EnrolToken.objects.exists()


ALL = [
    ("GET", "agents/"),
    ("GET", "agents/{agent}/"),
    ("PATCH", "agents/{agent}/"),
    ("DELETE", "agents/{agent}/"),
    ("GET", "enrol-tokens/"),
    ("POST", "enrol-tokens/"),
    ("DELETE", "enrol-tokens/{token}/"),
]


@pytest.mark.parametrize(("method", "path"), ALL)
def test_whoever_may_not_run_commands_sees_no_agents(strangers, nobodys, agent, method, path):
    token = make_enrol_token(None)[0].pk
    known = strangers(method, f"schedules/{path.format(agent=agent.id, token=token)}", {})
    unknown = strangers(method, f"schedules/{path.format(agent=uuid4(), token=token + 1)}", {})
    assert problem(known, 403) == problem(unknown, 403)
    assert nobodys(method, f"schedules/{path.format(agent=agent.id, token=token)}").status_code == 401
    assert agent.row.removed is None


@pytest.mark.parametrize(("method", "path"), ALL[2:])
def test_whoever_does_not_manage_agents_changes_none(anns, agent, method, path):
    token = make_enrol_token(None)[0]
    answer = anns(method, f"schedules/{path.format(agent=agent.id, token=token.pk)}", {"name": "x"})
    assert problem(answer, 403)["code"] == "forbidden"
    assert agent.row.name == "node1"
    assert EnrolToken.objects.filter(pk=token.pk).exists()


def test_managing_agents_is_a_permission_of_its_own(strangers, agent):
    strangers.user.user_permissions.add(Permission.objects.get(codename="manage_agents"))
    assert strangers("PATCH", f"schedules/agents/{agent.id}/", {"tags": ["gpu"]}).status_code == 200
    assert strangers.post("schedules/enrol-tokens/").status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [(method, path, "read" if method == "GET" else "write") for method, path in ALL],
)
def test_a_token_needs_the_scope_of_what_it_does(staff, agent, method, path, scope):
    path = f"schedules/{path.format(agent=agent.id, token=make_enrol_token(None)[0].pk)}"
    others = [one for one in ("read", "write", "submit") if one != scope]
    assert f"needs {scope}" in problem(Caller(staff, others)(method, path, {}), 403)["message"]
    assert Caller(staff, [scope])(method, path, {}).status_code < 300
