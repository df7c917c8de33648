"""The API of taskscheduler: its document's words, and what is refused."""

import json
from base64 import b64encode
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client

from jobs.access.tokens import make_token
from jobs.schedules.agent.signing import ANSWER_HEADER
from jobs.schedules.agent.timetable import execution_id, microseconds
from jobs.schedules.due import write_all_due
from jobs.schedules.enrolment import remove_agent
from jobs.schedules.models import Execution, Schedule
from jobs.testing import fake_clock
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db
BASE = "/api/v1/tasks"
HELLO = {"command": "echo hello world", "frequency": "every 30 seconds"}


@pytest.fixture
def time():
    with fake_clock() as clock:
        clock.time = clock.time.replace(microsecond=0)
        yield clock


@pytest.fixture
def agent(db) -> Spoken:
    return Spoken("node1")


def basic(name: str, password: str | None = None) -> dict[str, str]:
    text = b64encode(f"{name}:{name if password is None else password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def post(path: str, body, headers=None, **extra):
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return Client().post(f"{BASE}/{path}", data, content_type="application/json", headers=headers or {}, **extra)


def latest(task: str, headers):
    return Client().get(f"{BASE}/{task}/latest_output", headers=headers)


@pytest.fixture
def task(ann) -> str:
    """A task of ann's."""
    return post("create", HELLO, basic("ann")).json()["command_id"]


def due(time, task: str, seconds: float = 31) -> Schedule:
    time.move(seconds)
    write_all_due()
    return Schedule.objects.get(uuid=task)


# --- create


def test_a_command_is_scheduled_on_all_agents(ann, agent):
    answer = post("create", HELLO, basic("ann"))
    assert answer.status_code == 200
    assert set(answer.json()) == {"command_id"}
    made = Schedule.objects.get(uuid=answer.json()["command_id"])
    assert (made.user, made.argv, made.shell, made.on_all) == (ann, ["echo", "hello", "world"], "", True)
    assert made.assignments.count() == 1


@pytest.mark.parametrize("command", ["a | b", "echo $HOME", "cd /srv", "echo *", "A=1 env", "echo ~", "a\nb"])
def test_a_command_with_signs_of_the_shell_is_a_line_for_it(ann, command):
    task = post("create", HELLO | {"command": command}, basic("ann")).json()["command_id"]
    assert Schedule.objects.get(uuid=task).shell == command


def test_where_the_shell_would_only_split_a_command_it_is_not_asked(ann):
    task = post("create", HELLO | {"command": "echo 'x y'  \"it's\" a=b é"}, basic("ann")).json()["command_id"]
    assert Schedule.objects.get(uuid=task).argv == ["echo", "x y", "it's", "a=b", "é"]


@pytest.mark.parametrize(
    "frequency",
    ["every second", "every 1 day", "every 1 days", "every -1 seconds", "every 0 seconds", "every 1.5 hours", "30 seconds",
     "Every 30 seconds", "every 30  seconds", "0 3 * * *", "", "every 99999999999 seconds", "every ٣ seconds"],
)  # fmt: skip
def test_a_bad_frequency_is_a_bad_request_that_says_the_form(ann, frequency):
    answer = post("create", HELLO | {"frequency": frequency}, basic("ann"))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("frequency: ")
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "true"}, "frequency"),
        ({"frequency": "every 30 seconds"}, "command"),
        (HELLO | {"command": ""}, "command"),
        (HELLO | {"command": "  "}, "command"),
        (HELLO | {"command": ["true"]}, "command"),
        (HELLO | {"command": "echo 'x"}, "not closed"),
        (HELLO | {"command": "a\0b"}, "command"),
        (HELLO | {"command": "x" * 100_001}, "command"),
        (HELLO | {"frequency": 30}, "frequency"),
        (HELLO | {"name": "x"}, "name"),
        (HELLO | {"command": None}, "command"),
        (HELLO | {"command": "\ud800"}, "command"),
        (HELLO | {"command": "x" * 1_000_000}, "command"),
        (HELLO | {"frequency": "\ud800"}, "frequency"),
        (HELLO | {"frequency": None}, "frequency"),
        (HELLO | {"frequency": "every 30 seconds\n"}, "frequency"),
        (HELLO | {"\ud800": 1}, "ud800"),
        (HELLO | {"x" * 1_000_000: 1}, "xxx"),
        (None, "body"),
        (7, "body"),
        ([], "body"),
        ("", "command"),
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        (b"\xff", "JSON"),
    ],
)
def test_what_is_missing_or_wrong_is_a_bad_request_that_names_it(ann, body, field):
    answer = post("create", body, basic("ann"))
    assert answer.status_code == 400
    assert field in answer.json()["error"]


def test_a_body_above_ten_megabytes_is_refused_as_json(ann):
    answer = post("create", HELLO | {"command": "x" * 10_000_000}, basic("ann"))
    assert (answer.status_code, "10,000,000" in answer.json()["error"]) == (413, True)


def test_two_of_the_same_command_are_two_tasks(ann):
    made = [post("create", HELLO, basic("ann")).json()["command_id"] for _ in range(2)]
    assert len(set(made)) == 2


def test_other_methods_and_other_bodies_are_refused_as_json(ann, task):
    answers = [
        Client().get(f"{BASE}/create", headers=basic("ann")),
        Client().post(f"{BASE}/{task}/latest_output", headers=basic("ann")),
        Client().put(f"{BASE}/{task}/complete", headers=basic("ann")),
        Client().post(f"{BASE}/create", "x", content_type="text/plain", headers=basic("ann")),
        Client().post(f"{BASE}/{task}/complete", "a=b", content_type="text/plain", headers=basic("ann")),
    ]
    assert [answer.status_code for answer in answers] == [405, 405, 405, 415, 415]
    assert all(answer.json()["error"] for answer in answers)


# --- who


def test_without_login_it_is_refused_unless_an_account_is_named_for_it(ann, settings):
    assert post("create", HELLO).status_code == 401
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ACCOUNT": "ann"}
    assert post("create", HELLO).status_code == 200
    assert post("create", HELLO, REMOTE_ADDR="192.0.2.7").status_code == 401
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ANYWHERE": True}
    assert post("create", HELLO, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_wrong_login_is_refused_also_where_an_account_stands_for_who_has_none(ann, settings):
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ACCOUNT": "ann"}
    for headers in (basic("ann", "wrong"), {"Authorization": "Bearer jobdeck_wrong"}):
        answer = post("create", HELLO, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert not Schedule.objects.exists()


def test_the_account_can_do_no_more_than_it_may(ann, bob, settings, task):
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ACCOUNT": "bob"}
    bob.user_permissions.clear()
    assert post("create", HELLO).status_code == 403
    assert latest(task, {}).status_code == 404


def test_an_account_that_is_not_there_or_locked_lets_nobody_in(ann, settings):
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ACCOUNT": "nobody"}
    assert post("create", HELLO).status_code == 401
    ann.is_active = False
    ann.save()
    settings.JOBS = {**settings.JOBS, "TASKSCHEDULER_ACCOUNT": "ann"}
    assert post("create", HELLO).status_code == 401


def test_who_asks_too_often_is_told_when_again(ann, settings):
    cache.clear()
    settings.JOBS = {**settings.JOBS, "API_RATES": {"submit": 1}}
    assert post("create", HELLO, basic("ann")).status_code == 200
    answer = post("create", HELLO, basic("ann"))
    assert answer.status_code == 429
    assert 0 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["error"]


def test_an_account_for_everybody_and_bad_addresses_are_found_by_the_checks(settings):
    from django.core.checks import run_checks

    settings.JOBS = {
        **settings.JOBS,
        "TASKSCHEDULER_ACCOUNT": "ann",
        "AVAILABLE_SERVERS": ["http://a:1", "a:1", "http://[", "http://a"],
    }
    found = {(one.id, one.msg.split("'")[3] if "AVAILABLE" in one.msg else "") for one in run_checks(tags=["jobs"])}
    assert ("jobs_schedules.W002", "") in found
    assert {text for id, text in found if id == "jobs_schedules.E001"} == {"a:1", "http://[", "http://a"}


def test_who_may_not_run_commands_is_refused(ann):
    ann.user_permissions.remove(Permission.objects.get(codename="run_commands"))
    answer = post("create", HELLO, basic("ann"))
    assert answer.status_code == 403
    assert "staff can permit it" in answer.json()["error"]


def test_a_token_needs_the_scope_submit(ann):
    for scopes, status in ((["read"], 403), (["read", "submit"], 200)):
        token = make_token(ann, "x", scopes)[1]
        assert post("create", HELLO, {"Authorization": f"Bearer {token}"}).status_code == status
        assert post("create", HELLO, basic(token, "")).status_code == status


def test_anothers_task_is_answered_like_one_that_is_not_there(ann, bob, agent, task):
    answers = []
    for one in (task, "00000000-0000-0000-0000-000000000000", "x", "%00"):
        answers.append(latest(one, basic("bob")))
        answers.append(post(f"{one}/complete", {"server_id": agent.id}, basic("bob")))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["error"] for answer in answers}) <= 2
    assert latest(task, basic("ann")).status_code == 200


# --- outputs


def test_before_anything_is_complete_there_is_nothing(ann, task):
    assert latest(task, basic("ann")).json() == {"completion_time": None, "outputs": []}


def test_the_latest_output_of_each_agent_without_what_is_empty(time, ann, agent, task):
    other = Spoken("node2")
    schedule = due(time, task)
    first = microseconds(schedule.start) + 30_000_000
    due(time, task, 30)
    agent.report(agent.ran(schedule, first, stdout="old"), agent.ran(schedule, first + 30_000_000, stdout="new"))
    other.report(other.ran(schedule, first + 30_000_000, stdout="", stderr="oh", exit_code=1))
    answer = latest(task, basic("ann")).json()
    assert answer["outputs"] == [{"agent_id": agent.id, "stdout": "new"}, {"agent_id": other.id, "stderr": "oh"}]
    assert answer["completion_time"].startswith(f"{schedule.start.replace(microsecond=0):%Y-%m-%dT}")


def test_who_sees_everybodys_jobs_sees_everybodys_outputs(staff, task):
    assert latest(task, basic("staff")).status_code == 200


# --- complete


def test_a_bare_word_with_a_login_closes_the_oldest_open_execution(time, ann, agent, task):
    due(time, task, 61)
    for number in (1, 2):
        answer = post(f"{task}/complete", {"server_id": agent.id, "stdout": f"{number}"}, basic("ann"))
        assert answer.status_code == 200
        assert set(answer.json()) == {"execution_id"}
    last = post(f"{task}/complete", {"server_id": agent.id}, basic("ann"))
    assert last.status_code == 409
    assert [one.stdout for one in Execution.objects.order_by("due")] == ["1", "2"]


def test_the_execution_that_is_named_is_closed_and_may_be_so_again(time, ann, agent, task):
    schedule = due(time, task, 61)
    second = execution_id(schedule.uuid, agent.row.uuid, microseconds(schedule.start) + 60_000_000)
    said = {"server_id": agent.id, "execution_id": str(second), "stdout": "x"}
    for _ in range(2):
        assert post(f"{task}/complete", said, basic("ann")).json() == {"execution_id": str(second)}
    assert [one.word for one in Execution.objects.order_by("due")] == ["late", "ran"]


def test_of_a_long_output_the_beginning_and_the_end_are_kept(time, ann, agent, task):
    due(time, task)
    said = {"server_id": agent.id, "stdout": f"first {'x' * 3_000_000} last"}
    assert post(f"{task}/complete", said, basic("ann")).status_code == 200
    [output] = latest(task, basic("ann")).json()["outputs"]
    assert output["stdout"].startswith("first")
    assert output["stdout"].endswith("last")
    assert 65_536 < len(output["stdout"]) < 66_000


def test_an_agent_that_was_removed_completes_nothing(time, ann, agent, task):
    due(time, task)
    remove_agent(agent.row)
    assert post(f"{task}/complete", {"server_id": agent.id}, basic("ann")).status_code == 404


def test_an_agent_may_be_named_by_its_name_and_outputs_hold_anything(time, ann, agent, task):
    due(time, task)
    assert (
        post(
            f"{task}/complete", {"server_id": "node1", "stdout": "a\0b\ud800", "exit_code": 3}, basic("ann")
        ).status_code
        == 200
    )
    execution = Execution.objects.get()
    assert (execution.word, execution.exit_code, execution.stdout) == ("failed", 3, "ab?")


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({}, 400, "server_id"),
        ({"server_id": 7}, 400, "server_id"),
        ({"server_id": "nobody"}, 404, "server_id"),
        ({"server_id": "a\0b"}, 404, "server_id"),
        ({"server_id": "\ud800"}, 404, "server_id"),
        ({"server_id": ""}, 404, "server_id"),
        ({"server_id": "x" * 1_000_000}, 404, "server_id"),
        ({"server_id": None}, 400, "server_id"),
        ({"server_id": "node1", "stderr": None}, 400, "stderr"),
        ({"server_id": "node1", "exit_code": True}, 400, "exit_code"),
        ({"server_id": "node1", "exit_code": 1.5}, 400, "exit_code"),
        ({"server_id": "node1", "execution_id": None}, 400, "execution_id"),
        ({"server_id": "node1", "execution_id": "00000000-0000-0000-0000-000000000000"}, 409, "open"),
        ({"server_id": "node1", "stdout": 7}, 400, "stdout"),
        ({"server_id": "node1", "exit_code": "0"}, 400, "exit_code"),
        ({"server_id": "node1", "exit_code": 2**40}, 400, "exit_code"),
        ({"server_id": "node1", "execution_id": "x"}, 400, "execution_id"),
        ({"server_id": "node1", "colour": "red"}, 400, "colour"),
    ],
)
def test_what_is_wrong_with_a_completion_is_named(time, ann, agent, task, said, status, field):
    due(time, task)
    answer = post(f"{task}/complete", said, basic("ann"))
    assert answer.status_code == status
    assert field in answer.json()["error"]
    assert Execution.objects.get().word == "due"


def test_an_agent_signs_its_completion_and_may_repeat_it(time, ann, agent, task):
    schedule = due(time, task)
    execution = execution_id(schedule.uuid, agent.row.uuid, microseconds(schedule.start) + 30_000_000)
    agent.hello()
    for stdout in ("first", "again"):
        body = json.dumps({"server_id": agent.id, "execution_id": str(execution), "stdout": stdout}).encode()
        answer = post(f"{task}/complete", body, {"Authorization": agent.signed(f"{task}/complete", body)})
        assert (answer.status_code, answer.json()) == (200, {"execution_id": str(execution)})
        assert ANSWER_HEADER in answer.headers
    assert Execution.objects.get().stdout == "first"


def test_an_agent_cannot_complete_for_another_nor_what_it_was_not_told(time, ann, agent, task):
    thief = Spoken("node2")
    schedule = due(time, task)
    thief.hello()
    body = json.dumps({"server_id": agent.id}).encode()
    answer = post(f"{task}/complete", body, {"Authorization": thief.signed(f"{task}/complete", body)})
    assert (answer.status_code, "itself" in answer.json()["error"]) == (403, True)
    schedule.assignments.filter(agent=thief.row).delete()
    body = json.dumps({"server_id": thief.id}).encode()
    assert post(f"{task}/complete", body, {"Authorization": thief.signed(f"{task}/complete", body)}).status_code == 404
    assert (
        post(f"{task}/complete", body, {"Authorization": thief.signed(f"{uuid4()}/complete", body)}).status_code == 401
    )
    assert (
        post(f"{task}/complete", body + b" ", {"Authorization": thief.signed(f"{task}/complete", body)}).status_code
        == 401
    )
