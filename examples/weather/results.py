"""What a finished weather job tells at a glance: its process_results_function."""

import csv
import json
from pathlib import Path


def headline(job) -> None:
    """Put the headline figures of a finished job into its `extended_properties["weather"]` and save it.

    Named as `examples.weather.results.headline` in `process_results_function`. Amounts are in mm, temperatures in °C.

    Args:
        job: has `workspace` (the folder of the results), `name`, `extended_properties` and `save()`.

    Raises:
        FileNotFoundError: a result is not in the workspace.
        ValueError: a result is not what analyse.py writes, or the two are not from the same run.
    """
    summary = read_result(job, "summary.json", json.load)
    months = read_result(job, "monthly.csv", lambda file: list(csv.DictReader(file)))
    try:
        days = sum(int(month["days"]) for month in months)
        figures = {
            "period": f"{summary['first_date']} to {summary['last_date']}",
            "days": summary["days_read"],
            "months": len(months),
            "wet_days": sum(int(month["wet_days"]) for month in months),
            "precipitation_mm_per_year": summary["precipitation_mm_per_year"],
            "wettest_day": summary["wettest_day"],
            "wettest_month": summary["wettest_month"],
            "warmest_month": summary["warmest_month"],
            "coldest_month": summary["coldest_month"],
            "longest_dry_spell_per_year": summary["longest_dry_spell_per_year"],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{place(job)} holds no results of analyse.py ({error!r}). Run the job again.") from error
    if days != figures["days"]:
        raise ValueError(
            f"{place(job)}: monthly.csv counts {days} days and summary.json {figures['days']}, so they are not from the "
            "same run. Run the job again."
        )
    job.extended_properties = {**(job.extended_properties or {}), "weather": figures}
    job.save()


def read_result(job, name: str, parse):
    """The parsed content of one of the job's result files."""
    path = Path(job.workspace) / name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return parse(file)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{place(job)} has no {name}. analyse.py writes it: look at the job's log, then run the job again."
        ) from None
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{place(job)}: {name} cannot be read ({error}). Run the job again.") from error


def place(job) -> str:
    return f"the workspace of job {job.name!r} ({job.workspace})"
