"""How long it takes to move 10,000 jobs in one call of the transition function, beside the bare SQL that does the same.

`python bench/transitions.py` measures on PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of its own that is
dropped in the end) and on SQLite. The two ways take turns on the same rows, in one process, and the medians are compared.

The bare SQL is what somebody would type who knows that all rows are to be treated alike: one UPDATE and one
INSERT … SELECT into the events. The transition function has more to do for its time: each job's own change is checked
against the rules and the row as it is now, and open intents that the move fulfils are closed.
"""

import sys
import time
from statistics import median

from measuring import each_database, machine, temporary_site

JOBS = 10_000
TURNS = 5


def make_jobs() -> list[int]:
    """Submitted jobs without engines, and their primary keys."""
    from django.contrib.auth.models import User

    from jobs.models import Job, job_rows

    user = User.objects.create_user("bench")
    Job.objects.bulk_create(
        (Job(name=f"job {number}", user=user, status_code="SUB") for number in range(JOBS)), batch_size=1000
    )
    return list(job_rows().order_by("pk").values_list("pk", flat=True))


def put_back() -> None:
    """As before the move, with dead rows and the planner's figures out of the next turn's way."""
    from django.db import connection

    from jobs.models import JobEvent, job_rows

    JobEvent.objects.all().delete()
    job_rows().update(status_code="SUB", start_time=None, status_message="")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def by_transition(ids: list[int]) -> float:
    """Seconds for one call of `transition()`."""
    from jobs.status import Status
    from jobs.transitions import Change, transition

    began = time.perf_counter()
    moves = transition([Change(pk, 1, Status.RUNNING, message="started") for pk in ids], source="bench")
    seconds = time.perf_counter() - began
    if len(moves) != JOBS:
        raise RuntimeError(f"transition() moved {len(moves)} jobs instead of {JOBS}")
    return seconds


def by_sql() -> float:
    """Seconds for one UPDATE and one INSERT … SELECT."""
    from django.db import connection, transaction
    from django.utils import timezone

    now = timezone.now()
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        moment = connection.ops.adapt_datetimefield_value(now)
        cursor.execute(
            "UPDATE jobs_job SET status = 'RUN', start_time = %s, status_message = 'started' WHERE status = 'SUB'",
            [moment],
        )
        moved = cursor.rowcount
        cursor.execute(
            "INSERT INTO jobs_jobevent (job_id, attempt, time, old_status, new_status, label, message, source) "
            "SELECT id, attempt, %s, 'SUB', 'RUN', '', 'started', 'bench' FROM jobs_job WHERE status = 'RUN'",
            [moment],
        )
    seconds = time.perf_counter() - began
    if moved != JOBS:
        raise RuntimeError(f"the UPDATE moved {moved} jobs instead of {JOBS}")
    return seconds


def measure(database: str) -> None:
    """Measure on one database and print a line."""
    from django.db import connection

    from jobs.models import JobEvent

    ids = make_jobs()
    ways = {"transition()": lambda: by_transition(ids), "bare SQL": by_sql}
    seconds = {name: [] for name in ways}
    for turn in range(-1, TURNS):
        # Who goes first changes; the first turn warms caches and is not counted.
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            put_back()
            taken = ways[name]()
            if JobEvent.objects.count() != JOBS:
                raise RuntimeError(f"{name}: {JobEvent.objects.count()} events instead of {JOBS}")
            if turn >= 0:
                seconds[name].append(taken)
    per_job = {name: median(values) / JOBS * 1e6 for name, values in seconds.items()}
    if connection.vendor == "postgresql":
        version = f"PostgreSQL {connection.pg_version // 10000}"
    else:
        version = f"SQLite {connection.Database.sqlite_version}"
    print(f"{version}: {JOBS} jobs in one call, median of {TURNS} turns; {machine()}")
    for name, microseconds in per_job.items():
        spread = f"{min(seconds[name]) / JOBS * 1e6:.1f} to {max(seconds[name]) / JOBS * 1e6:.1f}"
        print(f"  {name:14} {microseconds:8.1f} µs a job   ({spread})")
    print(f"  {'ratio':14} {per_job['transition()'] / per_job['bare SQL']:8.2f}", flush=True)


def main() -> int:
    if len(sys.argv) < 2:
        return each_database(__file__)
    import psycopg2

    try:
        with temporary_site(sys.argv[1]):
            measure(sys.argv[1])
    except psycopg2.OperationalError as error:
        print(f"{sys.argv[1]}: left out: {str(error).splitlines()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
