"""The example jobs of a first start: one that works on real data, one that fails, one to start, one moved by hand."""

import sys

from django.conf import settings

from jobs.manager import JobManager

WEATHER = settings.BASE_DIR / "examples" / "weather"
WEATHER_FILES = ("analyse.py", "observations.py", "plot.py", "progress.py", "seattle-weather.csv")

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
    return 4
