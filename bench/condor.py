"""HTCondor: a tick over 10,000 queued jobs and the submission of 1,000 processes, each beside the bare bindings.

`python bench/condor.py` needs the pool of `make services` and PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of
its own). The schedd's second one, `breakable`, takes the jobs, none of which ever starts.

A tick is all that the monitor does for one scheduler: read the jobs that it watches, ask, add up, write what is new in one
transaction. Beside it stands one `Schedd.query` for the same information in a process of its own that does nothing else:
the same constraint, the same attributes. The two take turns.

A submission is `create_job`, the worker's claim, laying out of the files, the transport, and the record in the database;
beside it stands one `Schedd.submit` and `Schedd.spool` of the same description and files.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

from measuring import temporary_site
from measuring.bare import Bare, in_the_pool

JOBS = 10_000
CHANGED = 100
PROCESSES = 1_000
TURNS = 3
INPUT = 20_000
"""Bytes of the input file of each process."""


def queue_jobs(user, scheduler, reach) -> list[int]:
    """Have 10,000 jobs that never start in the queue, and rows of them as if each had been submitted by itself."""
    from django.contrib.contenttypes.models import ContentType

    from jobs.condor.models import CondorJob
    from jobs.conf import conf
    from jobs.engine import make_tag
    from jobs.models import Job
    from jobs.status import Status

    text = f"""
executable = /bin/true
transfer_executable = false
requirements = false
leave_in_queue = JobStatus == 3
My.JobdeckInstance = "{conf.INSTANCE}"
"""
    tags = [make_tag(UUID(int=number), 1) for number in range(JOBS)]
    with ThreadPoolExecutor(2) as several:
        submit = partial(reach.submit, count=1, sandbox=None, deadline=60)
        answers = several.map(lambda tag: submit(f'{text}My.JobdeckTag = "{tag}"\n'), tags)
        clusters = [answer["cluster"] for answer in answers]

    kind = ContentType.objects.get_for_model(CondorJob, for_concrete_model=False)
    rows = Job.objects.bulk_create(
        [
            Job(
                uuid=UUID(int=number),
                name=f"bench {number}",
                user=user,
                label="bench",
                scheduler_id=scheduler.pk,
                status_code=Status.SUBMITTED,
                external_id=str(clusters[number]),
                polymorphic_ctype=kind,
            )
            for number in range(JOBS)
        ],
        batch_size=1000,
    )
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_condor_condorjob (job_ptr_id, condorpy_template_name, attributes, remote_input_files, "
            "num_jobs, restricted) SELECT id, '', '{}', '[]', 1, false FROM jobs_job WHERE id >= %s",
            [rows[0].pk],
        )
    return clusters


def measure_ticks(user, scheduler, reach, bare: Bare) -> None:
    """Ticks when nothing, 100 and all jobs changed, each beside the bare query for the same."""
    from jobs.condor.answers import OVERLAP
    from jobs.condor.engine import CondorEngine
    from jobs.condor.watching import QUESTION
    from jobs.conf import conf
    from jobs.models import Scheduler, job_rows
    from jobs.monitor.leadership import lead
    from jobs.monitor.polling import poll_once
    from jobs.status import Status

    clusters = sorted(queue_jobs(user, scheduler, reach))
    bounds = dict(zip((CHANGED, JOBS), (clusters[CHANGED - 1], clusters[-1]), strict=True))
    engine = CondorEngine()

    def tick() -> float:
        lead(scheduler.pk)
        row = Scheduler.objects.get(pk=scheduler.pk)
        began = time.perf_counter()
        if not poll_once(row, engine):
            raise RuntimeError(Scheduler.objects.get(pk=scheduler.pk).last_error)
        return time.perf_counter() - began

    first = tick()
    print(f"first tick, the whole queue, nothing known before: {first * 1000:.0f} ms")
    held = dict.fromkeys((0, CHANGED, JOBS), False)
    ours = f'JobdeckInstance == "{conf.INSTANCE}"'
    print(f"{'changed':>8} {'tick':>10} {'bare query':>12} {'ratio':>7}   aim")
    for changed, aim in ((0, 2), (CHANGED, 2), (JOBS, 6)):
        ticks, queries = [], []
        for _ in range(TURNS):
            tick()
            time.sleep(OVERLAP + 1.1)  # what changed before lies outside of the next delta
            tick()
            if changed:
                held[changed] = not held[changed]
                action = "hold" if held[changed] else "release"
                reach.act(action, f"{ours} && ClusterId <= {bounds[changed]}", "bench", deadline=120)
            since = engine._watches[scheduler.pk].view.latest - OVERLAP
            constraint = f"{ours} && EnteredCurrentStatus >= {since}"
            seconds, found = bare.ask(constraint=constraint, projection=list(QUESTION))
            if found < changed:
                raise RuntimeError(f"{found} of {changed} jobs changed")
            queries.append(seconds)
            ticks.append(tick())
            expected = Status.PAUSED if changed and held[changed] else Status.SUBMITTED
            if changed and job_rows().filter(status_code=expected).count() < changed:
                raise RuntimeError("the tick did not write what changed")
        if changed and held[changed]:
            held[changed] = False
            reach.act("release", f"{ours} && ClusterId <= {bounds[changed]}", "bench", deadline=120)
        tick_ms, query_ms = median(ticks) * 1000, median(queries) * 1000
        print(f"{changed:8} {tick_ms:7.1f} ms {query_ms:9.1f} ms {tick_ms / query_ms:7.1f}   {aim}", flush=True)
    reach.act("remove", ours, "bench", deadline=120)
    reach.act("remove_x", ours, "bench", deadline=120)
    job_rows().update(status_code="ABT")


def measure_submission(user, scheduler, reach, bare: Bare, folder: Path) -> None:
    """1,000 processes with an input file as one job, beside submit and spool."""
    from jobs.condor.models import CondorJob
    from jobs.intents import want
    from jobs.manager import JobManager
    from jobs.worker.carry_out import carry_out

    data = folder / "input.dat"
    data.write_bytes(os.urandom(INPUT))
    place = folder / "bare"
    place.mkdir()
    text = f"""
executable = /bin/true
transfer_executable = false
requirements = false
initialdir = {place}
transfer_input_files = {data}
should_transfer_files = YES
"""
    ours, theirs = [], []
    for _ in range(3):
        began = time.perf_counter()
        job = JobManager("bench").create_job(
            "bench {id}",
            user,
            CondorJob,
            attributes={"executable": "/bin/true", "requirements": "false"},
            remote_input_files=[str(data)],
            num_jobs=PROCESSES,
        )
        carry_out(want(job, "run").pk)
        job.read_row()
        ours.append(time.perf_counter() - began)
        if not job.external_id:
            raise RuntimeError(f"not submitted: {job.status_message} {job.intents.get().last_error}")
        seconds, cluster = bare.ask(text=text, count=PROCESSES)
        theirs.append(seconds)
        for which in (cluster, job.external_id):
            reach.act("remove", f"ClusterId == {which}", "bench", deadline=120)
            reach.act("remove_x", f"ClusterId == {which}", "bench", deadline=120)
    ratio = median(ours) / median(theirs)
    print(f"{PROCESSES} processes as one job, median of {len(ours)}: {median(ours):.2f} s")
    print(f"one Schedd.submit and spool of the same:     {median(theirs):.2f} s; ratio {ratio:.2f} (aim 1.5)")


def measure(folder: Path) -> None:
    """Measure and print."""
    with in_the_pool(folder, "breakable_schedd") as (scheduler, user, reach, bare):
        measure_ticks(user, scheduler, reach, bare)
        measure_submission(user, scheduler, reach, bare, folder)


def main() -> int:
    with temporary_site("postgres", JOBDECK_INSTANCE=f"bench{os.getpid()}") as folder:
        measure(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
