"""Numeric arrays in a result: which there are, which of them is the axis, and which of their points are drawn."""

import math
import operator
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from types import NoneType

SHORTEST = 3
"""Values from which an array is drawn."""
MOST_COMPONENTS = 4
MOST_KEYS = 200
"""A dictionary of more is not looked through for arrays."""
MOST_POINTS = 400
"""Points of a line that are drawn."""
AXES = ("t", "time", "x")
"""Names of arrays that are the axis before all others."""

Column = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Array:
    """A numeric array with its columns: one, or its components. None is a gap."""

    name: str
    columns: tuple[Column, ...]
    is_flat: bool

    @property
    def components(self) -> tuple[str, ...]:
        """Names of its columns; that of the only one is empty."""
        return tuple("xyzw"[: len(self.columns)]) if len(self.columns) > 1 else ("",)


@dataclass(frozen=True, slots=True)
class Series:
    """Arrays over a common axis; `rest` are the keys of the result that are not among them."""

    axis: Array
    arrays: tuple[Array, ...]
    rest: tuple[str, ...]


def array(name: str, values: object) -> Array | None:
    """A list of numbers, or of lists of one to four numbers, as an array; None where it is something else."""
    if not isinstance(values, list) or not values:
        return None
    flat = _column(values)
    if flat is not None:
        return Array(name, (flat,), True) if any(one is not None for one in flat) else None
    if not set(map(type, values)) <= {list, NoneType}:
        return None
    widths = {len(row) for row in values if row is not None}
    width = widths.pop() if len(widths) == 1 else 0
    if not 1 <= width <= MOST_COMPONENTS:
        return None
    if None in values:
        values = [row if row is not None else [None] * width for row in values]
    columns = [_column(column) for column in zip(*values, strict=True)]
    if any(column is None for column in columns) or not any(one is not None for column in columns for one in column):
        return None
    return Array(name, tuple(columns), False)


def series(result: dict) -> Series | None:
    """Two or more arrays of one length, one of which is a strictly monotone axis; the largest such group."""
    if len(result) > MOST_KEYS:
        return None
    groups: dict[int, list[Array]] = {}
    for name, values in result.items():
        if isinstance(values, list) and len(values) >= SHORTEST and (found := array(name, values)) is not None:
            groups.setdefault(len(values), []).append(found)
    for _, group in sorted(groups.items(), key=lambda item: (-len(item[1]), -item[0])):
        axis = _axis(group) if len(group) > 1 else None
        if axis is not None:
            arrays = tuple(one for one in group if one is not axis)
            names = {one.name for one in group}
            return Series(axis, arrays, tuple(name for name in result if name not in names))
    return None


def _axis(group: list[Array]) -> Array | None:
    flat = {one.name: one for one in group if one.is_flat}
    candidates = dict.fromkeys((*(name for name in AXES if name in flat), *flat))
    return next((flat[name] for name in candidates if _is_monotone(flat[name].columns[0])), None)


def _is_monotone(values: Column) -> bool:
    if None in values:
        return False
    return any(all(map(compare, values, islice(values, 1, None))) for compare in (operator.lt, operator.gt))


def _column(values: Sequence) -> Column | None:
    """Numbers and gaps; None where there is anything else, or an integer that is too large for a float."""
    kinds = set(map(type, values))
    if not kinds <= {int, float, NoneType}:
        return None
    try:
        numbers = filter(None, values) if NoneType in kinds else values
        # NaN and infinity (JSON has neither, Python's reader takes both) show in the sum.
        if math.isfinite(sum(map(float, numbers) if int in kinds else numbers)):
            return values
    except OverflowError:
        return None
    return [one if one is not None and math.isfinite(one) else None for one in values]


def borders(axis: Column) -> list[int]:
    """Where the narrow parts of an axis begin, in each of which a line is drawn by two points; none for few points."""
    count = len(axis)
    if count <= MOST_POINTS:
        return []
    parts = MOST_POINTS // 2 - 1
    first, last = axis[0], axis[-1]
    sign = 1 if first < last else -1
    found = [1, count - 1]
    for part in range(1, parts):
        border = first * (1 - part / parts) + last * (part / parts)
        found.append(bisect_left(axis, sign * border, 1, count - 1, key=lambda one: sign * one))
    return sorted(found)


def drawn(column: Column, edges: list[int]) -> list[int]:
    """Which points of a line are drawn: all, or besides its ends the least and the greatest of each part."""
    if not edges:
        return list(range(len(column)))
    return sorted({0, len(column) - 1, *_extremes(column, edges)})


def drawn_path(columns: Sequence[Column]) -> list[int]:
    """Which points of a path are drawn: half of them what is outermost in each stretch of it, the others evenly."""
    count = len(columns[0])
    if count <= MOST_POINTS:
        return list(range(count))
    parts = MOST_POINTS // (4 * len(columns)) - 1
    edges = [count * part // parts for part in range(parts + 1)]
    chosen = {0, count - 1}
    for column in columns:
        chosen.update(_extremes(column, edges))
    spare = MOST_POINTS - len(chosen)
    if spare > 0:
        chosen.update(range(0, count, -(-count // spare)))
    return sorted(chosen)


def _extremes(column: Column, edges: list[int]) -> set[int]:
    found = set()
    gaps = None in column
    for begin, end in pairwise(edges):
        part = column[begin:end]
        if gaps:
            part = [one for one in part if one is not None]
        if part:
            found.add(column.index(min(part), begin, end))
            found.add(column.index(max(part), begin, end))
    return found


def stretches(chosen: Sequence[int], columns: Sequence[Column]) -> list[list[int]]:
    """The chosen points in runs without a gap between them."""
    gaps = sorted({at for column in columns if None in column for at, one in enumerate(column) if one is None})
    runs: list[list[int]] = []
    before = None
    for at in chosen:
        place = bisect_left(gaps, at)
        if place < len(gaps) and gaps[place] == at:
            continue
        if before is None or place != before:
            runs.append([])
        runs[-1].append(at)
        before = place
    return runs
