"""The map of a run's tasks, ready for its template: for each state one path, a line for each row of like cells.

A line is drawn in dashes, a dash for each cell; so ten thousand cells are few elements and few bytes.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jobs.farm.pages.cells import Cells

COLUMNS = (10, 20, 50, 100, 200)
WIDE = 2
"""How many times wider than high a map is at least."""
LEVELS = 4
"""Of how much of a cell is in its state: up to a quarter, up to a half, …"""
STATES = ("waiting", "done", "computing", "failed")


@dataclass(frozen=True)
class Line:
    """The cells of one state and level as the `d` of a path, in units of a cell."""

    state: str
    level: int
    d: str


@dataclass(frozen=True)
class Count:
    """What the legend says of a state; `share` is percent of all tasks."""

    state: str
    tasks: str
    share: str


@dataclass(frozen=True)
class Map:
    """A map of `columns` times `rows` cells, each of `size` tasks."""

    columns: int
    rows: int
    size: int
    lines: list[Line]
    legend: list[Count]

    @property
    def label(self) -> str:
        """What it shows, for who does not see it."""
        words = ", ".join(f"{one.tasks} {one.state} ({one.share})" for one in self.legend)
        return f"Map of the tasks: {words}"

    @property
    def reading(self) -> str:
        """How it is read."""
        tasks = self.columns * self.size
        if self.size == 1:
            return f"A cell is a task; {tasks:,} in a row, from task 0 on." if self.rows > 1 else "A cell is a task."
        return (
            f"A cell is {self.size} tasks, {tasks:,} in a row, from task 0 on. It shows failed where any of them failed, else "
            "computing where any is being computed; the stronger, the more of them are so far."
        )


def draw(cells: Cells) -> Map:
    """The map of the cells."""
    columns = next((one for one in COLUMNS if one * one >= WIDE * len(cells)), COLUMNS[-1])
    columns = min(columns, len(cells))
    paths: dict[tuple[str, int], list[str]] = defaultdict(list)
    shown = list(_shown(cells))
    for row, first in enumerate(range(0, len(cells), columns)):
        column = 0
        for look, run in groupby(shown[first : first + columns]):
            length = len(list(run))
            paths[look].append(f"M{column} {row}h{length}")
            column += length
    lines = [
        Line(*look, "".join(paths[look])) for look in sorted(paths, key=lambda look: (STATES.index(look[0]), look[1]))
    ]
    return Map(columns, -(-len(cells) // columns), cells.size, lines, _legend(cells))


def _shown(cells: Cells) -> Iterator[tuple[str, int]]:
    """State and level of each cell: the worst of its tasks, or the one that is the farthest."""
    whole = cells.size
    last = len(cells) - 1
    for number, (computing, done, failed) in enumerate(zip(cells.computing, cells.done, cells.failed, strict=True)):
        if number == last:
            whole = cells.tasks_of(number)
        if failed:
            yield "failed", _level(failed, whole)
        elif computing:
            yield "computing", _level(computing + done, whole)
        elif done:
            yield "done", _level(done, whole)
        else:
            yield "waiting", LEVELS


def _level(part: int, whole: int) -> int:
    return -(-part * LEVELS // whole)


def _legend(cells: Cells) -> list[Count]:
    return [Count(state, f"{count:,}", _percent(count, cells.num_tasks)) for state, count in cells.totals.items()]


def _percent(count: int, whole: int) -> str:
    """A share that is neither said to be nothing nor all where it is not."""
    share = count * 100 / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f}".removesuffix(".0") + " %"
