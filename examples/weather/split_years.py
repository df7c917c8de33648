"""One file of observations for each year: the first step where the years are analysed side by side.

    python3 split_years.py seattle-weather.csv

writes `<year>.csv` for each year that the file has into the current folder, each with the file's own heading line. It needs
nothing but Python's standard library.

Exit status: 0 done; 2 the input is wrong.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path


def split(lines: Iterable[str]) -> dict[str, list[list[str]]]:
    """The rows of each year, the heading row first.

    Raises:
        ValueError: there is no column `date`, or a date does not begin with a year.
    """
    rows = csv.reader(lines)
    heading = next(rows, [])
    if "date" not in heading:
        raise ValueError(f"there is no column 'date' among {heading}")
    place = heading.index("date")
    years: dict[str, list[list[str]]] = {}
    for number, row in enumerate(rows, 2):
        year = row[place][:4] if len(row) > place else ""
        if not year.isdigit():
            raise ValueError(f"line {number}: no date that begins with a year")
        years.setdefault(year, [heading]).append(row)
    return years


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: split_years.py FILE.csv", file=sys.stderr)
        return 2
    try:
        with Path(arguments[0]).open(encoding="utf-8", newline="") as file:
            years = split(file)
    except (OSError, ValueError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    for year, rows in years.items():
        with Path(f"{year}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        print(f"{year}: {len(rows) - 1} days")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
