"""The flight of a sphere: physics that can be checked by hand, and bounds."""

import itertools
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.mov3d import (
    AIR_DENSITY,
    DRAG_COEFFICIENT,
    GRAVITY,
    LONGEST_TIME,
    MOST_POINTS,
    MOST_STEPS,
    SPIN,
    SURE_STEP,
    simulate,
)

SEED = {"dt": 0.001, "mass": 1.0, "r0": [0.5, 0.5, 0.5], "v0": [10.0, 10.0, 10.0], "radius": 0.3, "drag": False}
"""The example of flask-tasks."""


def fly(**changes) -> dict:
    return simulate(**{**SEED, **changes})


def test_all_arrays_have_one_length():
    flight = fly()
    assert flight.keys() == {"r", "v", "a", "alpha", "w", "t"}
    lengths = {len(array) for array in flight.values()}
    assert len(lengths) == 1
    assert lengths.pop() <= MOST_POINTS
    assert all(len(one) == 3 for name in ("r", "v", "a", "alpha", "w") for one in flight[name])


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.3, 1.0, 10.0])
def test_without_air_it_flies_a_parabola_down_to_the_ground_whatever_the_step(dt):
    flight = fly(dt=dt)
    for t, (x, y, z), v in zip(flight["t"], flight["r"], flight["v"], strict=True):
        assert x == y == pytest.approx(0.5 + 10 * t)
        assert z == pytest.approx(0.5 + 10 * t - GRAVITY * t * t / 2, abs=1e-9)
        assert v == pytest.approx([10, 10, 10 - GRAVITY * t], abs=1e-9)
    lands = (10 + math.sqrt(100 + 2 * GRAVITY * 0.5)) / GRAVITY
    assert flight["t"][-1] == pytest.approx(lands, abs=1e-9)
    assert flight["r"][-1][2] == 0
    assert {tuple(a) for a in flight["a"]} == {(0.0, 0.0, -GRAVITY)}


def test_a_step_longer_than_a_flight_from_the_ground_holds_all_of_it():
    flight = fly(dt=5.0, r0=[0, 0, 0])
    assert flight["t"] == pytest.approx([0, 2 * 10 / GRAVITY])


def test_time_goes_in_steps_of_dt():
    flight = fly(dt=0.01)
    assert flight["t"][:-1] == pytest.approx([0.01 * number for number in range(len(flight["t"]) - 1)], abs=1e-12)
    assert flight["t"][-2] < flight["t"][-1] <= flight["t"][-2] + 0.01


def test_without_air_it_spins_on():
    flight = fly()
    assert len({tuple(w) for w in flight["w"]}) == 1
    assert math.hypot(*flight["w"][0]) == pytest.approx(SPIN)
    assert {tuple(alpha) for alpha in flight["alpha"]} == {(0.0, 0.0, 0.0)}


def energy(flight: dict, moment: int) -> float:
    return sum(v * v for v in flight["v"][moment]) / 2 + GRAVITY * flight["r"][moment][2]


def test_air_takes_energy_and_slows_the_spin():
    flight = fly(drag=True)
    assert all(energy(flight, n + 1) < energy(flight, n) for n in range(len(flight["t"]) - 1))
    assert math.hypot(*flight["w"][-1]) < math.hypot(*flight["w"][0])
    assert all(alpha[0] * w[0] < 0 for alpha, w in zip(flight["alpha"], flight["w"], strict=True))


def test_the_spin_of_a_baseball_at_100_mph_has_a_life_of_30_s():
    flight = fly(drag=True, mass=0.145, radius=0.0364, v0=[44.7, 0, 0])
    assert -flight["w"][0][1] / flight["alpha"][0][1] == pytest.approx(30, rel=0.02)


def test_a_long_fall_ends_at_the_terminal_velocity():
    flight = fly(drag=True, dt=0.01, r0=[0, 0, 500], v0=[0, 0, 0])
    terminal = math.sqrt(2 * GRAVITY / (AIR_DENSITY * math.pi * 0.3**2 * DRAG_COEFFICIENT))
    assert flight["r"][-1][2] == 0
    assert flight["v"][-1][2] == pytest.approx(-terminal, rel=1e-9)


def test_what_falls_straight_does_not_spin_and_keeps_to_its_line():
    flight = fly(drag=True, r0=[1, 2, 30], v0=[0, 0, 5])
    assert {tuple(w) for w in flight["w"]} == {(0.0, 0.0, 0.0)}
    assert {(x, y) for x, y, _ in flight["r"]} == {(1.0, 2.0)}


def test_backspin_lifts():
    flight = fly(drag=True, v0=[20.0, 0.0, 0.0], r0=[0, 0, 10])
    assert flight["w"][0] == [0.0, -SPIN, 0.0]
    assert flight["a"][0][2] > -GRAVITY
    assert {v[1] for v in flight["v"]} == {0.0}


@pytest.mark.parametrize("v0", [[20.0, 0.0, 5.0], [-3.0, 12.0, 8.0], [6.0, -7.0, -4.0]])
def test_drag_is_against_the_flight_and_lift_across_it_and_up(v0):
    flight = fly(drag=True, v0=v0, r0=[0, 0, 10])
    speed, (x, y, z) = math.hypot(*v0), flight["a"][0]
    air = [x, y, z + GRAVITY]
    along = sum(force * v for force, v in zip(air, v0, strict=True)) / speed
    assert along == pytest.approx(-AIR_DENSITY * math.pi * 0.3**2 * DRAG_COEFFICIENT * speed**2 / 2)
    lift = [force - along * v / speed for force, v in zip(air, v0, strict=True)]
    assert lift[2] > 0
    assert lift[0] * v0[1] == pytest.approx(lift[1] * v0[0])


def test_enough_lift_takes_it_off_the_ground():
    level = {"drag": True, "r0": [0, 0, 0], "dt": 0.01}
    assert len(fly(**level, v0=[1, 0, 0])["t"]) == 1
    assert max(z for _, _, z in fly(**level, v0=[40, 0, 0])["r"]) > 0


def test_half_the_step_makes_a_sixteenth_of_the_error():
    options = {"drag": True, "mass": 3.0, "v0": [30.0, 0.0, 12.0], "r0": [0, 0, 100]}

    def there(dt: float) -> float:
        return fly(dt=dt, **options)["r"][round(1 / dt)][0]

    exact = there(0.005)
    assert (there(0.2) - exact) / (there(0.1) - exact) == pytest.approx(16, rel=0.3)


def test_a_flight_is_cut_off_after_a_minute():
    flight = fly(dt=0.01, v0=[0, 0, 1000.0])
    assert flight["t"][-1] == LONGEST_TIME
    assert len(flight["t"]) == MOST_POINTS
    assert flight["r"][0] == SEED["r0"]


def test_what_is_left_out_of_a_long_flight_is_left_out_evenly():
    times = fly(dt=0.002, v0=[0, 0, 100.0])["t"]
    assert len(times) == MOST_POINTS
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) - min(gaps) < 1.5 * 0.002


@pytest.mark.parametrize("v0", [[0, 0, 0], [1, 1, 0], [1, 1, -3]])
@pytest.mark.parametrize("drag", [True, False])
def test_what_lies_on_the_ground_stays_there(v0, drag):
    flight = fly(r0=[1, 2, 0], v0=v0, drag=drag)
    assert (flight["r"], flight["t"]) == ([[1.0, 2.0, 0.0]], [0.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dt", 0),
        ("dt", -1.0),
        ("dt", math.nan),
        ("dt", math.inf),
        ("dt", 1e-9),
        ("dt", 10**400),
        pytest.param("dt", 10**5000, id="dt-of-5000-digits"),
        ("dt", "0.1"),
        ("mass", 0.0),
        ("mass", math.inf),
        ("mass", 1e-300),
        ("radius", -0.3),
        ("radius", True),
        ("radius", 1e-200),
        ("radius", 1e200),
        ("r0", [1, 2]),
        ("r0", [0, 0, -1]),
        ("r0", "up"),
        ("r0", [10**400, 0, 0]),
        ("r0", [True, 0, 0]),
        ("v0", [1, 2, "3"]),
        ("v0", [1, 2, math.nan]),
        ("v0", [1e200, 0, 1e200]),
        ("v0", {"x": 1, "y": 2, "z": 3}),
        ("drag", 1),
    ],
)
def test_what_makes_no_flight_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: "):
        fly(**{name: value})


def test_steps_too_short_for_the_flight_are_told_what_would_do():
    with pytest.raises(ValueError, match=rf"^dt: {MOST_STEPS} steps .*; 0\.0012 s or more always do"):
        fly(dt=1e-6)
    assert fly(dt=SURE_STEP, v0=[0, 0, 1000.0])["t"][-1] == LONGEST_TIME


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"dt": 0.5, "v0": [100.0, 0, 100.0]}, "dt"),
        ({"dt": 10.0, "r0": [0, 0, 900], "v0": [0, 0, 0]}, "dt"),
        ({"dt": 37.0, "r0": [0, 0, 0], "v0": [0, 0, 0.1]}, "dt"),
        ({"v0": [1e5, 0, 1e5]}, "v0"),
        ({"mass": 1e-6}, "mass"),
    ],
)
def test_what_air_brakes_faster_than_steps_follow_is_refused_with_a_value_that_does(changes, name):
    with pytest.raises(ValueError, match=rf"^{name}: .*use at (most|least) \S+ (s|m/s|kg),") as refused:
        fly(drag=True, **changes)
    value = float(re.search(r"use at \w+ (\S+)", str(refused.value))[1])
    works = {"dt": value, "mass": value, "v0": [value, 0, 0]}[name]
    slow = {"v0": [0.01, 0, 0]} if name == "mass" else {}
    flight = fly(**{"drag": True, **changes, **slow, name: works})
    assert all(energy(flight, n + 1) < energy(flight, n) for n in range(len(flight["t"]) - 1))


any_number = st.one_of(st.floats(1e-3, 1e3), st.floats(1e-12, 1e12), st.floats(), st.integers())
any_vector = st.one_of(
    st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0, 1e3)),
    st.tuples(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.floats(0, 1e12)),
    st.lists(any_number, min_size=3, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(
    dt=st.one_of(st.floats(0.01, 100), st.sampled_from([0.0, 1e12, 1e300])),
    r0=any_vector,
    v0=any_vector,
    mass=any_number,
    radius=any_number,
    drag=st.booleans(),
)
def test_whatever_comes_in_only_finite_numbers_come_out(dt, r0, v0, mass, radius, drag):
    try:
        flight = simulate(dt, r0, v0, mass, radius, drag)
    except ValueError as refused:
        assert re.match(r"(dt|r0|v0|mass|radius): ", str(refused))  # noqa: PT017 - both outcomes are right
        return
    assert all(math.isfinite(one) for name in ("r", "v", "a", "alpha", "w") for point in flight[name] for one in point)
    assert all(before <= after for before, after in itertools.pairwise(flight["t"]))
    assert {len(array) for array in flight.values()} == {len(flight["t"])}
    assert len(flight["t"]) <= MOST_POINTS
