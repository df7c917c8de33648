"""Functions from end to end, beside what one would write by hand with Celery: a view, `delay()`, a task that updates a row.

`python bench/functions.py [redis|rabbitmq]` uses PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of its own). Both
have the same production server, broker, and pool of two processes. Clients make jobs one after the other, some at once; what
counts is how many are done in a second, from the first request until the last one is Complete in the database. The two take
turns.
"""

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

from measuring import ROOT, machine, temporary_site
from measuring.server import PATIENCE, Server

BROKERS = {"redis": "redis://127.0.0.1:6379/9", "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//"}
JOBS = 600
CLIENTS = (4, 16)
TURNS = 3
CONCURRENCY = 2
AIM = 0.5

numbers = itertools.count()


def ours(token: str) -> tuple[str, dict, str]:
    body = {"type": "FUNCTION", "name": f"add {next(numbers)}", "function": "add", "run": True}
    return "/api/jobs/", {"Authorization": f"Bearer {token}"}, json.dumps({**body, "arguments": {"x": 1, "y": 2}})


def by_hand() -> tuple[str, dict, str]:
    return "/handwritten", {}, json.dumps({"x": 1, "y": 2})


def done_of_ours() -> int:
    from jobs.models import job_rows

    return job_rows().filter(status_code="COM").count()


def done_by_hand() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM handwritten WHERE status = 'done'")
        return cursor.fetchone()[0]


def end_to_end(port: int, clients: int, call, done) -> tuple[float, float]:
    """Jobs done in a second, and the 95th percentile of what a client waited for an answer, in milliseconds."""
    before, waited = done(), []
    left = itertools.count()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while next(left) < JOBS:
            address, headers, body = call()
            began = time.perf_counter()
            connection.request("POST", address, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read()
            waited.append(time.perf_counter() - began)
            if answer.status != 201:
                raise RuntimeError(f"{address}: {answer.status} {text[:300]!r}")

    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = len(waited)
    while done() - before < made:
        if time.perf_counter() - began > 180:
            raise RuntimeError(f"{made - done() + before} of {made} are not done after 180 s")
        time.sleep(0.02)
    return made / (time.perf_counter() - began), quantiles(waited, n=20)[-1] * 1000


@contextmanager
def processes(folder: Path):
    """Monitor and workers of the site, and the worker of what is written by hand."""
    manage = [sys.executable, str(ROOT / "manage.py")]
    by_hand = [sys.executable, "-m", "celery", "-A", "project", "-q", "worker", "-Q", "handwritten", "-P", "prefork"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "bench")])}
    commands = {
        "monitor": [*manage, "monitor"],
        "worker": [*manage, "worker"],
        "functions": [*manage, "worker", "--queues", "default", "--concurrency", f"{CONCURRENCY}"],
        "handwritten": [*by_hand, "-c", f"{CONCURRENCY}", "-I", "measuring.handwritten", "--without-gossip"],
    }
    started = []
    for name, argv in commands.items():
        with (folder / f"{name}.log").open("ab") as log:
            started.append(subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log))
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def measure(folder: Path, broker: str) -> None:
    """Measure and print."""
    from django.contrib.auth.models import User
    from django.db import connection
    from measuring.handwritten import TABLE

    from jobs.access.tokens import make_token
    from jobs.functions.models import FunctionWorker

    user = User.objects.create_user("bench")
    token = make_token(user, "bench", ["read", "write", "submit"])[1]
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    print(f"{machine()}; {broker}; {JOBS} jobs a turn, {TURNS} turns, {CONCURRENCY} processes each")
    print(f"{'clients':>8} {'Jobdeck':>10} {'by hand':>10} {'ratio':>7} {'p95 create':>11} {'by hand':>10}")
    with processes(folder), Server(workers=2, settings="measuring.api_site") as server:
        while not FunctionWorker.objects.exists():
            time.sleep(0.1)
        sides = ((lambda: ours(token), done_of_ours), (by_hand, done_by_hand))
        for call, done in sides:  # connections, caches, imports
            end_to_end(server.port, 2, call, done)
        for clients in CLIENTS:
            rates, waits = ([], []), ([], [])
            for _ in range(TURNS):
                for number, (call, done) in enumerate(sides):
                    rate, wait = end_to_end(server.port, clients, call, done)
                    rates[number].append(rate)
                    waits[number].append(wait)
            (rate, bare), (wait, bare_wait) = map(median, rates), map(median, waits)
            print(
                f"{clients:8} {rate:8.0f}/s {bare:8.0f}/s {rate / bare:7.2f} {wait:8.1f} ms {bare_wait:7.1f} ms"
                f"   (aim of the ratio: {AIM})"
            )


def main() -> int:
    broker = sys.argv[1] if len(sys.argv) > 1 else "redis"
    if broker not in BROKERS:
        sys.exit(f"{broker}: choose of {', '.join(BROKERS)}")
    queue = f"bench-{uuid4().hex[:8]}"
    site = {"ALLOWED_HOSTS": "127.0.0.1", "CELERY_BROKER_URL": BROKERS[broker], "JOBDECK_QUEUE": queue}
    with temporary_site("postgres", **site) as folder:
        measure(folder, broker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
