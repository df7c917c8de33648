"""The table of jobs: queries and time with 1,000 and with 100,000 jobs, and many people looking at once.

`python bench/table.py` uses PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of its own). First the queries of
the first page and of a refresh at which nothing has changed are counted and timed, in this process. Then the production
server, started as `make run` starts it, answers so many viewers of a page of 50 active jobs: first as their pages ask,
then each again as soon as it has an answer. The viewers run on the same machine, in this process. It ends with 1 if the
queries are more than `MOST_QUERIES`, or not the same for both sizes.
"""

import http.client
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

from measuring import machine, percentile, temporary_site
from measuring.rows import PAGE, make_jobs
from measuring.server import PATIENCE, Server

SIZES = (1_000, 100_000)
MOST_QUERIES = {"first page": 10, "refresh": 3}
TURNS = 15
VIEWERS = 100
INTERVAL = 3.0
"""Seconds after which a page with active jobs asks again."""
SECONDS = 9.0


def ask(client, address: str) -> tuple[float, int, str]:
    """Median of seconds, most queries of one request, and the text of the last answer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        client.get(address)
        times.append(time.perf_counter() - began)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(address)
    return median(times), len(captured), answer.content.decode()


def known_rows(page: str) -> str:
    """What the page's script says it knows: the rows with their signatures."""
    rows = re.findall(r'<tr id="job-(\d+)"[^>]*data-signature="([^"]*)"', page)
    return ",".join(f"{job}.{signature}" for job, signature in rows)


def compare_sizes(client, user) -> tuple[bool, str]:
    """Print the table of both sizes; whether the queries are few enough, and the address of a refresh."""
    from django.db import connection

    found = {}
    for size in SIZES:
        make_jobs(user, size)
        connection.ensure_connection()
        seconds, queries, page = ask(client, "/jobs/")
        found["first page", size] = seconds, queries
        refresh = f"/jobs/rows/?known={known_rows(page)}"
        if client.get(refresh).status_code != 204:
            raise RuntimeError("a refresh at which nothing has changed should be answered with 204")
        seconds, queries, _ = ask(client, refresh)
        found["refresh", size] = seconds, queries
    print(f"{'':12}{'jobs':>9}{'queries':>9}{'ms':>8}{'ratio':>8}")
    few = True
    for what, most in MOST_QUERIES.items():
        for size in SIZES:
            seconds, queries = found[what, size]
            ratio = seconds / found[what, SIZES[0]][0]
            print(f"{what:12}{size:>9,}{queries:>9}{seconds * 1000:>8.1f}{ratio:>8.2f}")
            if queries > most:
                few = False
                print(f"  more than {most} queries", file=sys.stderr)
        if len({found[what, size][1] for size in SIZES}) > 1:
            few = False
            print("  not the same number of queries for both sizes", file=sys.stderr)
    return few, refresh


# --- many people at once


def view(
    port: int, address: str, headers: dict, pause: float, delay: float, together: threading.Barrier
) -> list[float]:
    """Ask for `SECONDS`, first after `delay` and then so often that `pause` lies between two; seconds of each answer.

    Raises:
        RuntimeError: an answer is not 204.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    together.wait()
    until = time.monotonic() + SECONDS
    times = []
    time.sleep(delay)
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("GET", address, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise RuntimeError(f"answered with {answer.status}")
        times.append(time.perf_counter() - began)
        time.sleep(pause)
    connection.close()
    return times


def many_viewers(client, refresh: str) -> None:
    """Print what the server does for `VIEWERS` people at once: as their pages ask, and as fast as it can."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = {"Cookie": cookies, "HX-Request": "true"}
    print(f"{VIEWERS} viewers of {PAGE} active jobs, for {SECONDS:g} s each:")
    with Server() as server, ThreadPoolExecutor(VIEWERS) as pool:
        ask_server = partial(view, server.port, refresh, headers)
        warm(server.port, headers)
        for pause in (INTERVAL, 0.0):
            together = threading.Barrier(VIEWERS + 1)
            delays = [pause * number / VIEWERS for number in range(VIEWERS)]
            asked = [pool.submit(ask_server, pause, delay, together) for delay in delays]
            together.wait()
            before, began = server.cpu_seconds(), time.perf_counter()
            times = [seconds for viewer in asked for seconds in viewer.result()]
            took, cpu = time.perf_counter() - began, server.cpu_seconds() - before
            how = f"each asks {pause:g} s after its last answer" if pause else "each asks again at once"
            print(
                f"  {how}: {len(times) / took:.0f} requests/s, p50 {percentile(times, 50) * 1000:.0f} ms, "
                f"p95 {percentile(times, 95) * 1000:.0f} ms, server {cpu / took * 100:.0f} % of one core, "
                f"{cpu / len(times) * 1000:.1f} ms of CPU per request"
            )


def warm(port: int, headers: dict) -> None:
    """Have the server import and compile what it needs, in every thread."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: get(port, "/jobs/", headers), range(24)))


def get(port: int, address: str, headers: dict) -> int:
    """The status of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", address, headers=headers)
    with connection.getresponse() as answer:
        answer.read()
        status = answer.status
    connection.close()
    return status


def measure() -> int:
    """Measure all; the exit code."""
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.create_user("bench")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    few, refresh = compare_sizes(client, user)
    many_viewers(client, refresh)
    return 0 if few else 1


if __name__ == "__main__":
    import psycopg2

    print(machine())
    try:
        with temporary_site("postgres"):
            code = measure()
    except psycopg2.OperationalError as error:
        print(f"skipped: PostgreSQL cannot be reached ({str(error).splitlines()[0]}) · 'make services' brings it")
        code = 0
    sys.exit(code)
