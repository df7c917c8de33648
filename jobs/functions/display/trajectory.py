"""The path of something in space, looked at from above one corner; of two coordinates as a plain map."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.functions.display.arrays import Array, drawn_path, stretches
from jobs.functions.display.plot import CHARACTER, PRECISION, Label, Point, in_words, titled, trace
from jobs.functions.display.scales import Scale, scale
from jobs.functions.display.values import figure, name_of

NAMES = ("r", "position", "path", "trajectory")
"""Names of arrays that are places."""
WIDTH = 360
HIGHEST = 254
SIDE, TOP, BOTTOM = 46, 22, 36
FLATTEST = 0.05
"""Least side of a box beside its longest one, where both are drawn to one scale."""
LEAST_STEPS = {2: 5, 3: 4}
EDGES = {
    2: [((0, 0), "middle", 0.0, 1.3), ((0, 0), "end", -0.6, 0.35)],
    3: [((0, 0, 0), "end", -0.3, 1.2), ((1, 0, 0), "start", 0.3, 1.2), ((0, 0, 0), "end", -0.6, 0.35)],
}
"""For each axis, by how many there are: where its edge begins, and where the labels of its ticks are beside them."""
LETTER = 0.62
"""Width of a figure, in heights of the letters."""
SLANT_X, SLANT_Y = math.cos(math.pi / 6), math.sin(math.pi / 6)


@dataclass(frozen=True, slots=True)
class Mark:
    """The start or the end of a path."""

    word: str
    x: float
    y: float
    label: Label
    coordinates: str


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A picture of a path.

    Attributes:
        floor: the grid below the path; `axes` the lines with ticks, `shadow` what lies on the floor straight below it.
        runs: of the path, in parts of a unit.
        stems: lines from its ends down to the floor.
        note: what is to be known of its axes; mostly nothing.
    """

    name: str
    height: int
    floor: str
    axes: str
    labels: tuple[Label, ...]
    shadow: str
    stems: str
    runs: tuple[tuple[Point, ...], ...]
    start: Mark
    end: Mark
    note: str
    title: str
    description: str
    width: int = WIDTH

    @property
    def d(self) -> str:
        return trace(self.runs)


def trajectory(arrays: Sequence[Array]) -> Trajectory | None:
    """The picture of the array whose name says that it holds places; None where there is none."""
    by_name = {one.name: one for one in arrays if len(one.columns) in (2, 3)}
    found = next((by_name[name] for name in NAMES if name in by_name), None)
    if found is None:
        return None
    runs = stretches(drawn_path(found.columns), found.columns)
    return _Drawing(found, runs).picture() if runs else None


class _Drawing:
    """How a path comes to lie in a picture: a box around it, its corner at 0, its sides of the lengths `sides`."""

    def __init__(self, array: Array, runs: list[list[int]]):
        self.array, self.runs = array, runs
        kept = [at for run in runs for at in run]
        self.ranges = [[column[at] for at in kept] for column in array.columns]
        self.scales, self.sides = _box(self.ranges)
        self.to_scale = self.sides is not None
        if self.sides is None:
            self.sides = (1.0, 1.0, 0.7)[: len(self.scales)]
        outline = [self._flat(place) for place in self._outline(kept)]
        across, down = zip(*outline, strict=True)
        left, right, upper, lower = min(across), max(across), min(down), max(down)
        self.size = min((WIDTH - 2 * SIDE) / (right - left), (HIGHEST - TOP - BOTTOM) / (lower - upper))
        self.origin = (WIDTH / 2 - (left + right) / 2 * self.size, TOP - upper * self.size)
        self.height = math.ceil(TOP + BOTTOM + (lower - upper) * self.size)

    def _outline(self, kept: list[int]) -> Iterator[Sequence[float]]:
        """Places between which all of the picture is: the floor, the upright axis, and the path."""
        for at in kept:
            yield self._sized(self.fractions(at))
        for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
            yield self._sized((x, y, 0)[: len(self.sides)])
        yield self._sized((0, 0, 1)[: len(self.sides)])

    def _sized(self, fractions: Sequence[float]) -> list[float]:
        return [one * side for one, side in zip(fractions, self.sides, strict=True)]

    def _flat(self, place: Sequence[float]) -> tuple[float, float]:
        if len(place) == 2:
            return place[0], -place[1]
        x, y, z = place
        return (x + y) * SLANT_X, (x - y) * SLANT_Y - z

    def at(self, *fractions: float) -> tuple[float, float]:
        """Where a place in the box, given in fractions of its sides, is in the picture."""
        x, y = self._flat(self._sized(fractions))
        return round(self.origin[0] + x * self.size, 1), round(self.origin[1] + y * self.size, 1)

    def fractions(self, at: int) -> list[float]:
        return [one.at(column[at]) for one, column in zip(self.scales, self.array.columns, strict=True)]

    def picture(self) -> Trajectory:
        places = [[self.fractions(at) for at in run] for run in self.runs]
        first, last = self.runs[0][0], self.runs[-1][-1]
        begin, end = places[0][0], places[-1][-1]
        is_deep = len(self.scales) == 3
        axes, labels = self._axes()
        name = name_of(self.array.name)
        words = [
            in_words(word, column, found)
            for word, column, found in zip(self.array.components, self.array.columns, self.ranges, strict=True)
        ]
        start, stop = self._marks(first, last, begin, end)
        return Trajectory(
            name,
            self.height,
            self._floor(),
            axes,
            labels,
            trace([[self._point((*place[:2], 0)) for place in run] for run in places]) if is_deep else "",
            "".join(_between(self.at(*one[:2], 0), self.at(*one)) for one in (begin, end)) if is_deep else "",
            tuple(tuple(self._point(place) for place in run) for run in places),
            start,
            stop,
            "" if self.to_scale else "Each axis has a scale of its own.",
            f"Path of {name} in {'space' if is_deep else 'the plane'}",
            f"It starts at {start.coordinates} and ends at {stop.coordinates}. {' '.join(words)}",
        )

    def _point(self, fractions: Sequence[float]) -> Point:
        x, y = self.at(*fractions)
        return round(x * PRECISION), round(y * PRECISION)

    def _floor(self) -> str:
        above = (0,) * (len(self.scales) - 2)
        across, along = self.scales[:2]
        lines = [_between(self.at(tick.at, 0, *above), self.at(tick.at, 1, *above)) for tick in across.ticks]
        lines += [_between(self.at(0, tick.at, *above), self.at(1, tick.at, *above)) for tick in along.ticks]
        return "".join(lines)

    def _axes(self) -> tuple[str, tuple[Label, ...]]:
        """The edges with ticks: in space x and y along the front of the floor, z at its left corner."""
        path, labels = "", []
        for free, (corner, anchor, dx, dy) in enumerate(EDGES[len(self.scales)]):
            one = self.scales[free]
            ends = [self.at(*_along(corner, free, end)) for end in (0, 1)]
            path += _between(*ends)
            for tick in one.ticks:
                labels.append(Label(tick.label, *self.at(*_along(corner, free, tick.at)), anchor, dx, dy))
            word = titled(self.array.components[free], one.note)
            if free == len(self.scales) - 1:
                labels.append(Label(word, *ends[1], "start", -0.6, -0.9))
            else:
                longest = max(len(tick.label) for tick in one.ticks) * LETTER + 0.5
                beside = {"start": longest, "middle": 0.0, "end": -longest}[anchor]
                middle = [(first + last) / 2 for first, last in zip(*ends, strict=True)]
                labels.append(Label(word, *middle, anchor, round(dx + beside, 1), dy + 1.2))
        return path, tuple(labels)

    def _marks(self, first: int, last: int, begin: list[float], end: list[float]) -> tuple[Mark, Mark]:
        places = [self.at(*begin), self.at(*end)]
        is_left = places[0][0] <= places[1][0]
        marks = []
        for word, at, (x, y), to_left in (
            ("start", first, places[0], is_left),
            ("end", last, places[1], not is_left),
        ):
            wide = (len(word) + 1) * CHARACTER
            if (to_left and x - wide < 0) or (not to_left and x + wide > WIDTH):
                to_left = not to_left
            label = Label(word, x, y, "end" if to_left else "start", -0.7 if to_left else 0.7, -0.5)
            coordinates = ", ".join(figure(column[at]) for column in self.array.columns)
            marks.append(Mark(word, x, y, label, f"({coordinates})"))
        return marks[0], marks[1]


def _box(ranges: list[list[float]]) -> tuple[list[Scale], list[float] | None]:
    """The scale of each axis, and the sides of the box where all are drawn to one scale."""
    spans = [max(found) - min(found) for found in ranges]
    longest = max(spans)
    wanted = LEAST_STEPS[len(ranges)]
    if longest < math.inf and all(span == 0 or span >= FLATTEST * longest for span in spans):
        chief = ranges[spans.index(longest)]
        step = _step(scale(min(chief), max(chief), wanted, whole_steps=True))
        scales = [scale(min(found), max(found), wanted, whole_steps=True, step=step) for found in ranges]
        sides = [one.span for one in scales]
        if min(sides) > 0 and max(sides) < math.inf:
            return scales, [side / max(sides) for side in sides]
    return [scale(min(found), max(found), wanted, whole_steps=True) for found in ranges], None


def _step(one: Scale) -> float:
    return one.step * one.unit


def _along(corner: Sequence[float], free: int, at: float) -> list[float]:
    return [at if one == free else fixed for one, fixed in enumerate(corner)]


def _between(one: tuple[float, float], other: tuple[float, float]) -> str:
    return f"M{one[0]:g} {one[1]:g}L{other[0]:g} {other[1]:g}"
