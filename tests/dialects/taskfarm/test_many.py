"""Sixty-four processes with the published client on one run, on the production server."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest
from django.conf import settings
from taskfarm_worker import TaskFarm

from tests.dialects.taskfarm.many import NAME, PASSWORD
from tests.project.site import Site

ON_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
CLIENTS = 64
TASKS = 640


@pytest.fixture
def database_url():
    """Of a database of its own; empty for SQLite."""
    if not ON_POSTGRES:
        yield ""
        return
    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"jobdeck_many_{uuid4().hex[:8]}"

    def on_server(sql: str) -> None:
        connection = psycopg2.connect(server._replace(scheme="postgresql", path="/postgres").geturl())
        connection.autocommit = True
        connection.cursor().execute(sql)
        connection.close()

    on_server(f'CREATE DATABASE "{name}"')
    yield server._replace(path=f"/{name}").geturl()
    on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def base(tmp_path, database_url):
    """The API's address on a whole site."""
    site = Site(tmp_path / "data", database_url)
    try:
        site.start()
        made = site.manage("taskfarm_user", "-u", NAME, "-p", PASSWORD)
        assert made.returncode == 0, made.stderr
        yield f"http://127.0.0.1:{site.port}/api/"
    finally:
        site.end()


@pytest.mark.timeout(400)
def test_each_task_goes_to_one_of_64_workers(base, record_property):
    run = TaskFarm(NAME, PASSWORD, numTasks=TASKS, url_base=base)
    began = time.monotonic()
    many = Path(__file__).parent / "many.py"
    done = subprocess.run(
        [sys.executable, many, base, run.uuid, f"{CLIENTS}"], capture_output=True, text=True, timeout=350, check=True
    )
    seconds = time.monotonic() - began
    workers = json.loads(done.stdout)
    assert {worker["trouble"] for worker in workers} == {""}
    assert {status for worker in workers for status in worker["statuses"]} == {200, 201, 204}
    had = Counter(task for worker in workers for task in worker["tasks"])
    assert had == Counter(range(TASKS))
    assert run.info("") | {"percentDone": 100, "numWaiting": 0, "numDone": TASKS, "numComputing": 0} == run.info("")
    database = "PostgreSQL" if ON_POSTGRES else "SQLite"
    record_property("figures", f"{CLIENTS} clients of taskfarm on {database}: {TASKS} tasks in {seconds:.0f} s")
