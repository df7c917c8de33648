"""An agent that takes calls takes those of its site, each once; others only where it was told to."""

import http.client
import json
import re
from uuid import uuid4

import pytest

from jobs.schedules.agent.signing import ANSWER_HEADER, CALL_SCHEME, answer_signature, call_signature, header
from jobs.schedules.contacting import tell
from tests.schedules.agent.patience import eventually

TASK = {"task_id": str(uuid4()), "command": "echo hello", "frequency": "every 1 seconds"}


class Caller:
    """Calls the agent."""

    def __init__(self, site, agent):
        self.site, self.agent = site, agent
        eventually(lambda: "listens at" in agent.said)
        self.address = re.findall(r"listens at ([0-9.]+:[0-9]+)", agent.said)[-1]

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Status, headers and what it says."""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def nonce(self) -> str:
        status, _, data = self.call("GET", "/api/v1/nonce")
        assert (status, json.loads(data)["agent"]) == (200, self.site.agent)
        return json.loads(data)["nonce"]

    def login(self, nonce: str, body: bytes, key: bytes | None = None, agent: str = "") -> str:
        agent = agent or self.site.agent
        signature = call_signature(key or self.site.key, agent, nonce, "schedule", body)
        return header(CALL_SCHEME, agent=agent, nonce=nonce, signature=signature)

    def schedule(self, task, **headers):
        body = task if isinstance(task, bytes) else json.dumps(task).encode()
        return self.call("POST", "/api/v1/tasks/schedule", body, **{"Content_Type": "application/json", **headers})


@pytest.fixture
def caller(site, agent):
    site.poll = 30.0
    agent.start("--listen", "127.0.0.1:0")
    return Caller(site, agent)


def test_a_signed_call_makes_the_agent_ask_its_site_at_once(site, agent, caller):
    asked = site.ask("echo", "out")
    assert asked not in site.accepted
    body = json.dumps(TASK).encode()
    login = caller.login(caller.nonce(), body)
    status, headers, data = caller.schedule(body, Authorization=login)
    assert (status, json.loads(data)) == (200, {"task_id": TASK["task_id"]})
    assert headers[ANSWER_HEADER] == answer_signature(site.key, login.rpartition("=")[2], 200, data)
    eventually(lambda: asked in site.accepted)
    # What it runs is the site's word, not the call's.
    assert {one["schedule"] for one in site.accepted.values()} == {site.run[0]["schedule"]["id"]}
    assert site.last_sync()["listens"] == caller.address


def test_what_the_site_tells_an_agent_that_listens_is_taken(site, agent, caller):
    syncs = site.count("sync")
    tell(f"http://{caller.address}", site.agent, site.key, [json.dumps(TASK).encode()])
    eventually(lambda: site.count("sync") > syncs)


def test_a_call_that_is_forged_or_sent_again_is_refused(site, agent, caller):
    body = json.dumps(TASK).encode()
    nonce = caller.nonce()
    syncs = site.count("sync")
    for login in (
        caller.login(nonce, body, key=b"x" * 32),
        caller.login(caller.nonce(), body + b" "),
        caller.login(caller.nonce(), body, agent=str(uuid4())),
        caller.login("0" * 32, body),
        # A nonce is good for one try.
        caller.login(nonce, body),
        "Basic eDp5",
    ):
        status, headers, data = caller.schedule(body, Authorization=login)
        assert status == 401
        assert json.loads(data)["detail"]
        assert ANSWER_HEADER not in headers
    assert caller.schedule(body)[0] == 401
    assert site.count("sync") == syncs
    right = caller.login(caller.nonce(), body)
    assert caller.schedule(body, Authorization=right)[0] == 200
    assert caller.schedule(body, Authorization=right)[0] == 401


def test_what_it_does_not_know_is_said_with_the_right_status(caller):
    assert caller.call("GET", "/api/v1/tasks")[0] == 404
    assert caller.call("DELETE", "/api/v1/tasks/7")[0] == 404
    status, headers, _ = caller.call("GET", "/api/v1/tasks/schedule")
    assert (status, headers["Allow"]) == (405, "POST")
    assert caller.call("POST", "/api/v1/nonce", b"{}")[0] == 405
    assert caller.call("PUT", "/api/v1/nonce", b"{}")[0] == 405
    status, _, data = caller.call("POST", "/api/v1/tasks/schedule", b"", Content_Length="70000")
    assert (status, json.loads(data)) == (413, {"detail": "the body is longer than 65536 bytes"})
    assert caller.call("POST", "/api/v1/tasks/schedule", None, Content_Length="many")[0] == 400


def test_only_a_hundred_nonces_are_good_at_a_time(caller):
    first = caller.nonce()
    for _ in range(100):
        last = caller.nonce()
    body = json.dumps(TASK).encode()
    assert caller.schedule(body, Authorization=caller.login(first, body))[0] == 401
    assert caller.schedule(body, Authorization=caller.login(last, body))[0] == 200


# --- without a signature


@pytest.fixture
def open_caller(site, agent):
    agent.start("--listen", "127.0.0.1:0", "--accept-unsigned")
    return Caller(site, agent)


def test_where_it_was_told_to_it_takes_a_task_from_anybody_on_its_host_and_keeps_it(site, agent, open_caller):
    task = TASK | {"command": "echo $((6 * 7)) >> ran"}
    assert open_caller.schedule(task)[0] == 200
    eventually(lambda: len(agent.lines("ran")) >= 2)
    assert set(agent.lines("ran")) == {"42"}
    reported = eventually(lambda: site.of({"id": task["task_id"]}))
    assert reported[0]["state"] == "ran"
    # The site's word about its schedules changes nothing of it, and neither does another start.
    site.schedule("echo")
    agent.kill()
    agent.start()
    count = len(agent.lines("ran"))
    eventually(lambda: len(agent.lines("ran")) > count + 1)


def test_what_it_took_from_somebody_on_its_host_is_not_its_sites_to_end(site, agent, open_caller):
    assert open_caller.schedule(TASK | {"command": "touch begun && sleep 60"})[0] == 200
    eventually(lambda: (agent.work / "begun").exists())
    syncs = site.count("sync")
    eventually(lambda: site.count("sync") > syncs + 2)
    assert site.last_sync()["running"] == {}


def test_a_task_given_twice_runs_once_and_a_changed_one_in_its_place(site, agent, open_caller):
    for _ in range(2):
        assert open_caller.schedule(TASK | {"command": "tee -a ran", "frequency": "every 1 hours"})[0] == 200
    said = agent.call("status").stdout
    assert said.count("schedule tee -a ran: every 1 hours") == 1
    assert open_caller.schedule(TASK)[0] == 200
    eventually(lambda: site.of({"id": TASK["task_id"]}))
    assert "tee" not in agent.call("status").stdout


@pytest.mark.parametrize(
    ("task", "detail"),
    [
        (b"{", "the body is no JSON"),
        (b"[]", "the body must be an object"),
        ({**TASK, "task_id": 7}, "task_id: is missing, or no text"),
        ({**TASK, "task_id": "seven"}, "task_id: must be a UUID"),
        ({"task_id": TASK["task_id"], "frequency": TASK["frequency"]}, "command: is missing, or no text"),
        ({**TASK, "command": "echo 'a"}, "command: has a quotation mark that is not closed"),
        ({**TASK, "frequency": "every day"}, "frequency: must be of the form"),
        ({**TASK, "frequency": "0 3 * * *"}, "frequency: must be of the form"),
    ],
)
def test_what_is_missing_or_wrong_is_named(open_caller, task, detail):
    status, _, data = open_caller.schedule(task)
    assert status == 400
    assert json.loads(data)["detail"].startswith(detail)


def test_no_page_in_a_browser_makes_it_run_commands(open_caller):
    assert open_caller.schedule(TASK, Content_Type="text/plain")[0] == 415
    assert open_caller.schedule(TASK, Host="evil.example")[0] == 401
    assert open_caller.call("OPTIONS", "/api/v1/tasks/schedule")[0] == 405
    login = open_caller.login("0" * 32, b"")
    assert open_caller.schedule(TASK, Authorization=login)[0] == 401, "a wrong signature is no missing one"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--listen", "0.0.0.0:0"], "add --anywhere"),
        (["--listen", "0.0.0.0:0", "--anywhere", "--accept-unsigned"], "only with --listen at a loopback address"),
        (["--accept-unsigned"], "needs --listen"),
        (["--listen", "127.0.0.1"], "must be host and port"),
        (["--folder", "/no/such/folder"], "there is no folder"),
        (["--user", "no-such-account"], "there is no account"),
    ],
)
def test_what_would_open_it_further_than_it_says_is_refused(site, agent, words, why):
    agent.enrol()
    answer = agent.call("run", *words)
    assert answer.returncode == 2
    assert why in answer.stderr
