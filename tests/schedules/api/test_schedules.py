"""Schedules over REST: found, made, read, changed, deleted, paused, resumed, and run at once."""

import pytest

from jobs.schedules.models import Execution, Schedule
from tests.schedules.api.conftest import COMMAND, problem, results

pytestmark = pytest.mark.django_db


def names(answer) -> list[str]:
    return [one["name"] for one in results(answer)]


# --- made


def test_a_script_makes_what_the_dashboard_makes(anns, agent):
    answer = anns.post("schedules/", COMMAND)
    schedule = answer.json()
    assert answer.status_code == 201
    assert answer["Location"].endswith(f"/api/schedules/{schedule['id']}/")
    assert (schedule["user"], schedule["argv"], schedule["enabled"]) == ("ann", ["df", "-h"], True)
    assert schedule["next_due"] > schedule["start"]
    assert [one["argv"] for one in agent.sync()["schedules"]] == [["df", "-h"]]
    assert anns.get(f"schedules/{schedule['id']}/").json() == schedule


def test_everything_that_is_settable_can_be_said(made):
    said = {
        "name": "all",
        "description": "of it",
        "argv": [],
        "shell": "  du /srv | sort ",
        "timeout": None,
        "on_all": False,
        "on_names": ["node1"],
        "on_tags": ["gpu"],
        "job_type": "",
        "job_values": {},
        "frequency": "0 3 * * 1-5",
        "zone": "Europe/Berlin",
        "start": "2026-01-31T14:00:00Z",
        "end": "2099-01-31T14:00:00Z",
        "enabled": False,
        "overlap": "run",
        "missed": "none",
        "keep": 7,
    }
    answer = made(**said)
    assert {name: answer[name] for name in said} == said
    assert answer["next_due"] is None


def test_a_schedule_of_jobs_is_made_too(made):
    values = {"argv": [], "on_all": False, "job_type": "COMMAND", "job_values": {"command": ["true"]}}
    assert made(**values)["job_type"] == "COMMAND"


HUGE = 10**400


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"user": "bob"}, "user"),
        ({"next_due": "2026-01-31T14:00:00Z"}, "next_due"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": ["x"]}, "description"),
        ({"argv": "df -h"}, "argv"),
        ({"argv": {"0": "df"}}, "argv"),
        ({"argv": ["df", 7]}, "argv.1"),
        ({"argv": ["df"] * 1001}, "argv"),
        ({"argv": ["x" * 100_001]}, "argv.0"),
        ({"argv": ["x" * 60_000] * 2}, "argv"),
        ({"argv": []}, "argv"),
        ({"shell": "true"}, "argv"),
        ({"argv": [], "shell": True}, "shell"),
        ({"timeout": "60"}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": HUGE}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"on_all": "yes"}, "on_all"),
        ({"on_all": 1}, "on_all"),
        ({"on_all": None}, "on_all"),
        ({"on_all": False}, "on_all"),
        ({"on_names": ["a b"]}, "on_names"),
        ({"on_names": [7]}, "on_names.0"),
        ({"on_tags": ["x"] * 1001}, "on_tags"),
        ({"on_tags": "gpu"}, "on_tags"),
        ({"argv": [], "job_type": "NOTHING"}, "job_type"),
        ({"argv": [], "job_type": "COMMAND", "job_values": {"colour": "red"}}, "job_values"),
        ({"argv": [], "job_type": "COMMAND", "job_values": {"command": ["true"], "timeout": HUGE}}, "job_values"),
        ({"argv": [], "job_type": "COMMAND", "job_values": []}, "job_values"),
        ({"frequency": "sometimes"}, "frequency"),
        ({"frequency": 30}, "frequency"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "2026-01-31T14:00:00"}, "start"),
        ({"start": 1769868000}, "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"start": "0001-01-02T00:00:00Z"}, "start"),
        ({"start": "9999-12-31T23:59:59Z"}, "start"),
        ({"start": None}, "start"),
        ({"end": "2000-01-31T14:00:00Z"}, "end"),
        ({"enabled": "true"}, "enabled"),
        ({"overlap": "queue"}, "overlap"),
        ({"overlap": ["skip"]}, "overlap"),
        ({"missed": {}}, "missed"),
        ({"keep": 0}, "keep"),
        ({"keep": 1.5}, "keep"),
        ({"keep": "7"}, "keep"),
        ({"keep": HUGE}, "keep"),
    ],
)
def test_what_is_wrong_is_named(anns, said, field):
    assert list(problem(anns.post("schedules/", COMMAND | said))["fields"]) == [field]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("field", ["name", "frequency"])
def test_what_is_missing_is_named(anns, field):
    said = {name: value for name, value in COMMAND.items() if name != field}
    assert list(problem(anns.post("schedules/", said))["fields"]) == [field]


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"name": 1e999}', b'"\\ud800"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(anns, body):
    answer = anns.client.post("/api/schedules/", body, content_type="application/json", headers=anns.headers)
    assert problem(answer)["code"] == "invalid"


def test_nul_is_refused_wherever_it_stands(anns):
    for said in ({"name": "a\0b"}, {"argv": ["a\0b"]}, {"job_values": {"a\0": 1}}, {"on_names": ["\0"]}):
        assert "cannot be stored" in problem(anns.post("schedules/", COMMAND | said))["message"]


def test_a_body_that_is_no_json_is_refused(anns):
    answer = anns.client.post("/api/schedules/", b"x", content_type="text/plain", headers=anns.headers)
    assert problem(answer, 415)["code"] == "unsupported_media_type"


def test_a_body_may_not_be_as_long_as_one_likes(anns):
    assert problem(anns.post("schedules/", COMMAND | {"description": "x" * 10_000_001}), 413)["code"] == "too_large"


def test_a_request_that_arrives_twice_makes_one(anns, made):
    made()
    assert "already" in problem(anns.post("schedules/", COMMAND))["fields"]["name"][0]
    assert Schedule.objects.count() == 1


def test_whoever_may_not_run_commands_makes_no_schedule_of_them(strangers):
    assert "may not run commands" in problem(strangers.post("schedules/", COMMAND), 403)["message"]


# --- found


def test_everybody_finds_their_own_and_staff_all(anns, bobs, staffs, strangers, made):
    made(name="anns")
    assert bobs.post("schedules/", COMMAND | {"name": "bobs"}).status_code == 201
    assert names(anns.get("schedules/")) == ["anns"]
    assert names(bobs.get("schedules/")) == ["bobs"]
    assert names(strangers.get("schedules/")) == []
    assert names(staffs.get("schedules/")) == ["bobs", "anns"]
    assert names(staffs.get("schedules/?own=true")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("text=DISK", ["disk space"]),
        ("text=moon", []),
        ("enabled=true", ["backup"]),
        ("enabled=false", ["disk space"]),
        ("own=true", ["backup", "disk space"]),
        ("own=false&page_size=1", ["backup"]),
    ],
)
def test_the_list_is_filtered(anns, made, query, found):
    made(enabled=False)
    made(name="backup")
    assert names(anns.get(f"schedules/?{query}")) == found


def test_pages_lead_there_and_back(anns, made):
    for number in range(5):
        made(name=f"{number}")
    page = anns.get("schedules/?page_size=2").json()
    seen = [one["name"] for one in page["results"]]
    while page["next"]:
        page = anns.client.get(page["next"], headers=anns.headers).json()
        seen += [one["name"] for one in page["results"]]
    assert seen == ["4", "3", "2", "1", "0"]
    assert names(anns.client.get(page["previous"], headers=anns.headers)) == ["2", "1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("enabled=1", "enabled"),
        ("own=me", "own"),
        ("text=%00", "text"),
        (f"text={'x' * 201}", "text"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        (f"page_size={'9' * 30}", "page_size"),
        ("before=x", "before"),
        (f"after={'9' * 5000}", "after"),
    ],
)
def test_a_parameter_that_means_nothing_is_named(anns, query, field):
    assert list(problem(anns.get(f"schedules/?{query}"))["fields"]) == [field]


# --- changed


def test_a_change_is_on_its_way_to_the_agents_at_once(anns, made, agent):
    schedule = made()
    agent.sync()
    answer = anns("PATCH", f"schedules/{schedule['id']}/", {"frequency": "every 7 seconds", "keep": 3})
    assert answer.status_code == 200
    assert (answer.json()["frequency"], answer.json()["keep"], answer.json()["version"]) == ("every 7 seconds", 3, 2)
    assert [one["frequency"] for one in agent.sync()["schedules"]] == ["every 7 seconds"]


def test_a_change_that_is_wrong_changes_nothing(anns, made):
    path = f"schedules/{made()['id']}/"
    for said, field in (
        ({"keep": 0}, "keep"),
        ({"shell": "true"}, "argv"),
        ({"x": 1}, "x"),
        ({"start": None}, "start"),
    ):
        assert list(problem(anns("PATCH", path, said))["fields"]) == [field]
    assert anns("PATCH", path, {}).json()["version"] == 1
    assert anns("PATCH", path, {"argv": [], "shell": "true"}).json()["shell"] == "true"


def test_it_is_paused_and_resumed(anns, made):
    path = f"schedules/{made()['id']}/"
    paused = anns.post(f"{path}pause/").json()
    assert (paused["enabled"], paused["next_due"]) == (False, None)
    resumed = anns.post(f"{path}resume/").json()
    assert resumed["enabled"]
    assert resumed["next_due"]


def test_it_is_deleted_with_its_executions(anns, made, ran):
    schedule = made()
    ran(schedule)
    assert anns("DELETE", f"schedules/{schedule['id']}/").status_code == 204
    assert problem(anns.get(f"schedules/{schedule['id']}/"), 404)["code"] == "not_found"
    assert not Execution.objects.exists()


def test_staff_changes_others_schedules_but_what_they_run_only_if_it_may_run_that(staffs, made, staff):
    staff.user_permissions.clear()
    path = f"schedules/{made()['id']}/"
    assert staffs("PATCH", path, {"name": "other"}).status_code == 200
    assert "may not run" in problem(staffs("PATCH", path, {"argv": ["id"]}), 403)["message"]
    assert (
        "may not run"
        in problem(staffs("PATCH", path, {"argv": [], "job_type": "COMMAND", "job_values": {"command": ["id"]}}), 403)[
            "message"
        ]
    )
    assert Schedule.objects.get().argv == ["df", "-h"]


def test_what_may_be_secret_in_a_jobs_values_is_shown_to_its_author_only(anns, staffs, made):
    values = {"command": ["true"], "environment": {"KEY": "secret"}}
    path = f"schedules/{made(argv=[], on_all=False, job_type='COMMAND', job_values=values)['id']}/"
    assert anns.get(path).json()["job_values"] == values
    assert staffs.get(path).json()["job_values"] == {"command": ["true"]}
    assert b"secret" not in staffs.get("schedules/").content
