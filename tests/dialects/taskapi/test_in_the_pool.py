"""Tasks in a real pool on a whole site, by the very curl lines of seed 000."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.bindings.transport import Connection, Transport
from tests.condor.conftest import pool
from tests.docs.blocks import blocks_of
from tests.project.conftest import new_site
from tests.project.site import Site, until

__all__ = ["pool"]

PATIENCE = 120
POOL = """
from jobs.condor.models import CondorScheduler
CondorScheduler.objects.create(name="pool", address={address!r}, schedd_name={schedd!r}, token={token!r},
    trust_domain={trust_domain!r}, least_interval=0.5, full_interval=30.0, is_default=True)
"""


class Api:
    """The API as curl calls it."""

    def __init__(self, site: Site, folder: Path):
        self.site = site
        self.folder = folder

    def curl(self, *arguments: str) -> dict:
        done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.site.port}/api/{path}"

    def get(self, path: str) -> dict:
        return self.curl(self.url(path))

    def post(self, path: str, body: dict) -> dict:
        return self.curl("-X", "POST", self.url(path), "-H", "Content-Type: application/json", "-d", json.dumps(body))

    def task(self, line: str, **fields) -> dict:
        """A task that has /bin/sh read a line."""
        script = self.folder / f"{uuid4().hex}.sh"
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o755)
        return self.post("tasks", {"subParams": {"executable": str(script), "priority": "20"}, **fields})

    def until(self, task: dict, *states: int) -> dict:
        """The task as soon as it has one of the states."""

        def there():
            now = self.get(f"tasks/{task['id']}")
            return now if now["state"] in states else None

        return until(there, PATIENCE)


@pytest.fixture(scope="module")
def api(pool, tmp_path_factory):
    """A site whose account 'demo' is the dialect's, and a folder that callers may name."""
    base = tmp_path_factory.mktemp("taskapi")
    folder = Path(f"/tmp/jobdeck-condoruser-{uuid4().hex[:8]}")
    folder.mkdir()
    instance = f"taskapi-{uuid4().hex}"
    variables = {
        "JOBDECK_TASKAPI_ACCOUNT": "demo",
        "JOBDECK_SHARED_FOLDERS": str(folder),
        "JOBDECK_INSTANCE": instance,
    }
    with new_site(base, **variables) as site:
        site.start("--without-examples")
        facts = {name: getattr(pool, name) for name in ("address", "schedd", "token", "trust_domain")}
        site.python(POOL.format(**facts))
        yield Api(site, folder)
    reach = Transport(Connection(pool.address, pool.schedd, pool.token, pool.trust_domain), base / "token")
    for action in ("remove", "remove_x"):
        reach.act(action, f'JobdeckInstance == "{instance}"')
    reach.close()
    shutil.rmtree(folder)


def test_the_two_curl_lines_of_the_seed_work_as_they_stand(api):
    [lines] = [block.text for block in blocks_of("reference/task-api.md") if block.language == "sh"]
    for name, text in [
        ("test-retry-02/myscript.sh", "#!/bin/sh\nsleep 1\necho $1 > slept.txt\n"),
        ("testlog/.keep", ""),
    ]:
        (api.folder / name).parent.mkdir(exist_ok=True)
        (api.folder / name).write_text(text)
    (api.folder / "test-retry-02/myscript.sh").chmod(0o755)
    here = lines.replace("http://localhost:8080", f"http://localhost:{api.site.port}").replace(
        "/home/condoruser", str(api.folder)
    )
    post, get = re.split(r"\n(?=curl)", here.strip())
    began = time.monotonic()
    created = json.loads(subprocess.run(["/bin/sh", "-c", post], capture_output=True, check=True).stdout)
    assert created["id"] == "41a694e0-5b66-4e79-9abd-7ea9d351f0e6"
    assert created["state"] == 0

    def answer() -> dict:
        return json.loads(subprocess.run(["/bin/sh", "-c", get], capture_output=True, check=True).stdout)

    done = until(lambda: answer()["state"] not in (0, 1) and answer(), PATIENCE)
    took = time.monotonic() - began
    assert (done["state"], done["retriesLeft"], done["procId"], done["expirationDate"]) == (2, 1, None, None)
    assert done["clusterId"] > 0
    assert done["subParams"]["arguments"] == "5 0"
    assert (api.folder / "testlog" / "slept.txt").read_text() == "5\n"
    assert took < PATIENCE
    print(f"completed {took:.1f} s after the POST")


def test_a_failing_task_is_submitted_again_until_no_retry_is_left(api):
    task = api.task("exit 3")
    first = api.until(task, 1)
    over = api.until(task, 2, 3, 4, -1)
    assert (over["state"], over["retriesLeft"]) == (3, 0)
    assert over["latestSubId"] != first["latestSubId"]
    assert over["clusterId"] != first["clusterId"]


def test_one_past_its_expiration_date_is_removed_and_timed_out(api):
    task = api.task("sleep 600")
    api.until(task, 1)
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
    assert api.post(f"tasks/{task['id']}", {"expirationDate": soon})["expirationDate"] == soon
    over = api.until(task, 2, 3, 4, -1)
    assert over["state"] == 4
    assert api.get("status")["nTasksTimedOut"] >= 1


def test_one_that_is_deleted_while_it_runs_is_gone(api):
    task = api.task("sleep 600")
    api.until(task, 1)
    assert api.curl("-X", "DELETE", api.url(f"tasks/{task['id']}")) == {"deleted_flag": True}
    assert api.get(f"tasks/{task['id']}") == {"detail": "not-found"}


def test_outputs_are_listed_and_fetched(api):
    task = api.task("echo 5 > 'mean é.txt'; echo said")
    assert api.until(task, 2, 3)["state"] == 2
    items = {item["name"]: item["size"] for item in api.get(f"tasks/{task['id']}/outputs")["items"]}
    assert items["mean é.txt"] == 2
    got = subprocess.run(
        ["curl", "-sS", api.url(f"tasks/{task['id']}/outputs/mean%20%C3%A9.txt")], capture_output=True, check=True
    )
    assert got.stdout == b"5\n"
    assert any(re.fullmatch(r"logs/.*\.out", name) for name in items)


def test_a_program_of_the_pools_machines_is_not_transferred(api):
    task = api.post("tasks", {"subParams": {"executable": "/bin/echo", "arguments": "hello", "priority": "20"}})
    done = api.until(task, 2, 3)
    assert done["state"] == 2
    cluster = api.get(f"htc-clusters/{done['clusterId']}")
    assert (cluster["task"]["id"], cluster["cluster"]["status"]["clusterState"]) == (task["id"], 2)


def test_a_password_is_taken_and_a_wrong_one_is_not_taken_for_none(api):
    login = subprocess.run(
        ["curl", "-sS", "-u", "demo:demo", api.url("status")], capture_output=True, text=True, check=True
    )
    assert json.loads(login.stdout)["kind"] == "dtaskapi-htc-server-status"
    wrong = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-u", "demo:wrong", api.url("status")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert wrong.stdout == "401"
