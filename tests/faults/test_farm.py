"""A whole site with real workers while PostgreSQL is restarted, and web server and workers are killed."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.project.site import Site, free_port, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.on_postgresql]
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nonexistent"))
TASKS = 120
PROGRAM = """
import os, time
with open("ran", "a") as file:
    file.write(f"begins {os.environ['JOBDECK_TASK']} {os.getpid()} {time.monotonic()}\\n")
time.sleep(0.3)
with open("ran", "a") as file:
    file.write(f"ends {os.environ['JOBDECK_TASK']} {os.getpid()} {time.monotonic()}\\n")
"""


class Cluster:
    """A PostgreSQL server of this test."""

    def __init__(self):
        # Not in the folders of pytest, which are root's: the server does not run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="jobdeck-postgresql-"))
        self.port = free_port()
        account = pwd.getpwnam("postgres")
        os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", f"{self.folder}/data", "--auth=trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self) -> None:
        """Without any goodbye."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        """Leave nothing."""
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *words: str) -> None:
        argv = ["runuser", "-u", "postgres", "--", str(BIN / program), *words]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture
def cluster():
    if os.geteuid() or not (BIN / "initdb").exists() or shutil.which("runuser") is None:
        pytest.skip("a PostgreSQL server of its own needs root and PostgreSQL's programs · 'make services' brings them")
    server = Cluster()
    yield server
    server.close()


@pytest.fixture
def site(cluster, tmp_path):
    site = Site(tmp_path / "data", cluster.url)
    try:
        yield site.start()
    finally:
        site.end()


class Workers:
    """Workers of a run, each started again when it is killed."""

    def __init__(self, site: Site, folder: Path, run: str, token: str):
        self.folder = folder
        pyz = folder / "jobdeck-worker.pyz"
        with urlopen(f"http://127.0.0.1:{site.port}/jobs/farm/jobdeck-worker.pyz", timeout=10) as answer:
            pyz.write_bytes(answer.read())
        url = f"http://127.0.0.1:{site.port}/api/jobs/{run}/farm/"
        self.argv = [sys.executable, "-I", "-S", pyz, url, "--jobs", "2", "--wait", "1", "--scratch", folder, "--"]
        self.argv += [sys.executable, "-I", "-S", "-c", PROGRAM]
        self.environment = {"PATH": os.environ["PATH"], "JOBDECK_TOKEN": token}
        self.processes = [self._start() for _ in range(3)]

    def _start(self) -> subprocess.Popen:
        with (self.folder / "workers.log").open("ab") as log:
            return subprocess.Popen(self.argv, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def kill_one(self) -> None:
        worker = self.processes.pop(0)
        worker.kill()
        worker.wait()
        self.processes.append(self._start())

    def close(self) -> None:
        for worker in self.processes:
            worker.kill()
            worker.wait()


MAKE = """
from django.contrib.auth.models import User
from jobs.access.tokens import make_token
from jobs.manager import JobManager
user = User.objects.create_user("ann")
run = JobManager("farm").create_job("run", user, "FARM", num_tasks={tasks}, lease_seconds=5, max_tries=20)
run.execute()
print(run.uuid, make_token(user, "worker", ["read", "write"])[1])
"""
HOW = """
from jobs.farm.models import FarmRun, FarmTask
run = FarmRun.objects.get(name="run")
print(run.cached_status, FarmTask.objects.filter(run=run, state="D").count(), run.state.done)
"""


def test_every_task_is_done_and_none_by_two_at_a_time(site, cluster, tmp_path):
    run, token = site.python(MAKE.format(tasks=TASKS)).split()
    folder = tmp_path / "workers"
    folder.mkdir()
    workers = Workers(site, folder, run, token)

    def ran() -> list[list[str]]:
        path = folder / "ran"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    try:
        for number, trouble in enumerate(("worker", "database", "web", "worker", "database"), start=1):
            before = number * TASKS // 7
            until(lambda before=before: len({line[1] for line in ran()}) >= before)
            if trouble == "worker":
                workers.kill_one()
            elif trouble == "database":
                cluster.stop()
                time.sleep(1)
                cluster.start()
            else:
                for pid in site.processes("granian"):
                    os.kill(pid, signal.SIGKILL)
        until(lambda: site.python(HOW).startswith("Complete"), 90)
    except AssertionError as error:
        raise AssertionError(
            f"{site.python(HOW)}\n{(folder / 'workers.log').read_text()[-4000:]}\n{site.output[-4000:]}"
        ) from error
    finally:
        workers.close()
    assert site.python(HOW) == f"Complete {TASKS} {TASKS}"
    assert {int(line[1]) for line in ran()} == set(range(TASKS))
    ends = {(task, pid): float(moment) for what, task, pid, moment in ran() if what == "ends"}
    for what, task, pid, moment in ran():
        if what == "begins" and (end := ends.get((task, pid))) is not None:
            others = [float(line[3]) for line in ran() if line[:2] == ["begins", task] and line[2] != pid]
            assert not any(float(moment) < other < end for other in others), f"task {task}: two at a time"
