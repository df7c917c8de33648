"""Computes the figures of `analyse.py` a second way, in SQL, and says where a folder's results differ.

    python -m examples.weather.check FOLDER [seattle-weather.csv]

shares no code with the analysis: amounts become whole thousandths in an SQLite table, so that sums are exact; groups,
extremes and dry spells (gaps and islands) are queries.
"""

import argparse
import csv
import json
import math
import sqlite3
import sys
from pathlib import Path

OBSERVATIONS = Path(__file__).parent / "seattle-weather.csv"
TOLERANCE = 1e-9  # relative: the two ways differ by the rounding of doubles at most

MEASURED = ("precipitation", "temp_max", "temp_min")
TABLE = """
CREATE TABLE day (
    date TEXT PRIMARY KEY,                                        -- 2012-01-31
    year INTEGER GENERATED ALWAYS AS (CAST(substr(date, 1, 4) AS INTEGER)),
    month INTEGER GENERATED ALWAYS AS (CAST(substr(date, 6, 2) AS INTEGER)),
    rain INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,  -- thousandths of mm and degrees Celsius
    wet INTEGER GENERATED ALWAYS AS (rain >= 1000)
)
"""
MONTHS = """
CREATE VIEW monthly AS
SELECT year, month, count(*) AS days, sum(rain) / 1000.0 AS precipitation_mm,
       sum(high) / (1000.0 * count(*)) AS temp_max_mean_c, sum(low) / (1000.0 * count(*)) AS temp_min_mean_c,
       sum(wet) AS wet_days, max(rain) / 1000.0 AS largest_daily_mm,
       sum(high + low) / (2000.0 * count(*)) AS temp_mean_c
FROM day GROUP BY year, month
"""
YEARS = "SELECT year, sum(rain) / 1000.0 AS rain, sum(wet) AS wet FROM day GROUP BY year ORDER BY year"
WETTEST_DAY = "SELECT date, rain / 1000.0 AS precipitation_mm FROM day ORDER BY rain DESC, date LIMIT 1"
# Within an unbroken run of dry days, the day number less the rank among the year's dry days stays the same.
DRY_SPELLS = """
WITH dry AS (
    SELECT year, date, julianday(date) - row_number() OVER (PARTITION BY year ORDER BY date) AS island
    FROM day WHERE NOT wet
), spell AS (
    SELECT year, min(date) AS start, max(date) AS end, count(*) AS days FROM dry GROUP BY year, island
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY year ORDER BY days DESC, start) AS place FROM spell
)
SELECT year, start, end, days FROM ranked WHERE place = 1
"""


def load(csv_path: Path) -> sqlite3.Connection:
    """An in-memory database with one row a day."""
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.execute(TABLE)
    database.execute(MONTHS)
    with Path(csv_path).open(encoding="utf-8-sig", newline="") as file:
        rows = [
            (row["date"].replace("/", "-"), *(round(float(row[name]) * 1000) for name in MEASURED))
            for row in csv.DictReader(file)
        ]
    database.executemany("INSERT INTO day (date, rain, high, low) VALUES (?, ?, ?, ?)", rows)
    return database


def expected(csv_path: Path | str) -> dict:
    """What the analysis of `csv_path` must give.

    Returns:
        `{"monthly": [one dict a row of monthly.csv, …], "summary": what summary.json holds}`.

    Raises:
        OSError, KeyError, ValueError, sqlite3.Error: the observations are not those of `analyse.py`'s good input.
    """
    database = load(Path(csv_path))

    def rows(query: str) -> list[dict]:
        return [dict(row) for row in database.execute(query)]

    def first_month(order: str, figure: str) -> dict:
        return rows(f"SELECT year, month, {figure} FROM monthly ORDER BY {order}, year, month LIMIT 1")[0]  # noqa: S608

    try:
        monthly = rows("SELECT * FROM monthly ORDER BY year, month")
        for month in monthly:
            del month["temp_mean_c"]
        years = rows(YEARS)
        spells = {spell.pop("year"): spell for spell in rows(DRY_SPELLS)}
        summary = {
            **rows("SELECT count(*) AS days_read, min(date) AS first_date, max(date) AS last_date FROM day")[0],
            "wet_day_threshold_mm": 1.0,
            "precipitation_mm_per_year": {str(row["year"]): row["rain"] for row in years},
            "wet_days_per_year": {str(row["year"]): row["wet"] for row in years},
            "wettest_day": rows(WETTEST_DAY)[0],
            "wettest_month": first_month("precipitation_mm DESC", "precipitation_mm"),
            "warmest_month": first_month("temp_mean_c DESC", "temp_mean_c"),
            "coldest_month": first_month("temp_mean_c", "temp_mean_c"),
            "longest_dry_spell_per_year": {str(row["year"]): spells.get(row["year"]) for row in years},
        }
    finally:
        database.close()
    return {"monthly": monthly, "summary": summary}


def differences(job_workspace: Path | str, csv_path: Path | str = OBSERVATIONS) -> list[str]:
    """Where `monthly.csv` and `summary.json` in a job's workspace are not what `expected` says; empty if all is well.

    A file that is missing or cannot be read is a difference too.
    """
    should = expected(csv_path)
    found = []
    readers = {"monthly.csv": (read_monthly, "monthly"), "summary.json": (read_summary, "summary")}
    for name, (read, key) in readers.items():
        try:
            results = read(Path(job_workspace) / name)
        except FileNotFoundError:
            found.append(f"{name}: is missing")
        except (OSError, ValueError, csv.Error) as error:
            found.append(f"{name}: cannot be read ({error})")
        else:
            found.extend(compare(results, should[key], name))
    return found


def read_monthly(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    return [dict(zip(header, map(number, row), strict=True)) for row in rows]


def number(cell: str) -> int | float | str:
    """A cell as its column's type: a count stays whole, and what is no number stays text, to be shown as different."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def read_summary(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def compare(found, should, where: str) -> list[str]:
    """The differences between two structures of dicts, lists, numbers and texts; `where` leads to the place."""
    if isinstance(should, dict) and isinstance(found, dict):
        lines = [f"{where}: {key} is missing" for key in should if key not in found]
        lines += [f"{where}: {key} should not be there" for key in found if key not in should]
        return lines + [
            line for key in should if key in found for line in compare(found[key], should[key], f"{where}: {key}")
        ]
    if isinstance(should, list) and isinstance(found, list):
        lines = [f"{where}: {len(found)} rows instead of {len(should)}"] if len(found) != len(should) else []
        for place, (one, other) in enumerate(zip(found, should, strict=False), start=1):
            lines += compare(one, other, f"{where}: row {place}")
        return lines
    if is_number(should) and is_number(found):
        # near 0 a relative limit asks for more digits than sums of temperatures of both signs have
        same = math.isclose(found, should, rel_tol=TOLERANCE, abs_tol=1e-12)
    else:
        same = type(found) is type(should) and found == should
    return [] if same else [f"{where}: {found!r} instead of {should!r}"]


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare a job's results with figures computed another way.")
    parser.add_argument("folder", type=Path, help="the job's workspace, with monthly.csv and summary.json")
    parser.add_argument("observations", type=Path, nargs="?", default=OBSERVATIONS, help="the CSV file it analysed")
    options = parser.parse_args(arguments)
    if not options.observations.is_file():
        parser.error(f"{options.observations} is not a file: name the CSV file that the job analysed")
    found = differences(options.folder, options.observations)
    for line in found:
        print(line)
    if found:
        return 1
    months = len(expected(options.observations)["monthly"])
    print(f"{options.folder}: {months} months and the summary are as computed from {options.observations.name} in SQL")
    return 0


if __name__ == "__main__":
    sys.exit(main())
