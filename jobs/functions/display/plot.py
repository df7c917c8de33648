"""Line charts over a common axis, ready for their template: every text with its place, every line as a path."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jobs.functions.display.arrays import Array, Column, borders, drawn, stretches
from jobs.functions.display.scales import Scale, scale
from jobs.functions.display.values import figure, name_of

WIDTH = 340
HEIGHT = 214
TOP, RIGHT, BOTTOM = 16, 14, 40
CHARACTER = 7.4
"""Width of a figure of the ticks' labels."""
WIDEST_LABEL = 78
LONGEST_TITLE = 24
STEPS_ACROSS = STEPS_UP = 5
PRECISION = 10
"""Parts of a unit of the picture in which lines are drawn; the template scales them down."""

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Label:
    """A text in a picture.

    Attributes:
        anchor: what of it stands at its place.
        dx, dy: how far it is moved from there, in heights of its letters, which stay as they are when the picture grows.
    """

    text: str
    x: float
    y: float
    anchor: str = "middle"
    dx: float = 0.0
    dy: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        word: what it is called in the legend: 'x'; empty for the only one.
        style: its colour and dashes, 1 to 4.
        runs: its points, in parts of a unit; it is broken between two of them where a value is missing.
        words: its range as a sentence.
    """

    word: str
    style: int
    runs: tuple[tuple[Point, ...], ...]
    words: str

    @property
    def d(self) -> str:
        return trace(self.runs)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one array.

    Attributes:
        grid: the lines at the ticks of the values, as one path.
        base: the axis with its ticks, and the line of zero where it lies between the values.
        labels: of ticks and axes.
        title, description: what it shows, in words.
    """

    name: str
    grid: str
    base: str
    labels: tuple[Label, ...]
    lines: tuple[Line, ...]
    title: str
    description: str
    width: int = WIDTH
    height: int = HEIGHT


def charts(axis: Array, arrays: Sequence[Array]) -> tuple[Chart, ...]:
    """A chart for each array, all with the same place for their lines."""
    along = axis.columns[0]
    across = scale(min(along), max(along), STEPS_ACROSS)
    edges = borders(along)
    chosen = [[drawn(column, edges) for column in array.columns] for array in arrays]
    # The extremes of an array are among what is drawn.
    ranges = [_values(array.columns, points) for array, points in zip(arrays, chosen, strict=True)]
    scales = [scale(min(found), max(found), STEPS_UP, whole_steps=True) for found in ranges]
    longest = max(len(tick.label) for one in scales for tick in one.ticks)
    left = round(min(WIDEST_LABEL, longest * CHARACTER) + 8)
    return tuple(
        _Frame(axis, across, up, left).chart(array, points)
        for array, points, up in zip(arrays, chosen, scales, strict=True)
    )


def _values(columns: Sequence[Column], chosen: Sequence[Iterable[int]]) -> list[float]:
    found = [column[at] for column, points in zip(columns, chosen, strict=True) for at in points]
    return [value for value in found if value is not None]


class _Frame:
    """Where things are in a chart."""

    def __init__(self, axis: Array, across: Scale, up: Scale, left: int):
        self.axis, self.across, self.up, self.left = axis, across, up, left
        self.along = axis.columns[0]
        self.width, self.floor = WIDTH - left - RIGHT, HEIGHT - BOTTOM

    def x(self, fraction: float) -> float:
        return self.left + fraction * self.width

    def y(self, fraction: float) -> float:
        return self.floor - fraction * (self.floor - TOP)

    def chart(self, array: Array, chosen: list[list[int]]) -> Chart:
        lines = tuple(
            self.line(word, style, column, points)
            for style, (word, column, points) in enumerate(zip(array.components, array.columns, chosen, strict=True), 1)
        )
        name, over = name_of(array.name), name_of(self.axis.name)
        first, last = figure(self.along[0]), figure(self.along[-1])
        return Chart(
            name,
            "".join(f"M{self.left} {self.y(tick.at):.1f}h{self.width}" for tick in self.up.ticks),
            self.base(),
            tuple(self.labels()),
            lines,
            f"{name} over {over}",
            f"{over} goes from {first} to {last}. {' '.join(line.words for line in lines)}",
        )

    def base(self) -> str:
        path = f"M{self.left} {self.floor}h{self.width}"
        if 0 < self.up.at(0) < 1:
            path += f"M{self.left} {self.y(self.up.at(0)):.1f}h{self.width}"
        return path + "".join(f"M{self.x(tick.at):.1f} {self.floor}v4" for tick in self.across.ticks)

    def labels(self) -> Iterator[Label]:
        for tick in self.up.ticks:
            yield Label(tick.label, self.left, round(self.y(tick.at), 1), "end", -0.6, 0.35)
        for tick in self.across.ticks:
            # The last one does not stand out at the right.
            most = WIDTH - len(tick.label) * CHARACTER / 2
            yield Label(tick.label, round(min(self.x(tick.at), most), 1), self.floor + 4, dy=1.1)
        yield Label(titled(self.axis.name, self.across.note), self.x(0.5), self.floor + 4, dy=2.5)
        if self.up.note:
            yield Label(self.up.note, self.left, TOP, "start", dy=-0.6)

    def line(self, word: str, style: int, column: Column, chosen: list[int]) -> Line:
        runs = [tuple(self.point(self.along[at], column[at]) for at in run) for run in stretches(chosen, [column])]
        return Line(word, style, tuple(runs), in_words(word, column, _values([column], [chosen])))

    def point(self, along: float, value: float) -> Point:
        return round(self.x(self.across.at(along)) * PRECISION), round(self.y(self.up.at(value)) * PRECISION)


def in_words(word: str, column: Column, found: Sequence[float]) -> str:
    """The range of a column as a sentence; `found` holds its extremes."""
    subject = word or "It"
    if not found:
        return f"{subject} has no values."
    low, high = figure(min(found)), figure(max(found))
    missing = column.count(None)
    gaps = f", with {missing:,} of {len(column):,} values missing" if missing else ""
    return f"{subject} is always {low}{gaps}." if low == high else f"{subject} lies between {low} and {high}{gaps}."


def titled(name: str, note: str) -> str:
    """The title of an axis, short enough for its place."""
    name = name_of(name, LONGEST_TITLE)
    return f"{name} ({note})" if note else name


def trace(runs: Iterable[Sequence[Point]]) -> str:
    """Lines as a path, in steps from point to point, which is half as long as with their places; one point is a dot."""
    parts = []
    for run in runs:
        x, y = run[0]
        parts.append(f"M{x} {y}")
        steps = []
        for to_x, to_y in run[1:]:
            if (to_x, to_y) != (x, y):
                steps.append(f"{to_x - x} {to_y - y}")
                x, y = to_x, to_y
        parts.append(f"l{' '.join(steps)}" if steps else "h1")
    return "".join(parts).replace(" -", "-")
