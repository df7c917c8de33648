"""Axes of a plot: where their ticks are, and what these say."""

import math
from dataclasses import dataclass

PLAIN = range(-3, 5)
"""Powers of ten of numbers whose ticks are written as they are; others are written as multiples of a power of ten."""
SAME = 1e-12
"""A range that is so small beside its numbers is none: a float says no more."""
OFFSET = 1e-3
"""A range that is so small beside its numbers is counted from a base, so that ticks do not repeat its digits."""
NEAR = 0.02
"""Part of its length that an axis is made longer by, if there is a tick then."""
SMALLEST = 1e-300
"""What is nearer to zero is zero."""

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick, at a fraction of the axis between 0 and 1."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis.

    Attributes:
        base, unit: a value is `(value - base) / unit` on the axis, which goes from `low` to `high` with ticks at each
            `step`.
        note: what is to be done to the labels to get the values: times a power of ten, plus 1700000000; mostly nothing.
    """

    base: float
    unit: float
    low: float
    high: float
    step: float
    ticks: tuple[Tick, ...]
    note: str

    @property
    def span(self) -> float:
        """From end to end, in units of the values."""
        return (self.high - self.low) * self.unit

    def at(self, value: float) -> float:
        """Where a value stands, as a fraction of the axis."""
        return ((value - self.base) / self.unit - self.low) / (self.high - self.low)


def scale(low: float, high: float, most: int, *, whole_steps: bool = False, step: float = 0.0) -> Scale:
    """An axis for the values from low to high.

    Args:
        low: the least value; finite, as `high` is.
        high: the greatest one, not less than `low`.
        most: steps between ticks; up to two more where it ends at ticks.
        whole_steps: it begins and ends at a tick.
        step: between ticks, in units of the values, where another axis says it.
    """
    low, high = (0.0 if abs(one) < SMALLEST else float(one) for one in (low, high))
    base = _base(low, high, step)
    power = _power(max(abs(low - base), abs(high - base)))
    unit = 1.0 if power in PLAIN else 10.0**power
    begin, end, step = (low - base) / unit, (high - base) / unit, step / unit
    if end - begin <= SAME * max(abs(begin), abs(end)):
        around = step / 2 or abs(begin) / 2 or 1.0
        begin, end = begin - around, end + around
    step = step or nice(end - begin, most)
    first, last = begin / step, end / step
    reach = 1.0 if whole_steps else NEAR * (last - first)
    first = floor if first - (floor := math.floor(first + 1e-9)) < reach else first
    last = ceiling if (ceiling := math.ceil(last - 1e-9)) - last < reach else last
    begin, end = first * step, last * step
    numbers = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)
    ticks = tuple(
        Tick(min(1.0, max(0.0, (number * step - begin) / (end - begin))), _label(number, step)) for number in numbers
    )
    return Scale(base, unit, begin, end, step, ticks, _note(base, unit))


def nice(span: float, most: int) -> float:
    """The least of 1, 2 and 5 times a power of ten that divides a span into no more than `most` steps."""
    raw = span / most
    magnitude = 10.0 ** _power(raw)
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw * (1 - 1e-9))


def _base(low: float, high: float, step: float) -> float:
    span, largest = max(high - low, step), max(abs(low), abs(high))
    if span >= OFFSET * largest:
        return 0.0
    if span <= SAME * largest:
        return low if step else 0.0
    round_number = 10.0 ** (_power(span) + 1)
    return math.floor(low / round_number) * round_number


def _power(number: float) -> int:
    return math.floor(math.log10(number)) if number else 0


def _label(number: int, step: float) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{number * step:.{decimals}f}".replace("-", MINUS)


def _note(base: float, unit: float) -> str:
    parts = []
    if unit != 1.0:
        parts.append(f"{TIMES} 10{str(_power(unit * 1.000001)).translate(_SUPERSCRIPT)}")
    if base:
        parts.append(f"{'+' if base > 0 else MINUS} {abs(base):.15g}")
    return " ".join(parts)
