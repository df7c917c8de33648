"""Monthly precipitation, temperature, wet-day and dry-spell statistics of daily weather observations.

    python3 analyse.py seattle-weather.csv [--pause SECONDS]

writes `monthly.csv`, `summary.json` and `precipitation.svg` into the current folder. It needs nothing but Python's
standard library: an ordinary command that, where it runs as a job, also reports its progress.

Definitions. A wet day has at least 1.0 mm of precipitation, a dry day less (the threshold of the wet-day and dry-spell
indices of the World Meteorological Organization's expert team on climate change detection, ETCCDI). A dry spell is an
unbroken run of dry days, counted within one calendar year: a run over New Year counts in each of the two years with
the days that lie in it. A month's temperature, by which the warmest and the coldest month are found, is the middle
between its mean daily maximum and its mean daily minimum. Among equals the earliest is named.

Exit status: 0 done; 1 a result could not be written; 2 the input or an argument is wrong.
"""

import argparse
import csv
import datetime
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from observations import BadInput, Day, read_days
from plot import precipitation_svg
from progress import Progress

WET_DAY_MM = Decimal("1.0")
STEPS = 5


@dataclass(frozen=True)
class Month:
    """One row of `monthly.csv`: the fields are its columns."""

    year: int
    month: int
    days: int
    precipitation_mm: Decimal
    temp_max_mean_c: Decimal
    temp_min_mean_c: Decimal
    wet_days: int
    largest_daily_mm: Decimal

    @property
    def temp_mean_c(self) -> Decimal:
        return (self.temp_max_mean_c + self.temp_min_mean_c) / 2


def monthly_statistics(days: list[Day]) -> list[Month]:
    months = []
    for (year, month), group in groupby(days, key=lambda day: (day.date.year, day.date.month)):
        rows = list(group)
        months.append(
            Month(
                year,
                month,
                days=len(rows),
                precipitation_mm=sum(day.precipitation for day in rows),
                temp_max_mean_c=sum(day.temp_max for day in rows) / len(rows),
                temp_min_mean_c=sum(day.temp_min for day in rows) / len(rows),
                wet_days=sum(day.precipitation >= WET_DAY_MM for day in rows),
                largest_daily_mm=max(day.precipitation for day in rows),
            )
        )
    return months


def longest_dry_spells(days: list[Day]) -> dict[int, list[datetime.date]]:
    """For each calendar year the dates of its longest dry spell; none for a year without a dry day."""
    longest: dict[int, list[datetime.date]] = {}
    for year, group in groupby(days, key=lambda day: day.date.year):
        longest[year] = []
        spell: list[datetime.date] = []
        for day in group:
            spell = [*spell, day.date] if day.precipitation < WET_DAY_MM else []
            longest[year] = max(longest[year], spell, key=len)
    return longest


def summarise(days: list[Day], months: list[Month], dry_spells: dict[int, list[datetime.date]]) -> dict:
    """The headline figures, as `summary.json` holds them."""
    wettest_day = max(days, key=lambda day: day.precipitation)
    wettest = max(months, key=lambda month: month.precipitation_mm)
    warmest = max(months, key=lambda month: month.temp_mean_c)
    coldest = min(months, key=lambda month: month.temp_mean_c)
    return {
        "days_read": len(days),
        "first_date": str(days[0].date),
        "last_date": str(days[-1].date),
        "wet_day_threshold_mm": float(WET_DAY_MM),
        "precipitation_mm_per_year": {
            str(year): float(sum(month.precipitation_mm for month in months if month.year == year))
            for year in dry_spells
        },
        "wet_days_per_year": {
            str(year): sum(month.wet_days for month in months if month.year == year) for year in dry_spells
        },
        "wettest_day": {"date": str(wettest_day.date), "precipitation_mm": float(wettest_day.precipitation)},
        "wettest_month": {
            "year": wettest.year,
            "month": wettest.month,
            "precipitation_mm": float(wettest.precipitation_mm),
        },
        "warmest_month": {"year": warmest.year, "month": warmest.month, "temp_mean_c": float(warmest.temp_mean_c)},
        "coldest_month": {"year": coldest.year, "month": coldest.month, "temp_mean_c": float(coldest.temp_mean_c)},
        "longest_dry_spell_per_year": {
            str(year): {"start": str(spell[0]), "end": str(spell[-1]), "days": len(spell)} if spell else None
            for year, spell in dry_spells.items()
        },
    }


def write_monthly(months: list[Month], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Month))
        for month in months:
            # float: the shortest text that reads back as the same double, instead of a quotient's 28 decimal digits
            writer.writerow(float(value) if isinstance(value, Decimal) else value for value in asdict(month).values())


def analyse(source: Path, pause: float, progress: Progress) -> None:
    """Read `source`, write the three results into the current folder, take `pause` seconds longer than needed."""

    def step(number: int, message: str) -> None:
        progress.report(100 * number // STEPS, message)
        time.sleep(pause / STEPS)

    step(0, f"Reading {source.name}")
    days = read_days(source)
    step(1, f"{len(days):,} days, {days[0].date} to {days[-1].date}: statistics of each month")
    months = monthly_statistics(days)
    write_monthly(months, Path("monthly.csv"))
    step(2, f"{len(months)} months in monthly.csv: looking for dry spells")
    dry_spells = longest_dry_spells(days)
    step(3, "Dry spells found: headline figures")
    summary = summarise(days, months, dry_spells)
    Path("summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    step(4, "Headline figures in summary.json: drawing the plot")
    Path("precipitation.svg").write_text(precipitation_svg(months), encoding="utf-8")
    progress.report(100, "Done: monthly.csv, summary.json, precipitation.svg")


def seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(text)
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="CSV file with the columns date, precipitation, temp_max, temp_min")
    parser.add_argument(
        "--pause", type=seconds, default=0.0, metavar="SECONDS", help="take this much longer, so that one can watch"
    )
    arguments = parser.parse_args()
    try:
        analyse(arguments.source, arguments.pause, Progress(os.environ))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}. The results could not be written: make room or choose another folder.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
