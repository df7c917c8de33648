"""Whatever the pages can do with schedules and agents, a script can do."""

from uuid import uuid4

import pytest

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Agent, EnrolToken, Execution, Schedule
from tests.api.conftest import Caller
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db
DISK = {"name": "disk", "argv": ["df", "-h"], "frequency": "every 10 minutes", "on_all": True}


@pytest.fixture
def disk(anns) -> str:
    """The path of a schedule of Ann's."""
    answer = anns.post("schedules/", DISK)
    assert answer.status_code == 201, answer.content
    return f"schedules/{answer.json()['id']}/"


def test_a_schedule_is_made_found_read_changed_and_deleted(anns, agent, disk):
    assert anns.get(disk).json()["argv"] == ["df", "-h"]
    assert [one["name"] for one in anns.get("schedules/").json()["results"]] == ["disk"]
    changed = anns("PATCH", disk, {"frequency": "0 3 * * 1-5", "zone": "Europe/Berlin"}).json()
    assert (changed["frequency"], changed["version"], changed["name"]) == ("0 3 * * 1-5", 2, "disk")
    assert anns("DELETE", disk).status_code == 204
    assert anns.get(disk).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        (DISK | {"frequency": "never"}, "frequency"),
        (DISK | {"argv": []}, "argv"),
        (DISK | {"argv": [7]}, "argv.0"),
        (DISK | {"argv": "df"}, "argv"),
        (DISK | {"keep": 2**70}, "keep"),
        (DISK | {"timeout": 10**400}, "timeout"),
        (DISK | {"timeout": "60"}, "timeout"),
        (DISK | {"timeout": True}, "timeout"),
        (DISK | {"on_all": False}, "on_all"),
        (DISK | {"on_names": ["x"] * 1001}, "on_names"),
        (DISK | {"overlap": "queue"}, "overlap"),
        (DISK | {"start": "yesterday"}, "start"),
        (DISK | {"job_type": "COMMAND"}, "argv"),
        (DISK | {"colour": "red"}, "colour"),
        (DISK | {"zone": "../etc/passwd", "frequency": "0 3 * * *"}, "zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(anns, body, field):
    answer = anns.post("schedules/", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_refused(anns, disk):
    answer = anns.post("schedules/", DISK)
    assert "already" in answer.json()["error"]["fields"]["name"][0]


def test_a_schedule_of_jobs_is_made_from_values_as_a_job_is(anns):
    body = {
        "name": "nightly",
        "job_type": "COMMAND",
        "job_values": {"command": ["date"]},
        "frequency": "every 24 hours",
    }
    assert anns.post("schedules/", body).json()["job_type"] == "COMMAND"
    wrong = anns.post("schedules/", body | {"name": "other", "job_values": {}})
    assert "command" in wrong.json()["error"]["fields"]["job_values"][0]


def test_it_is_paused_resumed_and_run_now(anns, agent, disk):
    assert anns.post(f"{disk}pause/").json()["enabled"] is False
    made = anns.post(f"{disk}run-now/")
    assert made.status_code == 202
    [execution] = made.json()["executions"]
    assert anns.get(f"schedules/executions/{execution}/").json()["asked"] is True
    assert anns.post(f"{disk}resume/").json()["enabled"] is True
    named = anns.post(f"{disk}run-now/", {"agents": ["nobody"]})
    assert "nobody" in named.json()["error"]["fields"]["agents"][0]


def test_executions_are_listed_filtered_and_read_with_their_outputs(time, anns, agent, every, monitor):
    schedule = every("every 1 seconds", keep=10_000)
    start = microseconds(schedule.start)
    time.move(301)
    monitor()
    agent.report(agent.ran(schedule, start + 1_000_000), agent.ran(schedule, start + 2_000_000, exit_code=3))
    path = f"schedules/{schedule.uuid}/executions/"
    first = anns.get(path).json()
    assert len(first["results"]) == 200
    second = anns.get(first["next"].partition("/api/")[2]).json()
    assert (len(second["results"]), second["next"]) == (101, None)
    assert not {one["id"] for one in first["results"]} & {one["id"] for one in second["results"]}
    ran = anns.get(f"{path}?state=ran&agent=node1").json()["results"]
    assert [one["outcome"] for one in ran] == ["failed", "ran"]
    assert "stdout" not in ran[0]
    assert anns.get(f"schedules/executions/{ran[1]['id']}/").json()["stdout"] == "hello world\n"
    assert anns.get(f"schedules/{schedule.uuid}/latest/").json()["results"][0]["exit_code"] == 3
    until = schedule.start.replace(tzinfo=None).isoformat() + "Z"
    assert anns.get(f"{path}?until={until}").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=x", "state"), ("since=x", "since"), ("since=2026-01-01T00:00:00", "since"), ("before=x", "before"),
     ("before=99999999999999999999_00000000-0000-0000-0000-000000000000", "before"), ("colour=red", "colour")],
)  # fmt: skip
def test_filters_that_mean_nothing_are_named(anns, disk, query, field):
    answer = anns.get(f"{disk}executions/?{query}")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_a_running_one_is_ended_once(time, anns, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000, state="running")
    agent.report(item)
    path = f"schedules/executions/{item['id']}/stop/"
    assert anns.post(path).status_code == 202
    assert anns.post(path).status_code == 409
    assert Execution.objects.get().stop_wanted is not None


def test_schedules_come_in_pages_and_by_filter(anns, every):
    for number in range(101):
        every("every 24 hours", name=f"s{number:03}", enabled=number > 0)
    first = anns.get("schedules/").json()
    rest = anns.get(first["next"].partition("/api/")[2]).json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (100, 1, None)
    assert [one["name"] for one in anns.get("schedules/?enabled=false").json()["results"]] == ["s000"]
    assert len(anns.get("schedules/?text=s09").json()["results"]) == 10
    assert anns.get("schedules/?enabled=x").status_code == 400
    assert anns.get("schedules/?after=x").status_code == 400


# --- who


def test_anothers_schedule_is_answered_like_one_that_is_not_there(bobs, staffs, agent, disk):
    unknown = bobs.get(f"schedules/{uuid4()}/")
    for method, path in (
        ("GET", disk),
        ("PATCH", disk),
        ("DELETE", disk),
        ("POST", f"{disk}pause/"),
        ("GET", f"{disk}latest/"),
    ):
        answer = bobs(method, path, {})
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert bobs.get("schedules/").json()["results"] == []
    assert staffs.get(disk).status_code == 200
    assert staffs.get("schedules/?own=true").json()["results"] == []


def test_anothers_execution_is_answered_like_one_that_is_not_there(anns, bobs, agent, disk):
    [execution] = anns.post(f"{disk}run-now/").json()["executions"]
    unknown = bobs.get(f"schedules/executions/{uuid4()}/")
    assert bobs.get(f"schedules/executions/{execution}/").json() == unknown.json()
    assert bobs.post(f"schedules/executions/{execution}/stop/").status_code == 404


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["read"], {"GET"}),
        (["read", "write"], {"GET", "pause", "DELETE"}),
        (["read", "submit"], {"GET", "POST", "PATCH", "run-now", "resume"}),
    ],
)
def test_a_token_does_what_its_scopes_say(ann, agent, disk, scopes, allowed):
    call = Caller(ann, scopes)
    found = {
        "GET": call.get(disk),
        "POST": call.post("schedules/", DISK | {"name": "other"}),
        "PATCH": call("PATCH", disk, {"description": "x"}),
        "run-now": call.post(f"{disk}run-now/"),
        "resume": call.post(f"{disk}resume/"),
        "pause": call.post(f"{disk}pause/"),
        "DELETE": call("DELETE", disk),
    }
    assert {name for name, answer in found.items() if answer.status_code < 300} == allowed
    assert {answer.status_code for name, answer in found.items() if name not in allowed} <= {403}


def test_who_may_not_run_commands_makes_no_schedules_and_sees_no_agents(db, agent):
    from django.contrib.auth.models import User

    call = Caller(User.objects.create_user("eve"))
    assert call.post("schedules/", DISK).status_code == 403
    assert call.get("schedules/agents/").status_code == 403
    assert call.get("schedules/").json()["results"] == []


def test_without_a_login_nothing_is_answered(nobodys, agent, disk):
    for path in ("schedules/", disk, "schedules/agents/", "schedules/enrol-tokens/"):
        assert nobodys.get(path).status_code == 401


# --- agents


def test_agents_are_seen_by_who_runs_commands_and_managed_by_who_may(anns, staffs, agent):
    [seen] = anns.get("schedules/agents/").json()["results"]
    path = f"schedules/agents/{seen['id']}/"
    assert (seen["name"], seen["silent"]) == ("node1", True)
    agent.sync(version="7")
    assert (anns.get(path).json()["silent"], anns.get(path).json()["version"]) == (False, "7")
    assert anns("PATCH", path, {"tags": ["gpu"]}).status_code == 403
    assert staffs("PATCH", path, {"tags": ["gpu"], "name": "node2"}).json()["tags"] == ["gpu"]
    assert "name" in staffs("PATCH", path, {"name": "a b"}).json()["error"]["fields"]
    assert anns("DELETE", path).status_code == 403
    assert staffs("DELETE", path).status_code == 204
    assert staffs.get(path).status_code == 404


def test_a_token_that_lets_an_agent_in_is_shown_once_and_can_be_revoked(anns, staffs):
    assert anns.post("schedules/enrol-tokens/").status_code == 403
    made = staffs.post("schedules/enrol-tokens/", {"name": "node7", "tags": ["gpu"]}).json()
    assert made["token"].startswith("jobdeck-agent_")
    [listed] = staffs.get("schedules/enrol-tokens/").json()["results"]
    assert "token" not in listed
    assert staffs("DELETE", f"schedules/enrol-tokens/{made['id']}/").status_code == 204
    assert staffs("DELETE", f"schedules/enrol-tokens/{made['id']}/").status_code == 404
    assert staffs("DELETE", f"schedules/enrol-tokens/{2**80}/").status_code == 404
    assert "tags" in staffs.post("schedules/enrol-tokens/", {"tags": ["a b"]}).json()["error"]["fields"]
    assert not EnrolToken.objects.exists()
    assert not Agent.objects.exists()


def test_a_person_cannot_make_the_calls_of_agents(anns, agent):
    assert anns.post("schedules/agent/sync").status_code == 401
    assert Spoken("node2").sync()["revision"] >= 1
