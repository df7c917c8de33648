"""The example jobs of a first start: two that compute, one that fails, one to start, one moved by hand."""

import sys
from collections.abc import Sequence

from django.conf import settings

from jobs.manager import JobManager

WEATHER = settings.BASE_DIR / "examples" / "weather"
WEATHER_PROGRAM = ("analyse.py", "observations.py", "plot.py", "progress.py")
WEATHER_FILES = (*WEATHER_PROGRAM, "seattle-weather.csv")
WEATHER_YEARS = (2012, 2013, 2014, 2015)

FAILING = """\
import sys
print("reading the calibration table")
print("calibration.csv: no such file. Put it beside this program, or name another with --calibration.", file=sys.stderr)
sys.exit(3)
"""
COUNTING = """\
import time
for second in range(1, 21):
    print(f"second {second} of 20")
    time.sleep(1)
"""


def create_weather_job(name: str, user, pause: float):
    """A pending job that analyses four years of Seattle's weather and puts the headline figures on itself.

    Args:
        name: of the job.
        user: whose it is.
        pause: seconds that it takes beyond what it needs, so that its progress can be watched.
    """
    return JobManager("jobs").create_job(
        name,
        user,
        "COMMAND",
        description="Monthly precipitation, temperature and dry spells from NOAA's daily observations.",
        command=[sys.executable, "-B", "analyse.py", "seattle-weather.csv", "--pause", str(pause)],
        input_files=[str(WEATHER / file) for file in WEATHER_FILES],
        process_results_function="examples.weather.results.headline",
    )


def create_weather_pool_job(name: str, user, pause: float):
    """The same analysis as a pending job for an HTCondor pool: its files travel there, its results come back.

    Args:
        name: of the job.
        user: whose it is.
        pause: seconds that it takes beyond what it needs.
    """
    return JobManager("jobs").create_job(
        name,
        user,
        "CONDOR",
        description="Monthly precipitation, temperature and dry spells from NOAA's daily observations, in the pool.",
        attributes={
            "executable": "/usr/bin/python3",
            "arguments": ["-B", "analyse.py", "seattle-weather.csv", "--pause", str(pause)],
            "request_memory": "100MB",
        },
        remote_input_files=[str(WEATHER / file) for file in WEATHER_FILES],
        process_results_function="examples.weather.results.headline",
    )


def create_weather_workflow(name: str, user):
    """The years analysed side by side, as a pending workflow for an HTCondor pool: split, four analyses, one table.

    Args:
        name: of the workflow.
        user: whose it is.
    """
    from jobs.condor.models import CondorWorkflowJobNode

    workflow = JobManager("jobs").create_job(
        name,
        user,
        "CONDORWORKFLOW",
        description="Each year of NOAA's daily observations by a node of its own, then one table of the years.",
    )

    def node(name: str, line: str, files: Sequence[str], **attributes) -> CondorWorkflowJobNode:
        commands = {"executable": "/bin/sh", "arguments": ["-ec", line], "request_memory": "100MB", **attributes}
        inputs = [str(WEATHER / file) for file in files]
        return CondorWorkflowJobNode.objects.create(
            workflow=workflow, name=name, attributes=commands, remote_input_files=inputs
        )

    split = node("split", "python3 -B split_years.py seattle-weather.csv", ["split_years.py", "seattle-weather.csv"])
    compare = node(
        "compare",
        "python3 -B compare_years.py 20??.json",
        ["compare_years.py"],
        transfer_input_files=[f"../year-{year}/{year}.json" for year in WEATHER_YEARS],
    )
    for year in WEATHER_YEARS:
        line = f"python3 -B analyse.py {year}.csv; mv summary.json {year}.json"
        analysis = node(f"year-{year}", line, WEATHER_PROGRAM, transfer_input_files=f"../split/{year}.csv")
        analysis.add_parent(split)
        compare.add_parent(analysis)
    return workflow


def create_flight_job(name: str, user):
    """A pending job that computes the flight of a ball with drag and spin, by the example function `mov3d`.

    Args:
        name: of the job.
        user: whose it is.
    """
    return JobManager("jobs").create_job(
        name,
        user,
        "FUNCTION",
        description="A ball of 0.43 kg and 11 cm radius, kicked with 25 m/s; its result is drawn.",
        function="mov3d",
        arguments={
            "dt": 0.01,
            "r0": [0.0, 0.0, 0.11],
            "v0": [18.0, 4.0, 17.0],
            "mass": 0.43,
            "radius": 0.11,
            "drag": True,
        },
    )


def create_example_jobs(user) -> int:
    """Make the example jobs, and start those that are to be seen running; returns how many there are."""
    manager = JobManager("jobs")
    survey = manager.create_job(
        "Field survey, typed in by hand",
        user,
        "BASIC",
        description="No engine runs it: app code, the REST API or its callback URL says how far it is.",
    )
    survey.execute()
    survey.update_status("RUN", message="3 of 12 sites entered; the rest follows after the field trip")
    manager.create_job(
        "Count to twenty",
        user,
        "COMMAND",
        description="Not started yet: press Run and watch its log.",
        command=[sys.executable, "-c", COUNTING],
    )
    failing = manager.create_job(
        "Calibration without its table",
        user,
        "COMMAND",
        description="Fails on purpose: its log says why.",
        command=[sys.executable, "-c", FAILING],
    )
    failing.execute()
    create_weather_job("Seattle weather 2012–2015", user, pause=6).execute()  # noqa: RUF001 - a dash for a range
    create_flight_job("Flight of a ball", user).execute()
    return 5
