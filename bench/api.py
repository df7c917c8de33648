"""REST: a list, a new job and one job, each beside a bare view of DRF that answers the same bytes from memory.

`python bench/api.py` uses PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of its own). The production server, started
as `make run` starts it but with two processes, is asked one call after the other over one connection; what counts is the CPU
time of the server's processes for a request. The same server has the bare view. Calls and bare calls take turns.
"""

import http.client
import itertools
import json
import os
import sys
from pathlib import Path
from statistics import median

from measuring import machine, temporary_site
from measuring.rows import make_jobs
from measuring.server import PATIENCE, Server

SIZES = (1_000, 100_000)
REQUESTS = 300
TURNS = 3
AIM = 6


class Client:
    """Calls over one connection, with a token."""

    def __init__(self, port: int, token: str):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, method: str, address: str, body: str | None = None) -> bytes:
        self.connection.request(method, address, body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {address}: {answer.status} {text[:300]!r}")
        return text


def milliseconds(server: Server, call) -> float:
    """CPU of the server for one call."""
    for _ in range(20):
        call()
    began = server.cpu_seconds()
    for _ in range(REQUESTS):
        call()
    return (server.cpu_seconds() - began) / REQUESTS * 1000


def beside(server: Server, client: Client, folder: Path, name: str, call) -> tuple[float, float]:
    """CPU of a call, and of the bare view that answers the same bytes, in milliseconds; the medians of some turns."""
    method, address, body = call()
    (folder / name).write_bytes(client(method, address, body))
    ours, bare = [], []
    for _ in range(TURNS):
        ours.append(milliseconds(server, lambda: client(*call())))
        bare.append(milliseconds(server, lambda: client(method, f"/bare/{name}", body)))
    return median(ours), median(bare)


def queries(user, address: str) -> int:
    """How many queries the call makes, asked in this process."""
    from django.db import connection
    from django.test import Client as TestClient
    from django.test.utils import CaptureQueriesContext

    client = TestClient()
    client.force_login(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def measure(folder: Path) -> int:
    """Measure and print; 1 if a list costs more queries for more jobs."""
    from django.conf import settings
    from django.contrib.auth.models import User

    from jobs.access.tokens import make_token
    from jobs.models import job_rows

    settings.ALLOWED_HOSTS = ["testserver"]
    user = User.objects.create_user("bench")
    token = make_token(user, "bench", ["read", "write", "submit"])[1]
    print(machine())
    print(f"{'call':>28} {'CPU':>9} {'bare view':>10} {'ratio':>7} {'queries':>8}")
    counted, seconds = {}, {}
    numbers = itertools.count()
    for size in SIZES:
        make_jobs(user, size)
        counted[size] = queries(user, "/api/jobs/")
        with Server(workers=2, settings="measuring.api_site") as server:
            client = Client(server.port, token)
            ours, bare = beside(server, client, folder, f"list-{size}", lambda: ("GET", "/api/jobs/", None))
            seconds[size] = ours
            print(f"{f'list of 50 of {size:,}':>28} {ours:6.2f} ms {bare:7.2f} ms {ours / bare:7.1f} {counted[size]:8}")
            if size != SIZES[-1]:
                continue
            uuid = job_rows().order_by("-pk").values_list("uuid", flat=True)[0]
            ours, bare = beside(server, client, folder, "read", lambda one=uuid: ("GET", f"/api/jobs/{one}/", None))
            count = queries(user, f"/api/jobs/{uuid}/")
            print(f"{f'read (aim {AIM})':>28} {ours:6.2f} ms {bare:7.2f} ms {ours / bare:7.1f} {count:8}")

            def create() -> tuple:
                return "POST", "/api/jobs/", json.dumps({"type": "BASIC", "name": f"new {next(numbers)}"})

            ours, bare = beside(server, client, folder, "create", create)
            print(f"{'create':>28} {ours:6.2f} ms {bare:7.2f} ms {ours / bare:7.1f}")
    ratio = seconds[SIZES[1]] / seconds[SIZES[0]]
    print(f"list of 50 out of {SIZES[1]:,} beside out of {SIZES[0]:,}: {ratio:.2f}")
    return int(len(set(counted.values())) > 1)


def main() -> int:
    with temporary_site("postgres", ALLOWED_HOSTS="127.0.0.1,testserver") as folder:
        answers = folder / "answers"
        answers.mkdir()
        os.environ["BARE_ANSWERS"] = str(answers)
        from django.conf import settings

        settings.JOBS["API_RATES"] = {}
        return measure(answers)


if __name__ == "__main__":
    sys.exit(main())
