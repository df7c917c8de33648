"""Axes: where ticks are and what they say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.functions.display.scales import scale

numbers = st.floats(allow_nan=False, allow_infinity=False)


def labels(low, high, **how):
    return [tick.label for tick in scale(low, high, 5, **how).ticks]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3, 7, ["−2", "0", "2", "4", "6"]),  # noqa: RUF001
        (0.5, 20.5, ["5", "10", "15", "20"]),
        (0, 99_999, ["0", "20000", "40000", "60000", "80000", "100000"]),
    ],
)
def test_ticks_are_at_multiples_of_one_two_or_five(low, high, expected):
    assert labels(low, high) == expected


def test_an_axis_may_begin_and_end_at_ticks():
    found = scale(0.5, 20.5, 5, whole_steps=True)
    assert [(tick.at, tick.label) for tick in found.ticks][:: len(found.ticks) - 1] == [(0, "0"), (1, "25")]


@pytest.mark.parametrize(
    ("low", "high", "note"),
    [(0, 1, ""), (1e-9, 5e-9, "× 10⁻⁹"), (0, 3_000_000, "× 10⁶"), (1.7e9, 1.7e9 + 1, "+ 1700000000"),  # noqa: RUF001
     (-1e6, -1e6 + 1, "− 1000000"), (1.7, 1.7 + 1e-7, "× 10⁻⁷ + 1.7")],  # noqa: RUF001
)  # fmt: skip
def test_very_large_small_and_close_numbers_have_short_ticks_and_a_note(low, high, note):
    found = scale(low, high, 5)
    assert found.note == note
    assert max(len(tick.label) for tick in found.ticks) <= 4


@pytest.mark.parametrize("value", [0, 9.81, -5, 1e18, 5e-324, 1.7e308])
def test_what_is_constant_lies_in_the_middle_of_an_axis_with_ticks(value):
    found = scale(value, value, 5)
    assert found.at(value) == pytest.approx(0.5)
    assert len(found.ticks) >= 2


@given(numbers, numbers, st.booleans())
def test_any_numbers_lie_within_an_axis_whose_ticks_go_up(one, other, whole_steps):
    low, high = sorted((one, other))
    found = scale(low, high, 5, whole_steps=whole_steps)
    places = [tick.at for tick in found.ticks]
    assert 2 <= len(places) <= 8
    assert places == sorted(set(places))
    assert 0 <= places[0] < places[-1] <= 1
    assert -1e-6 <= found.at(low) <= found.at(high) <= 1 + 1e-6
    assert len({tick.label for tick in found.ticks}) == len(places)


@given(numbers, st.floats(1e-3, 1e3), st.integers(1, 5))
def test_a_step_that_another_axis_says_is_kept(value, step, count):
    found = scale(value, value, 5, whole_steps=True, step=step)
    assert found.at(value) == pytest.approx(0.5, abs=0.5)
    assert found.span > 0
    if abs(value) < 1e6:
        assert math.isclose(found.step * found.unit, step)
