"""Short commands on this machine: how many a second, beside bare `subprocess`; and how soon an end is known.

`python bench/local.py` starts a real worker and a real monitor on PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a
database of its own) or, where there is none, on SQLite; `python bench/local.py sqlite` says which.

Throughput: so many `true` commands, two at once. Through Jobdeck it is counted from the first `create_job` to the last
row that says Complete; through `subprocess` with two threads, each command with its own folder and files for its output.
The two take turns.

From exit to Complete: each command ends by writing the time, which is the last thing that it does. A reader beside it
looks at the database every `LOOK` seconds and notes when it first sees the row Complete. Two commands are under way at
a time, each of which sleeps before it ends, so that what is measured is the way of the news and not a queue.
"""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from measuring import machine, percentile, processes, temporary_site

SLOTS = 2
COMMANDS = 30
TURNS = 3
ENDINGS = 60
LOOK = 0.01
DEADLINE = 60.0


def wait_until_up() -> None:
    """Until worker and monitor give signs of life.

    Raises:
        TimeoutError: they do not.
    """
    from jobs.models import Heartbeat

    deadline = time.monotonic() + DEADLINE
    while {"worker", "monitor"} - set(Heartbeat.objects.alive().values_list("kind", flat=True)):
        if time.monotonic() > deadline:
            raise TimeoutError("worker and monitor did not start")
        time.sleep(0.1)


def complete(ids: list[int], seen: dict[int, float] | None = None) -> None:
    """Wait until these jobs are Complete; `seen` gets the time at which each was first seen to be.

    Raises:
        RuntimeError: one ended in another way, or not in time.
    """
    from jobs.models import job_rows
    from jobs.status import FINAL

    deadline = time.monotonic() + DEADLINE
    left = set(ids)
    while left:
        over = dict(job_rows().filter(pk__in=left, status_code__in=FINAL).values_list("pk", "status_code"))
        now = time.time()
        if set(over.values()) - {"COM"}:
            raise RuntimeError(f"a command did not end well: {over}")
        if seen is not None:
            seen.update(dict.fromkeys(over, now))
        left -= over.keys()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(left)} commands were not over after {DEADLINE:g} s")
        if left:
            time.sleep(LOOK)


def through_jobdeck(manager, user) -> float:
    """Commands a second."""
    began = time.perf_counter()
    ids = []
    for _ in range(COMMANDS):
        job = manager.create_job("true {id}", user, "COMMAND", command=["true"])
        job.execute()
        ids.append(job.pk)
    complete(ids)
    return COMMANDS / (time.perf_counter() - began)


def through_subprocess() -> float:
    """Commands a second."""

    def run(folder: Path) -> None:
        folder.mkdir()
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            subprocess.run(["true"], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=True)

    with tempfile.TemporaryDirectory() as parent, ThreadPoolExecutor(SLOTS) as pool:
        began = time.perf_counter()
        list(pool.map(run, [Path(parent) / str(number) for number in range(COMMANDS)]))
        return COMMANDS / (time.perf_counter() - began)


def from_exit_to_complete(manager, user) -> list[float]:
    """Seconds from a command's own last word to the row that says Complete, for each of `ENDINGS` commands."""
    from jobs.engine import handle_of

    delays = []
    for start in range(0, ENDINGS, SLOTS):
        jobs = []
        for number in range(start, min(start + SLOTS, ENDINGS)):
            # They end apart from each other.
            line = f"sleep 0.{1 + number % SLOTS}; exec date +%s.%N"
            job = manager.create_job("date {id}", user, "COMMAND", command=line, shell=True)
            job.execute()
            jobs.append(job)
        seen: dict[int, float] = {}
        complete([job.pk for job in jobs], seen)
        for job in jobs:
            job.read_row()
            stdout = next(log for log in job.type.engine.logs(handle_of(job)) if log.name == "stdout")
            delays.append(seen[job.pk] - float(stdout.read()))
    return delays


def measure(folder: Path) -> None:
    """Measure and print."""
    from django.contrib.auth.models import User
    from django.db import connection

    from jobs.manager import JobManager

    user = User.objects.create_user("bench")
    manager = JobManager("bench")
    with processes(folder, "worker", "monitor"):
        wait_until_up()
        rates = {"Jobdeck": [], "subprocess": []}
        for turn in range(-1, TURNS):
            ways = [("Jobdeck", lambda: through_jobdeck(manager, user)), ("subprocess", through_subprocess)]
            for name, way in ways[:: 1 if turn % 2 else -1]:
                rate = way()
                if turn >= 0:  # the first turn warms caches
                    rates[name].append(rate)
        delays = from_exit_to_complete(manager, user)
    print(f"{connection.vendor}, embedded broker, {SLOTS} commands at once; {machine()}")
    print(f"{COMMANDS} short commands (true), median of {TURNS} turns:")
    for name, values in rates.items():
        print(f"  {name:12} {median(values):8.1f} a second   ({min(values):.1f} to {max(values):.1f})")
    print(f"  {'ratio':12} {median(rates['subprocess']) / median(rates['Jobdeck']):8.1f}")
    print(f"from a command's exit to Complete in the database, {len(delays)} commands, seen every {LOOK * 1000:g} ms:")
    for percent in (50, 95):
        print(f"  {f'p{percent}':12} {percentile(delays, percent):8.3f} s")
    print(f"  {'longest':12} {max(delays):8.3f} s", flush=True)


def main() -> int:
    import psycopg2

    variables = {"JOBDECK_LOCAL_SLOTS": str(SLOTS)}
    databases = sys.argv[1:2] or ["postgres", "sqlite"]
    for database in databases:
        try:
            with temporary_site(database, **variables) as folder:
                measure(folder)
            return 0
        except psycopg2.OperationalError as error:
            print(f"{database}: not used: {str(error).splitlines()[0]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
