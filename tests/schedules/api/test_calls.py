"""The calls of agents beside the endpoints for people: what is said wrongly is refused, and nothing breaks."""

import json

import pytest
from django.test import Client

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.enrolment import make_enrol_token
from tests.schedules.spoken import BASE, Spoken

pytestmark = pytest.mark.django_db

CALLS = ("enrol", "hello", "sync", "report")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"null", b"{", b'{"token": "\\ud800"}', b"\xff", b"[" * 100_000, b"{}"]
)
def test_what_is_no_body_is_refused(call, body):
    answer = Client().post(f"{BASE}/{call}", body, content_type="application/json")
    assert answer.status_code == (400 if call in ("enrol", "hello") else 401)
    assert answer.json()["detail"]


HALF = "\ud800"


@pytest.mark.parametrize(
    "said",
    [
        {"token": HALF},
        {"token": "\0"},
        {"key": HALF * 64},
        {"name": HALF},
        {"name": "a\0b"},
        {"name": 7},
        {"tags": [HALF]},
        {"tags": ["a\0b"]},
        {"tags": {}},
        {"tags": [f"x{number}" for number in range(51)]},
    ],
)
def test_what_an_agent_says_wrongly_to_be_let_in_is_refused(said):
    good = {"token": make_enrol_token(None)[1], "key": "0" * 64, "name": "node1"}
    answer = Client().post(f"{BASE}/enrol", json.dumps(good | said), content_type="application/json")
    assert answer.status_code in (400, 403)
    assert Client().post(f"{BASE}/enrol", good, content_type="application/json").status_code == 200


@pytest.mark.parametrize("said", [{"nonce": HALF}, {"nonce": "\0"}, {"agent": HALF}, {"agent": "x"}, {"agent": 7}])
def test_a_session_is_not_begun_by_nonsense(said):
    good = {"agent": Spoken().id, "nonce": "0" * 32}
    answer = Client().post(f"{BASE}/hello", json.dumps(good | said), content_type="application/json")
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("call", ["sync", "report"])
@pytest.mark.parametrize("header", ["", "Bearer x", "Basic eDp5", "jobdeck-agent x", "Jobdeck agent=x"])
def test_what_is_not_signed_is_refused_and_says_how_to_log_in(call, header):
    answer = Client().post(f"{BASE}/{call}", {}, content_type="application/json", headers={"Authorization": header})
    assert answer.status_code in (400, 401)
    assert answer.status_code == 400 or answer["WWW-Authenticate"]


@pytest.mark.parametrize("call", CALLS)
def test_other_types_and_methods_are_refused(call):
    assert Client().get(f"{BASE}/{call}").status_code in (401, 405)
    answer = Client().post(f"{BASE}/{call}", b"x", content_type="text/plain")
    assert answer.status_code == (415 if call in ("enrol", "hello") else 401)


@pytest.mark.parametrize(
    "said",
    [
        {"revision": HALF, "running": []},
        {"revision": 10**300, "clock": -(10**300), "started": 1e308, "load": 10**300},
        {"running": {"x": "y"}},
        {"running": 7},
        {"host": 7, "system": HALF, "folder": "a\0b", "listens": HALF, "allowed": [HALF]},
        {"allowed": ["a\0b"], "cores": True, "unsent": -1, "listens": ["x"]},
    ],
)
def test_nothing_that_an_agent_says_of_itself_breaks_the_site(said):
    assert Spoken().ask("sync", **said).status_code in (200, 400)


@pytest.mark.parametrize(
    "item",
    [
        7,
        {},
        {"id": HALF},
        {"due": 10**300},
        {"due": -1},
        {"schedule": HALF},
        {"state": HALF},
        {"reason": HALF, "stdout": HALF, "stderr": "a\0b"},
        {"started": 10**300},
        {"exit_code": 10**300},
        {"stdout_size": 10**300},
        {"stdout": 7},
    ],
)
def test_nothing_that_an_agent_reports_breaks_the_site(every, time, monitor, item):
    agent, schedule = Spoken(), every()
    agent.sync()
    time.move(31)
    monitor()
    good = agent.ran(schedule, microseconds(schedule.executions.get().due))
    said = good | item if isinstance(item, dict) and item else item
    assert agent.ask("report", executions=[said]).status_code in (200, 400)
