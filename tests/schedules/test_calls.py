"""Who may speak for an agent: only the agent, once, and unaltered; and what is refused is shown."""

import json
import secrets

import pytest
from django.test import Client

from jobs.schedules.agent.signing import ANSWER_HEADER
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.assigning import reconcile
from jobs.schedules.editing import run_now
from jobs.schedules.enrolment import make_enrol_token, remove_agent
from jobs.schedules.models import Agent
from tests.schedules.spoken import BASE, Spoken

pytestmark = pytest.mark.django_db


def enrol(token: str, **said):
    said = {"token": token, "key": secrets.token_hex(32), "name": "node9", **said}
    return Client().post(f"{BASE}/enrol", said, content_type="application/json")


def test_a_token_lets_one_agent_in_and_the_same_one_again():
    token, key = make_enrol_token(None)[1], secrets.token_hex(32)
    first, again = enrol(token, key=key), enrol(token, key=key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    other = enrol(token, name="node10")
    assert other.status_code == 403
    assert "used" in other.json()["detail"]
    assert Agent.objects.count() == 1


def test_an_agent_that_lost_its_token_is_let_in_by_another_as_the_same(agent):
    answer = enrol(make_enrol_token(None)[1], key=agent.key.hex(), name="node1")
    assert answer.json()["agent"] == agent.id
    assert Agent.objects.count() == 1


def test_a_token_that_is_none_or_too_old_lets_nobody_in(time):
    token = make_enrol_token(None)[1]
    assert enrol("jobdeck-agent_" + "x" * 43).status_code == 403
    time.move(25 * 3600)
    assert enrol(token).status_code == 403


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"key": "abc"}, "key"),
        ({"name": "no spaces here"}, "name"),
        ({"name": "node1"}, "name"),
        ({"tags": ["a b"]}, "tags"),
        ({"tags": "gpu"}, "tags"),
        ({"name": 7}, "name"),
        ({"name": "x\0y"}, "name"),
    ],
)
def test_what_an_agent_cannot_be_is_named_and_its_token_stays_good(agent, said, field):
    token = make_enrol_token(None)[1]
    answer = enrol(token, **said)
    assert answer.status_code == 400
    assert field in answer.json()["detail"]
    assert enrol(token).status_code == 200


def test_the_name_and_the_tags_of_the_token_stand_above_the_agents():
    token = make_enrol_token(None, name="gpu7", tags=["gpu"])[1]
    assert enrol(token, tags=["fast"]).json()["name"] == "gpu7"
    assert Agent.objects.get().tags == ["gpu", "fast"]


def test_an_altered_call_is_refused_and_shown(agent):
    agent.sync()
    body = json.dumps({"revision": 0}).encode()
    answer = agent.send("sync", body + b" ", agent.signed("sync", body))
    assert (answer.status_code, answer.json()["code"]) == (401, "signature")
    assert ANSWER_HEADER not in answer.headers
    row = agent.row
    assert row.refused == 1
    assert "altered" in row.refused_reason


def test_a_call_for_one_thing_is_none_for_another(agent):
    agent.sync()
    body = json.dumps({"executions": []}).encode()
    assert agent.send("report", body, agent.signed("sync", body)).status_code == 401


def test_a_call_that_came_is_not_taken_again_and_this_is_shown(agent):
    agent.sync()
    body = json.dumps({"revision": 0}).encode()
    authorization = agent.signed("sync", body)
    assert agent.send("sync", body, authorization).status_code == 200
    again = agent.send("sync", body, authorization)
    assert (again.status_code, again.json()["code"]) == (401, "session")
    assert "second time" in agent.row.refused_reason


def test_a_call_of_an_earlier_session_is_not_taken(agent):
    agent.sync()
    body = json.dumps({"revision": 0}).encode()
    early = agent.signed("sync", body)
    agent.hello()
    agent.sync()
    assert agent.send("sync", body, early).status_code == 401
    assert agent.sync()


def test_an_offered_session_is_good_for_a_minute_and_only_from_this_site(time, agent):
    agent.hello()
    time.move(61)
    body = json.dumps({"revision": 0}).encode()
    assert agent.send("sync", body, agent.signed("sync", body)).json()["code"] == "session"
    agent.hello()
    agent.session = agent.session[:-1] + ("0" if agent.session[-1] != "0" else "1")
    assert agent.send("sync", body, agent.signed("sync", body)).json()["code"] == "session"


def test_whoever_says_hello_for_another_does_not_end_its_session(agent):
    agent.sync()
    Client().post(f"{BASE}/hello", {"agent": agent.id, "nonce": "0" * 32}, content_type="application/json")
    assert agent.sync()


def test_an_agent_that_claims_to_be_another_is_refused(agent):
    thief = Spoken("node2")
    thief.hello()
    body = json.dumps({"revision": 0}).encode()
    answer = thief.send("sync", body, thief.signed("sync", body, agent=agent.id))
    assert (answer.status_code, answer.json()["code"]) == (401, "signature")
    assert agent.row.refused == 1
    assert agent.row.last_seen is None


def test_an_agent_cannot_speak_of_anothers_executions(time, agent, every):
    other = Spoken("node2")
    schedule = every("every 30 seconds")
    time.move(31)
    due = microseconds(schedule.start) + 30_000_000
    foreign = other.ran(schedule, due)
    assert "does not follow" in agent.report(foreign)["refused"][foreign["id"]]
    assert schedule.executions.count() == 0


def test_an_agent_cannot_speak_of_schedules_that_it_never_had(time, agent, every):
    schedule = every("every 30 seconds", on_all=False, on_names=["node2"])
    time.move(31)
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000)
    assert "no such schedule" in agent.report(item)["refused"][item["id"]]


def test_a_removed_agent_hears_that_it_was_removed(agent):
    remove_agent(agent.row)
    answer = agent.ask("sync", revision=0)
    assert (answer.status_code, answer.json()["code"]) == (403, "removed")


_NO_AGENT = "Jobdeck-Agent agent=x, session=, counter={}, nonce=, signature="


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer x", "Jobdeck-Agent", "Jobdeck-Agent agent=1"),
        *(_NO_AGENT.format(counter) for counter in ("1", "-1", "x", "9" * 5000, "0" * 19 + "1" + "9" * 5000)),
    ],
)
@pytest.mark.parametrize("purpose", ["sync", "report"])
def test_a_call_without_a_right_signature_is_refused(agent, purpose, authorization):
    answer = agent.send(purpose, b"{}", authorization)
    assert answer.status_code in (400, 401)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'"x"', b'{"running": 7}', b'{"running": {"a": "b"}}', b'{"running": {"a": 1}}']
)
def test_a_body_that_is_none_is_a_bad_request_of_the_agent(agent, body):
    agent.hello()
    answer = agent.send("sync", body, agent.signed("sync", body))
    assert answer.status_code == 400
    assert ANSWER_HEADER in answer.headers


def test_what_an_agent_says_of_itself_is_kept_as_far_as_it_can_be(time, agent):
    agent.sync(
        host="a\0b" * 500, system=7, load="much", cores=-1, allowed=["ls", 7], dropped=True, unsent=2**70, version="2"
    )
    row = agent.row
    assert (row.version, row.cores, row.dropped, row.unsent, row.load) == ("2", None, 0, 0, None)
    assert len(row.host) == 200
    time.move(11)
    agent.sync(load=1.25, cores=8, clock=microseconds(time.time) + 600_000_000, allowed=["ls"])
    row = agent.row
    assert (row.load, row.cores, row.allowed) == (1.25, 8, ["ls"])
    assert row.clock_difference == 600


def test_agents_ask_less_often_where_there_are_many(agent, settings):
    from django.core.cache import cache

    cache.clear()
    assert agent.sync()["poll"] == 1.0
    cache.set("jobdeck-agents", 100, 10)
    assert agent.sync()["poll"] == 4.0
    cache.clear()


def test_an_agent_begins_anew_also_where_the_clock_of_the_site_was_set_back(time, agent):
    agent.sync()
    time.move(-86_400)
    assert agent.sync()
    agent.hello()
    assert agent.sync()


def test_what_a_person_asked_for_is_not_run_any_more_when_they_may_not_run_commands(time, agent, every, ann):
    [execution] = run_now(every("every 1 hours"))
    ann.user_permissions.clear()
    assert agent.sync()["run"] == []
    reconcile()
    execution.refresh_from_db()
    assert (execution.word, execution.reason) == ("missed", "its author may not run commands any more")
