"""What a result is, and so how it is shown: a value, names with values, a table, or a plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.functions.display.arrays import Array, Series, array, series
from jobs.functions.display.plot import Chart, charts
from jobs.functions.display.tables import Table, of_columns, of_dictionaries, of_lists, of_scalars, table
from jobs.functions.display.trajectory import Trajectory, trajectory
from jobs.functions.display.values import LONGEST_TEXT, Pairs, Value, are_scalars, is_scalar, laid_out, pairs, whole

MOST_CHARTS = 12
"""Arrays beyond these are shown as values."""
PLOT_ROWS = 20
"""Rows of numbers below a plot."""
SHORTEST_LINE = 8
"""Numbers from which a list is drawn as a line."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Charts of arrays over their axis, the path in space where there is one, and the first numbers."""

    charts: tuple[Chart, ...]
    trajectory: Trajectory | None
    table: Table


@dataclass(frozen=True, slots=True)
class Display:
    """A result as its page shows it.

    Attributes:
        kind: 'value', 'pairs', 'table', 'plot' or 'json'; the attribute of that name holds it ('json' is in `value`).
        pairs: beside a table or a plot what of the result is not in it.
        is_cut: something is left out, which the whole result has.
    """

    kind: str
    value: Value | None = None
    pairs: Pairs | None = None
    table: Table | None = None
    plot: Plot | None = None

    @property
    def is_cut(self) -> bool:
        table = self.plot.table if self.plot else self.table
        cut = [self.value and self.value.note, table and table.note]
        if self.pairs:
            cut += [self.pairs.more, *(pair.value.note for pair in self.pairs.items)]
        return any(cut)


def display(result: Any, size: int | None = None) -> Display:
    """How a result is shown; what is too long for a page is cut, and its true length said.

    Args:
        result: what `json.loads` gave.
        size: bytes of the result as it is downloaded, to be said where its text is cut. Counting them takes
            longer than anything else here, so give them where they are known.
    """
    if is_scalar(result):
        return Display("value", value=whole(result, LONGEST_TEXT))
    if not result:
        what = "an empty list" if isinstance(result, list) else "an empty dictionary"
        return Display("value", value=Value(what, kind="word"))
    found = _dictionary(result) if isinstance(result, dict) else _list(result)
    return found or Display("json", value=laid_out(result, size))


def _dictionary(result: dict) -> Display | None:
    found = series(result)
    if found is not None:
        return _plot(found, result)
    if are_scalars(result.values()):
        return Display("pairs", pairs=pairs(result))
    columns = of_columns(result)
    if columns is None:
        return None
    return Display("table", table=columns[0], pairs=_rest(result, columns[1]))


def _list(result: list) -> Display | None:
    if are_scalars(result):
        line = array("value", result) if len(result) >= SHORTEST_LINE else None
        if line is None:
            return Display("table", table=of_scalars(result))
        return _plot(Series(Array("index", (range(len(result)),), True), (line,), ()), {})
    found = of_dictionaries(result) or of_lists(result)
    return Display("table", table=found) if found is not None else None


def _plot(found: Series, result: dict) -> Display:
    shown, others = found.arrays[:MOST_CHARTS], found.arrays[MOST_CHARTS:]
    left = {*found.rest, *(one.name for one in others)}
    return Display(
        "plot",
        plot=Plot(charts(found.axis, shown), trajectory(shown), _first_rows(found.axis, shown)),
        pairs=_rest(result, [name for name in result if name in left]),
    )


def _first_rows(axis: Array, arrays: Sequence[Array]) -> Table:
    names, columns = [axis.name], [axis.columns[0]]
    for one in arrays:
        names += [f"{one.name} {word}" if word else one.name for word in one.components]
        columns += one.columns
    return table(names, list(islice(zip(*columns, strict=True), PLOT_ROWS)), len(axis.columns[0]))


def _rest(result: dict, names: Sequence[str]) -> Pairs | None:
    return pairs({name: result[name] for name in names}) if names else None
