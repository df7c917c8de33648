"""Farm runs under the load of the published client of taskfarm: checkout, its percentage, ten updates, done.

`python bench/farm.py [SECONDS]` uses PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of its own) and the production
server with two processes; clients are processes of this machine, and share its cores. Beside it, in turns: a bare Django view
on the same server that answers a constant; psycopg2 that claims rows with SKIP LOCKED; and our own API with many tasks a call.
"""

import http.client
import json
import multiprocessing
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

import psutil
from measuring import machine, percentile, processes, temporary_site
from measuring.server import PATIENCE, Server
from measuring.taskfarm import Load, work

CLIENTS = (1, 4, 16, 64)
TURNS = 2
SECONDS = 8.0
NAME, PASSWORD = "taskfarm", "hello"
AIM, AIM_KEPT, AIM_BATCH = 45, 0.8, 20
CLAIMERS = 16
BATCH = 100


def postgresql_cpu() -> float:
    """Seconds that PostgreSQL's processes have computed."""
    found = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] == "postgres" and process.info["cpu_times"]:
            found += process.info["cpu_times"].user + process.info["cpu_times"].system
    return found


def measure(server: Server, run, clients: int, seconds: float, *, bare: bool = False) -> tuple[Load, float, float]:
    """The load, and milliseconds of CPU a request of the server and of PostgreSQL."""
    base = f"http://127.0.0.1:{server.port}/{'bare' if bare else 'api'}/"
    web, database = server.cpu_seconds(), postgresql_cpu()
    load = work(base, run.uuid.hex, clients, seconds, NAME, PASSWORD)
    web, database = server.cpu_seconds() - web, max(0.0, postgresql_cpu() - database)
    return load, 1000 * web / load.requests, 1000 * database / load.requests


def under_load(server: Server, run, seconds: float) -> None:
    head = ("clients", "tasks/s", "requests/s", "p95", "server", "PostgreSQL", "bare tasks/s", "ratio")
    print(
        f"{head[0]:>8} {head[1]:>9} {head[2]:>11} {head[3]:>9} {head[4]:>13} {head[5]:>13} {head[6]:>13} {head[7]:>6}"
    )
    rates = {}
    for clients in CLIENTS:
        ours, bare = [], []
        for _ in range(TURNS):
            ours.append(measure(server, run, clients, seconds))
            bare.append(measure(server, run, clients, seconds, bare=True)[0])
        rate = median(load.tasks / load.seconds for load, _, _ in ours)
        beside = median(load.tasks / load.seconds for load in bare)
        waited = [one for load, _, _ in ours for one in load.waited]
        rates[clients] = rate
        print(
            f"{clients:8} {rate:9.1f} {median(load.requests / load.seconds for load, _, _ in ours):11.0f} "
            f"{1000 * percentile(waited, 95):6.1f} ms {median(web for _, web, _ in ours):10.2f} ms "
            f"{median(database for _, _, database in ours):10.2f} ms {beside:13.1f} {rate / beside:6.2f}"
        )
    print(
        f"at 64 clients {rates[64]:.1f} tasks/s (aim: {AIM}); of that at 16: {rates[64] / rates[16]:.2f} (aim: {AIM_KEPT})"
    )


# --- raw


RAW = """
CREATE TABLE raw (id bigserial PRIMARY KEY, run int NOT NULL, number int NOT NULL, state char(1) NOT NULL DEFAULT 'W');
INSERT INTO raw (run, number) SELECT 1, n FROM generate_series(1, 200000) n;
CREATE INDEX ON raw (run, number) WHERE state = 'W';
ANALYZE raw;
"""
CLAIM = """
WITH next AS MATERIALIZED (SELECT id FROM raw WHERE run = 1 AND state = 'W' ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE raw SET state = 'C' WHERE id IN (SELECT id FROM next) RETURNING number
"""


def _dsn() -> dict:
    from django.conf import settings

    place = settings.DATABASES["default"]
    return {
        "host": place["HOST"],
        "port": place["PORT"] or 5432,
        "user": place["USER"],
        "password": place["PASSWORD"],
        "dbname": place["NAME"],
    }


def _claimer(dsn: dict, seconds: float, ready, answers) -> None:
    import psycopg2

    connection = psycopg2.connect(**dsn)
    connection.autocommit = True
    cursor = connection.cursor()
    ready.wait(60)
    end, claimed = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        cursor.execute(CLAIM)
        claimed += len(cursor.fetchall())
    answers.put(claimed)


def raw(seconds: float) -> float:
    """Claims a second by psycopg2 alone."""
    import psycopg2

    connection = psycopg2.connect(**_dsn())
    connection.autocommit = True
    connection.cursor().execute(RAW)
    connection.close()
    context = multiprocessing.get_context("fork")
    ready, answers = context.Barrier(CLAIMERS + 1), context.Queue()
    arguments = (_dsn(), seconds, ready, answers)
    claimers = [context.Process(target=_claimer, args=arguments, daemon=True) for _ in range(CLAIMERS)]
    for claimer in claimers:
        claimer.start()
    ready.wait(60)
    claimed = sum(answers.get(timeout=seconds + 60) for _ in claimers)
    for claimer in claimers:
        claimer.join()
    return claimed / seconds


# --- many at once


def in_batches(server: Server, run, token: str, count: int, seconds: float) -> float:
    """Tasks a second that one worker takes and has done, `count` of them a call, by our own API."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    worker = {"uuid": uuid4().hex, "hostname": "bench", "pid": os.getpid()}

    def post(path: str, body: dict) -> dict:
        connection.request("POST", f"/api/jobs/{run.uuid}/farm/{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        tasks = post("checkout/", {"worker": worker, "count": count})["tasks"]
        said = [{"number": task["number"], "token": task["token"], "state": "done"} for task in tasks]
        done += len(post("report/", {"tasks": said})["taken"])
    return done / seconds


@contextmanager
def new_run(user, number: int = 1_000_000):
    """A run that is open."""
    from jobs.manager import JobManager

    run = JobManager("bench").create_job("{id}", user, "FARM", num_tasks=number)
    run.execute()
    yield run


def run_all(folder: Path, seconds: float) -> None:
    """Measure and print."""
    from django.contrib.auth.models import User
    from django.db import connections

    from jobs.access.tokens import make_token

    user = User.objects.create_user(NAME, password=PASSWORD)
    token = make_token(user, "bench", ["read", "write", "submit"])[1]
    print(f"{machine()}; {seconds:g} s a turn, {TURNS} turns")
    with new_run(user) as run, processes(folder, "monitor"), Server(2, "measuring.taskfarm_site") as server:
        connections.close_all()  # children of this process must not share them
        under_load(server, run, seconds)
        single, many = [], []
        for _ in range(TURNS):
            single.append(in_batches(server, run, token, 1, seconds / 2))
            many.append(in_batches(server, run, token, BATCH, seconds / 2))
        ratio = median(many) / median(single)
        print(
            f"our own API, one worker: {median(single):.0f} tasks/s one by one, {median(many):.0f} tasks/s by {BATCH}: "
            f"{ratio:.1f} times as many (aim: {AIM_BATCH})"
        )
    print(f"psycopg2 alone, {CLAIMERS} connections: {raw(seconds):.0f} claims/s")


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with temporary_site("postgres", ALLOWED_HOSTS="127.0.0.1") as folder:
        run_all(folder, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
