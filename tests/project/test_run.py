"""`make run`: one command that starts the whole site and keeps it running."""

import json
import os
import signal
from contextlib import suppress

import pytest

from tests.project.site import Site, free_port, until

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.timeout(180)]


def is_well(site: Site) -> bool:
    return site.get("/healthz")[0] == 200


def test_it_says_where_it_is_when_everything_answers(running_site):
    assert f"ready: http://127.0.0.1:{running_site.port}/\n" in running_site.lines
    status, _, body = running_site.get("/healthz")
    assert status == 200
    assert json.loads(body)["checks"] == {"database": True, "migrations": True, "worker": True, "monitor": True}


def test_its_front_door_shows_a_browser_the_dashboard_and_tells_others_who_answers(running_site):
    status, place, _ = running_site.get("/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (status, place) == (302, "/jobs/")
    for accept in ("application/json", "*/*"):
        status, _, body = running_site.get("/", Accept=accept)
        assert status == 200
        assert json.loads(body)["name"] == "Jobdeck"


def test_what_its_processes_say_is_on_the_terminal_and_in_files(running_site):
    logs = running_site.folder / "logs"
    assert {path.name for path in logs.iterdir()} >= {"web.log", "worker.log", "monitor.log", "functions.log"}
    running_site.get("/no-such-page")
    until(lambda: "Not Found: /no-such-page" in (logs / "web.log").read_text())
    until(lambda: running_site.said("Not Found: /no-such-page"))
    (line,) = (line for line in running_site.lines if "/no-such-page" in line)
    assert line.startswith("web       | ")


def test_its_key_is_its_own_and_for_its_owner_only(running_site):
    key = running_site.folder / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text().strip()) >= 50


def test_a_second_start_on_the_same_data_folder_says_so_and_leaves_the_first_alone(running_site):
    second = running_site.manage("run", PORT=str(free_port()))
    assert second.returncode == 1
    assert str(running_site.folder) in second.stderr
    assert f"process {running_site.process.pid}" in second.stderr
    assert f"http://127.0.0.1:{running_site.port}/" in second.stderr
    assert is_well(running_site)


def test_a_second_start_on_the_same_port_says_so_and_touches_nothing(running_site, tmp_path):
    second = running_site.manage("run", DATA_DIR=str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"port {running_site.port}: address already in use" in second.stderr
    assert f"PORT={running_site.port + 1}" in second.stderr
    assert not (tmp_path / "other").exists()
    assert is_well(running_site)


@pytest.mark.parametrize("name", ["web", "worker", "monitor", "functions"])
def test_a_child_that_dies_is_started_again(running_site, name):
    def processes() -> set[int]:
        if name in ("worker", "functions"):
            return running_site.own_worker if name == "worker" else running_site.functions_worker
        return running_site.processes("granian" if name == "web" else "manage.py monitor")

    before = until(processes)
    for pid in before:
        with suppress(ProcessLookupError):  # a pool's process goes with its worker
            os.kill(pid, signal.SIGKILL)
    until(lambda: processes() - before)
    until(lambda: is_well(running_site))
    assert running_site.said(f"{name} ended (SIGKILL); starting it again")


def test_a_web_server_whose_inner_process_dies_comes_back(running_site):
    inner = max(running_site.processes("granian"))
    os.kill(inner, signal.SIGKILL)
    until(lambda: inner not in running_site.processes("granian"))
    until(lambda: is_well(running_site))


RUN = """
import time
from django.contrib.auth.models import User
from jobs.manager import JobManager
user = User.objects.get(username="demo")
job = JobManager("jobs").create_job("sum-{id}", user, "FUNCTION", function="add", arguments={"x": 2, "y": 3})
job.execute()
end = time.monotonic() + 40
while job.cached_status != "Complete" and time.monotonic() < end:
    time.sleep(0.1)
print(job.cached_status, job.result)
"""


def test_it_runs_functions(running_site):
    assert running_site.python(RUN) == "Complete 5"
