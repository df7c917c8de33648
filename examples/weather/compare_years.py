"""One table of the years that were analysed side by side: the last step.

    python3 compare_years.py 2012.json 2013.json ...

reads what `analyse.py` says of each year in its `summary.json` and writes `years.csv` into the current folder. It needs nothing
but Python's standard library.

Exit status: 0 done; 2 the input is wrong.
"""

import csv
import json
import sys
from pathlib import Path

COLUMNS = ("year", "days", "precipitation_mm", "wet_days", "warmest_month", "coldest_month")


def row_of(summary: dict) -> tuple:
    """The row of one year.

    Raises:
        ValueError: the summary is not about one year.
        KeyError: it lacks a figure.
    """
    [year] = summary["precipitation_mm_per_year"]
    return (
        int(year),
        summary["days_read"],
        summary["precipitation_mm_per_year"][year],
        summary["wet_days_per_year"][year],
        summary["warmest_month"]["month"],
        summary["coldest_month"]["month"],
    )


def main(arguments: list[str]) -> int:
    rows = []
    for name in arguments:
        try:
            rows.append(row_of(json.loads(Path(name).read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError) as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            return 2
    if not rows:
        print("usage: compare_years.py YEAR.json ...", file=sys.stderr)
        return 2
    with Path("years.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(sorted(rows))
    print(f"{len(rows)} years in years.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
