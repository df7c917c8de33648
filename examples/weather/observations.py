"""Reads daily weather observations from CSV, exactly and without forgiving anything."""

import csv
import datetime
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

# Narrow enough to catch the marks for 'missing' (-9999) that weather archives use, wider than any record on earth.
PLAUSIBLE = {
    "precipitation": (0, 2000, "mm"),
    "temp_max": (-100, 70, "°C"),
    "temp_min": (-100, 70, "°C"),
}
ONE_DAY = datetime.timedelta(days=1)


class BadInput(Exception):
    """The observations cannot be used; the message names file, line and column and says what to do."""


@dataclass(frozen=True)
class Day:
    """One day's observations, exact as written: precipitation in mm, temperatures in °C."""

    date: datetime.date
    precipitation: Decimal
    temp_max: Decimal
    temp_min: Decimal


def read_days(path: Path) -> list[Day]:
    """All days of the CSV file, in order and without a gap; columns that are not needed are passed over.

    Raises:
        BadInput: the file cannot be read, has no days, or lacks a column, a value or a day.
    """
    rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    days: list[Day] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        check_header(header, path)
        for row in rows:
            if row:
                days.append(read_day(row, header, f"{path}, line {rows.line_num}", days[-1] if days else None))
    except csv.Error as error:
        raise BadInput(f"{path}, line {rows.line_num}: is not CSV ({error}). Correct its quotes.") from None
    if not days:
        raise BadInput(f"{path}, line 2, column date: no day follows the header. Add at least one.")
    return days


def read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}). Name a CSV file of daily observations.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path}, line {line}: is not UTF-8 text. Save the file as CSV in UTF-8.") from None


def check_header(header: list[str], path: Path) -> None:
    for column in ("date", *PLAUSIBLE):
        if header.count(column) != 1:
            fault = "appears twice in the header" if column in header else "is missing from the header"
            there = ", ".join(header) or "nothing"
            raise BadInput(f"{path}, line 1, column {column}: {fault} ({there}). It must be there once.")


def read_day(row: list[str], header: list[str], place: str, before: Day | None) -> Day:
    """The day that one row tells of; `place` says where the row stands, `before` is the day of the row above."""
    if len(row) != len(header):
        column = header[len(row)] if len(row) < len(header) else header[-1]
        fault = f"the row has {len(row)} values and the header {len(header)}"
        raise BadInput(f"{place}, column {column}: {fault}. Give the row one value for each column.")
    cells = dict(zip(header, row, strict=True))
    date = read_date(cells["date"], f"{place}, column date")
    if before and date != before.date + ONE_DAY:
        raise BadInput(f"{place}, column date: {order_fault(date, before.date)}")
    values = {column: read_number(cells[column], column, f"{place}, column {column}") for column in PLAUSIBLE}
    if values["temp_max"] < values["temp_min"]:
        fault = f"the day's maximum of {cells['temp_max']} °C lies below its minimum of {cells['temp_min']} °C"
        raise BadInput(f"{place}, column temp_max: {fault}. Correct one of them.")
    return Day(date, **values)


def read_date(text: str, place: str) -> datetime.date:
    try:
        if not re.fullmatch(r"[0-9]{4}([/-])[0-9]{2}\1[0-9]{2}", text):
            raise ValueError(text)
        return datetime.date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise BadInput(f"{place}: {text!r} is not a date. Write it as 2012-01-31 or 2012/01/31.") from None


def order_fault(date: datetime.date, before: datetime.date) -> str:
    if date == before:
        return f"{date} stands twice. Remove one of the two rows."
    if date < before:
        return f"{date} comes after {before}. Sort the rows by date."
    gap = f"{before + ONE_DAY} is missing"
    if (date - before).days > 2:
        gap = f"the days from {before + ONE_DAY} to {date - ONE_DAY} are missing"
    return f"{gap}: {date} follows {before}. Add what is missing, or analyse the part before or after the gap."


def read_number(text: str, column: str, place: str) -> Decimal:
    lowest, highest, unit = PLAUSIBLE[column]
    if not text.strip():
        raise BadInput(f"{place}: there is no value. Fill it in: every day needs its {column} in {unit}.")
    if not re.fullmatch(r"\s*[+-]?[0-9]+(\.[0-9]+)?\s*", text):
        raise BadInput(f"{place}: {text!r} is not a number. Write {unit} as a plain decimal number, such as 12.8.")
    number = Decimal(text)
    if not lowest <= number <= highest:
        allowed = f"between {lowest} and {highest} {unit}"
        raise BadInput(f"{place}: {text} is not {allowed}. Is it a mark for a missing value? Put in the real one.")
    return number
