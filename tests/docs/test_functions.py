"""Functions: the tutorial is followed on a real site, and the lines of flask-tasks are given to it with curl."""

import json
import os
import subprocess
import time

import pytest

from tests.docs.blocks import blocks_of
from tests.project.conftest import new_site

TUTORIAL = "tutorials/first-function.md"
TOKEN = """
from django.contrib.auth.models import User
from jobs.access.tokens import make_token
print(make_token(User.objects.get(username="demo"), "docs", ["read", "submit"])[1])
"""
FLIGHT = (
    '{"type":"mov3d", "args": {"dt": 0.001, "mass": 1.0, "r0": [0.5, 0.5, 0.5], "v0": [10.0, 10.0, 10.0], '
    '"radius": 0.3, "drag": false}}'
)
JSON = "-H 'Content-Type: application/json'"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site that runs, with the tutorial's function from an installed package, and the account of flask-tasks."""
    package = tmp_path_factory.mktemp("package")
    [written] = [block for block in blocks_of(TUTORIAL) if block.language == "python"]
    (package / "tutorial.py").write_text(written.text)
    info = package / "tutorial-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tutorial\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jobdeck.functions]\ntutorial = tutorial\n")
    variables = {"PYTHONPATH": str(package), "JOBDECK_FLASKTASKS_ACCOUNT": "demo"}
    with new_site(tmp_path_factory.mktemp("site"), **variables) as site:
        yield site.start("--without-examples")


def shell(site, folder, script: str, **variables: str) -> str:
    """What a script prints, with the site at the port that the documents have."""
    done = subprocess.run(
        ["/bin/sh", "-ec", script.replace("localhost:5000", f"127.0.0.1:{site.port}")],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_whoever_follows_the_tutorial_sees_what_it_says(site, tmp_path):
    [script] = [block.text for block in blocks_of(TUTORIAL) if block.language == "sh"]
    [printed] = [block.text for block in blocks_of(TUTORIAL) if block.language == "text"]
    names = {"JOBDECK": f"http://127.0.0.1:{site.port}", "TOKEN": site.python(TOKEN).strip()}
    assert shell(site, tmp_path, script, **names).strip() == printed.strip()


@pytest.mark.timeout(180)
def test_the_lines_of_flask_tasks_work_with_curl(site, tmp_path):
    def say(line: str) -> dict:
        return json.loads(shell(site, tmp_path, f"{line} -s"))

    assert say("curl -X GET localhost:5000/tasks")["myProtectedTask"]["require_authorization"] is True
    made = say(f"""curl -X POST localhost:5000/task {JSON} -d '{{"type":"add", "args":{{"x": 1, "y": 2}}}}'""")
    assert made == {"id": made["id"], "result": {}, "args": {"x": 1, "y": 2}, "status": "PENDING", "type": "add"}
    flight = say(f"curl -X POST localhost:5000/task {JSON} -d '{FLIGHT}'")

    def ended(task: dict, *login: str) -> dict:
        deadline = time.monotonic() + 30
        line = " ".join(["curl -X GET", f"localhost:5000/task/{task['id']}", *login])
        while (said := say(line))["status"] in ("PENDING", "STARTED"):
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        return said

    assert ended(made) == {**made, "status": "SUCCESS", "result": 3}
    assert ended(flight)["result"]["r"][0] == [0.5, 0.5, 0.5]

    token = say(f"""curl -X GET localhost:5000/token {JSON} -d '{{"user": "demo", "password": "demo"}}'""")["token"]
    bearer = f'-H "Authorization: Bearer {token}"'
    protected = """-d '{"type":"myProtectedTask", "args":{"x": 1, "y": 2}}'"""
    assert say(f"curl -X GET localhost:5000/protected {bearer}")["allowed_tasks"]["myProtectedTask"] is True
    assert say(f"curl -X GET localhost:5000/protected {bearer} {JSON} {protected}")["allowed_tasks"]
    refused = say(f"curl -X POST localhost:5000/task {JSON} {protected}")
    assert "authorization is needed" in refused["message"]
    begun = say(f"curl -X POST localhost:5000/task {bearer} {JSON} {protected}")
    assert ended(begun, bearer)["result"] == 2
    assert say(f"curl -X GET localhost:5000/task/{begun['id']}")["status"] == "PENDING", "it is nobody else's"
