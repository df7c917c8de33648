"""Results that are tables: rows as dictionaries or lists, or columns by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.functions.display.values import Value, are_scalars, name_of, short

MOST_ROWS = 100
MOST_COLUMNS = 30

_MISSING, _NONE = Value(""), short(None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; one of numbers stands at the right."""

    name: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The beginning of a table.

    Attributes:
        rows: each value with its column.
        count: how many rows there are, as a person says it: '1 row', '2,000 rows'.
        note: how much of it is shown, where that is not all.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[Column, Value], ...], ...]
    count: str
    note: str


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], count: int, width: int = 0) -> Table:
    """A table of the rows that are shown.

    Args:
        names: of its columns; those beyond `MOST_COLUMNS` are left out.
        rows: the first ones; `_MISSING` where a row has no such value.
        count: how many rows there are.
        width: how many columns there are, where `names` are fewer.
    """
    width = width or len(names)
    cells = [[one if one is _MISSING else short(one) for one in row[:MOST_COLUMNS]] for row in rows]
    columns = [Column(name_of(name), _is_number(at, cells)) for at, name in enumerate(names[:MOST_COLUMNS])]
    notes = []
    if count > len(cells):
        notes.append(f"The first {len(cells):,} of {count:,} rows are shown.")
    if width > len(columns):
        notes.append(f"The first {len(columns)} of {width:,} columns are shown.")
    if any(cell.is_cut for row in cells for cell in row):
        notes.append("Long values are cut.")
    return Table(
        tuple(columns),
        tuple(tuple(zip(columns, row, strict=True)) for row in cells),
        f"{count:,} row{'' if count == 1 else 's'}",
        " ".join(notes),
    )


def of_dictionaries(result: list) -> Table | None:
    """A table of dictionaries with alike keys: at least half of the keys are in each of them."""
    if set(map(type, result)) != {dict}:
        return None
    rows = result[:MOST_ROWS]
    names = list(dict.fromkeys(name for row in rows for name in row))
    common = set(rows[0]).intersection(*rows)
    if not common or len(common) * 2 < len(names):
        return None
    return table(
        names, [[row.get(name, _MISSING) for name in names[:MOST_COLUMNS]] for row in rows], len(result), len(names)
    )


def of_lists(result: list) -> Table | None:
    """A table of lists of one length that hold plain values."""
    if set(map(type, result)) != {list} or len(set(map(len, result))) != 1 or not result[0]:
        return None
    rows, width = [row[:MOST_COLUMNS] for row in result[:MOST_ROWS]], len(result[0])
    if not all(map(are_scalars, rows)):
        return None
    return table([str(number) for number in range(1, len(rows[0]) + 1)], rows, len(result), width)


def of_columns(result: dict) -> tuple[Table, list[str]] | None:
    """A table of a dictionary's lists of one length, with the keys that are no columns; those hold plain values."""
    columns = {name: value for name, value in result.items() if isinstance(value, list) and value}
    rest = [name for name in result if name not in columns]
    if len(set(map(len, columns.values()))) != 1 or (rest and len(columns) < 2):
        return None
    if not are_scalars(result[name] for name in rest):
        return None
    shown = list(columns)[:MOST_COLUMNS]
    rows = list(islice(zip(*(columns[name] for name in shown), strict=True), MOST_ROWS))
    return table(shown, rows, len(columns[shown[0]]), len(columns)), rest


def of_scalars(result: list) -> Table:
    """A list of plain values, each with its index."""
    return table(["index", "value"], list(enumerate(result[:MOST_ROWS])), len(result))


def _is_number(at: int, rows: list[list[Value]]) -> bool:
    """Whether a column holds numbers, and nothing else where something is."""
    return {row[at].kind for row in rows if row[at] not in (_MISSING, _NONE)} == {"number"}
