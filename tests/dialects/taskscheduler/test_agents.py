"""The example of taskscheduler's document, word for word, on a whole site with real agents."""

import json
import re
import shlex
import subprocess
import time
from datetime import datetime, timedelta

import pytest

from tests.project.site import Site, free_port, until
from tests.schedules.running import RunningAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.on_sqlite]

CREATE = """curl --request POST \\
  --url http://localhost:8080/api/v1/tasks/create \\
  --header 'Content-Type: application/json' \\
  --data '{
	"command": "echo hello world",
	"frequency": "every 30 seconds"
}'"""
LATEST = """curl --request GET \\
  --url http://localhost:8080/api/v1/tasks/322f0be6-d276-489f-89eb-7662c4517885/latest_output"""

MAKE = """
import json
from jobs.schedules.enrolment import make_enrol_token
print(json.dumps([make_enrol_token(None)[1] for _ in range(3)]))
"""
BEHIND = """
import json
from jobs.schedules.models import Agent
from django.db.models import F
print(json.dumps([Agent.objects.enrolled().count(), Agent.objects.enrolled().filter(told=F("revision")).count()]))
"""


def curl(line: str, site: Site, task: str = "", *options: str) -> dict | str:
    """What the document's line prints here: with the site's port, and the id that was answered."""
    line = line.replace("localhost:8080", f"127.0.0.1:{site.port}")
    line = re.sub(r"/[0-9a-f-]{36}/", f"/{task}/", line)
    done = subprocess.run(
        [*shlex.split(line.replace("\\\n", " ")), "--silent", "--noproxy", "*", *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "data", JOBDECK_TASKSCHEDULER_ACCOUNT="demo")
    site.listening = free_port()
    site.environment["AVAILABLE_SERVERS"] = f"http://127.0.0.1:{site.listening}"
    try:
        yield site.start("--without-examples")
    finally:
        site.end()


@pytest.fixture
def agents(site, tmp_path):
    """Three agents beside the site's own; the first listens where the site looks for it."""
    options = [("--listen", f"127.0.0.1:{site.listening}"), (), ()]
    made = [RunningAgent(tmp_path / f"agent{n}", f"agent{n}", options=options[n]) for n in range(3)]
    try:
        for agent, token in zip(made, json.loads(site.python(MAKE)), strict=True):
            agent.enrol(f"http://127.0.0.1:{site.port}", token)
            agent.start()
        for agent in made:
            until(lambda agent=agent: "ready: " in agent.log)
        until(lambda: json.loads(site.python(BEHIND)) == [4, 4])
        yield made
    finally:
        for agent in made:
            agent.end()


def test_the_example_of_the_document_word_for_word(site, agents, record_property):
    begun = time.monotonic()
    asked = datetime.now().astimezone()
    task = curl(CREATE, site)["command_id"]
    has_it = until(lambda: all(task in _schedules_of(agent) for agent in agents) and time.monotonic() - begun, 10)
    assert curl(LATEST, site, task) == {"completion_time": None, "outputs": []}
    answer = until(lambda: len((found := curl(LATEST, site, task))["outputs"]) == 4 and found, 60)
    passed = time.monotonic() - begun
    record_property(
        "figures",
        f"three agents have a new schedule after {has_it:.2f} s, and its outputs are here after {passed:.1f} s",
    )
    assert has_it < 2
    assert 29 < passed < 36
    assert [one["stdout"] for one in answer["outputs"]] == ["hello world\n"] * 4
    assert all(set(one) == {"agent_id", "stdout"} for one in answer["outputs"])
    completed = datetime.fromisoformat(answer["completion_time"])
    assert timedelta(seconds=29) < completed - asked < timedelta(seconds=34)


def test_without_the_account_a_login_is_wanted(tmp_path):
    site = Site(tmp_path / "data")
    try:
        site.start("--without-examples")
        assert "curl" in CREATE
        refused = curl(CREATE, site, "", "--write-out", "\n", "--output", "-")
        assert "command_id" not in refused
        assert "command_id" in curl(CREATE, site, "", "--user", "demo:demo")
    finally:
        site.end()


def _schedules_of(agent: RunningAgent) -> str:
    """What an agent has kept, without its key, as one text."""
    import sqlite3

    store = next((agent.folder / "data").glob("*.sqlite3"))
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        return repr(connection.execute("SELECT * FROM schedules").fetchall())
