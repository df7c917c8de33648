"""The main job, headless: run it on real data through the public door, and check everything that it must be; where there
is an HTCondor pool, there too, and as a workflow.

`manage.py demo` starts a site of its own in a temporary folder and runs this beside it, as `python -m project.demo`.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

DEADLINE = 180.0
"""Seconds that a job may take; in a pool it waits for a slot first."""

PAUSE = 2.0
"""Seconds that the analysis takes longer than it needs, so that its progress can be seen."""

LOOK_EVERY = 0.05
"""Seconds between two looks at the job's row; each report of progress stands for `PAUSE` / 5."""

HISTORY = ["Pending", "Submitted", "Running", "Results-Ready", "Complete"]


class Table:
    """What happened: one line each, with the seconds since the beginning."""

    def __init__(self):
        self.began = datetime.now(UTC)
        print(f"{'step':24} {'time':>8}  what", flush=True)

    def row(self, step: str, what: str, moment: datetime | None = None) -> None:
        """Print a line; `moment` is when it happened, now by default."""
        seconds = ((moment or datetime.now(UTC)) - self.began).total_seconds()
        print(f"{step:24} {seconds:6.2f} s  {what}", flush=True)


class Checks:
    """What must be so, and what was not."""

    def __init__(self):
        self.failed = 0

    def check(self, what: str, holds: bool, found: object = "") -> None:
        """Print whether it holds, and what was found where it does not."""
        self.failed += not holds
        print(f"{'ok' if holds else 'WRONG':6} {what}" + ("" if holds else f": {found}"), flush=True)


def watch(job, table: Table) -> list[float]:
    """Wait until the job is over, printing its history and progress; gives the percentages seen, each once."""
    from jobs.models import JobEvent, Status, job_rows

    seen: list[float] = []
    last_event = 0
    deadline = time.monotonic() + DEADLINE
    while True:
        # The row first: the events of what it says are in the database then.
        row = job_rows().get(pk=job.pk)
        for event in JobEvent.objects.filter(job_id=job.pk, pk__gt=last_event).order_by("pk"):
            last_event = event.pk
            old, new = (Status(code).label if code else "" for code in (event.old_status, event.new_status))
            table.row(f"{old} → {new}", f"{event.message} ({event.source})".strip(), event.time)
        if row.progress is not None and row.progress not in seen:
            seen.append(row.progress)
            table.row(f"progress {row.progress:g} %", row.status_message)
        if row.is_over:
            return seen
        if time.monotonic() > deadline:
            print(f"not over after {DEADLINE:g} s: it is {row.status_display}, {row.status_message!r}", flush=True)
            return seen
        time.sleep(LOOK_EVERY)


def run() -> int:
    """Run the jobs and check them; the number of checks that failed."""
    from django.contrib.auth import get_user_model

    from project import pool
    from project.accounts import NAME
    from project.examples import create_weather_job, create_weather_pool_job, create_weather_workflow

    checks = Checks()
    user = get_user_model().objects.get(username=NAME)
    job = create_weather_job("Weather demo {id}", user, pause=PAUSE)
    run_one(job, f"{job.name}: {job.command_line}", checks)
    checks.check("CPU time and memory were measured", {"cpu_seconds", "max_rss_bytes"} <= job.resources.keys())
    print()
    here = pool.describe()
    if here is None:
        print("no HTCondor pool runs here ('make services' brings one), so the analysis is not run in one")
        return checks.failed
    pool.set_up(here)
    job = create_weather_pool_job("Weather in the pool {id}", user, pause=PAUSE)
    run_one(job, f"{job.name}: {job.attributes['executable']}, in the pool at {here['address']}", checks)
    print()
    run_workflow(create_weather_workflow("Weather by years {id}", user), checks)
    return checks.failed


def run_one(job, what: str, checks: Checks) -> None:
    """Run the analysis as one job, and check its history, its results and that they were processed once."""
    from examples.weather.check import differences
    from jobs.models import JobEvent, Status
    from jobs.workspaces import workspace_path
    from project.examples import WEATHER

    table = Table()
    table.row("created", what)
    job.execute()
    table.row("run asked for", "an intent in the database")
    progress = watch(job, table)

    # Read again as any other program would.
    job.refresh_from_db()
    events = list(JobEvent.objects.filter(job=job).order_by("id"))

    print()
    csv_path = Path(WEATHER) / "seattle-weather.csv"
    statuses = [Status(code).label for code in (events[0].old_status, *(event.new_status for event in events))]
    checks.check(f"history is {' → '.join(HISTORY)}", statuses == HISTORY, " → ".join(statuses))
    checks.check("the job is Complete", job.status == "Complete", f"{job.status}: {job.status_message}")
    checks.check("exit code 0", job.exit_code == 0, job.exit_code)
    checks.check("progress rose in steps to 100 %", _rose(progress), progress)
    for line in (wrong := differences(workspace_path(job), csv_path)) or ["every figure is as computed in SQL"]:
        checks.check(line, not wrong, "differs")
    done = [
        event for event in events if (event.old_status, event.new_status) == (Status.RESULTS_READY, Status.COMPLETE)
    ]
    checks.check("results were processed exactly once", len(done) == 1 and job.tries <= 1, f"{len(done)}, {job.tries}")
    checks.check("the headline figures are on the job", *_headline(job, csv_path))
    names = {file.name for file in workspace_path(job).iterdir()}
    results = {"monthly.csv", "summary.json", "precipitation.svg"}
    checks.check("three results are in its workspace", results <= names, sorted(names))


def run_workflow(workflow, checks: Checks) -> None:
    """Run the analysis of each year as a node of a workflow, and check its table against SQL's figures."""
    import csv

    from examples.weather.check import expected
    from jobs.workspaces import workspace_path
    from project.examples import WEATHER

    nodes = workflow.nodes.count()
    table = Table()
    table.row("created", f"{workflow.name}: {nodes} nodes")
    workflow.execute()
    watch(workflow, table)
    workflow.refresh_from_db()
    states = {node.name: node.status for node in workflow.nodes.all()}
    print()
    checks.check("the workflow is Complete", workflow.status == "Complete", workflow.status_message)
    checks.check(f"all {nodes} nodes are Complete", set(states.values()) == {"Complete"}, states)
    summary = expected(Path(WEATHER) / "seattle-weather.csv")["summary"]
    path = workspace_path(workflow) / "compare" / "years.csv"
    with path.open(encoding="utf-8", newline="") if path.exists() else Path("/dev/null").open() as file:
        found = {row["year"]: (float(row["precipitation_mm"]), int(row["wet_days"])) for row in csv.DictReader(file)}
    wanted = {
        year: (precipitation, summary["wet_days_per_year"][year])
        for year, precipitation in summary["precipitation_mm_per_year"].items()
    }
    close = found.keys() == wanted.keys() and all(
        abs(found[year][0] - wanted[year][0]) < 1e-6 and found[year][1] == wanted[year][1] for year in wanted
    )
    checks.check("years.csv has the figures that SQL computes", close, found)


def _rose(progress: list[float]) -> bool:
    return len(progress) >= 4 and progress == sorted(progress) and progress[-1] == 100


def _headline(job, csv_path: Path) -> tuple[bool, object]:
    """Are the figures that the job carries those that another computation finds?"""
    from examples.weather.check import compare, expected

    figures = job.extended_properties.get("weather")
    if not figures:
        return False, f"extended_properties is {job.extended_properties}"
    should = expected(csv_path)
    summary = should["summary"]
    wanted = {name: summary[name] for name in figures if name in summary} | {
        "days": summary["days_read"],
        "months": len(should["monthly"]),
        "period": f"{summary['first_date']} to {summary['last_date']}",
        "wet_days": sum(month["wet_days"] for month in should["monthly"]),
    }
    wrong = compare(figures, wanted, "weather")
    return not wrong, "; ".join(wrong)


def main() -> int:
    import django

    django.setup()
    failed = run()
    print(f"\n{'all is as it must be' if not failed else f'{failed} checks failed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
