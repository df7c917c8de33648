"""The flight of a sphere through air: drag, lift from its spin, the spin's slow end. SI units throughout; z is up."""

import math
from collections.abc import Sequence

GRAVITY = 9.80665
"""m/s², standard acceleration (CGPM 1901)."""
AIR_DENSITY = 1.225
"""kg/m³, ISO 2533 standard atmosphere at sea level."""
DRAG_COEFFICIENT = 0.47
"""Of a smooth sphere at Reynolds numbers from 1e3 to 2e5 (Hoerner, Fluid-Dynamic Drag, 1965)."""
LIFT_SLOPE, LIFT_START, LIFT_STEEPNESS = 1.120, 0.583, 2.333
"""Lift coefficient 1.120 S / (0.583 + 2.333 S), S being surface speed over speed: of a baseball, as in A. M. Nathan's
Trajectory Calculator; his measurements (Am. J. Phys. 76, 119, 2008) reach from S = 0.09 to 0.6."""
TORQUE_COEFFICIENT = 0.017
"""Torque over (air density / 2 · cross-section · radius · surface speed · speed), in the form that Adair gave it
(Nathan, The Effect of Spin-Down on the Flight of a Baseball, 2008). The value makes the spin of a baseball at 100 mph
fall by the factor e in 30 s, as it does in Nathan's Trajectory Calculator."""
INERTIA = 0.4
"""Moment of inertia of a solid sphere over mass · radius²."""
SPIN = 10.0
"""rad/s of backspin at the start: about the level axis across the flight, so that it lifts. What goes straight up or
down has no such axis, and no spin. Chosen: the function has no parameter for it."""

LONGEST_TIME = 60.0
"""Seconds of flight after which it is cut off."""
MOST_STEPS = 50_000
MOST_POINTS = 2_000
"""Points that are returned, evenly thinned; the first and the last are always among them."""
SMALLEST, LARGEST = 1e-12, 1e12
"""Bounds of every number that comes in, so that no product of them leaves the range of a float."""
MOST_BRAKING = 1.0
"""Most that a step times the rate at which drag brakes may be. Above 2.8 Runge-Kutta of order 4 diverges; at 1 a step
is wrong by 1 %."""
SURE_STEP = LONGEST_TIME / MOST_STEPS
"""Seconds; with this step every flight comes to its end."""

Vector = tuple[float, float, float]


def simulate(dt: float, r0: Sequence, v0: Sequence, mass: float, radius: float, drag: bool) -> dict[str, list]:
    """Follow a sphere until its centre comes down to z = 0, or for 60 s.

    Integrated by the classical Runge-Kutta method of order 4; the last step is shortened to end on the ground. What
    lies on the ground, or moves down into it, has no flight: its start is all that is returned.

    Args:
        dt: seconds of a step.
        r0: where it starts, [x, y, z] in m, z not below 0.
        v0: its velocity there, in m/s.
        mass: kg.
        radius: m.
        drag: with air (drag, lift, a torque that slows the spin), or in a vacuum.

    Returns:
        By name lists of one length, at most 2,000, evenly thinned if there are more steps: `t` in s; `r` in m, `v` in
        m/s, `a` in m/s², `w` (angular velocity) in rad/s and `alpha` (angular acceleration) in rad/s², each of
        [x, y, z]. All numbers are finite.

    Raises:
        ValueError: a value with which there is no flight, or none that could be computed; it begins with the parameter
            and says what would do.
    """
    dt, mass, radius = _above_zero("dt", dt), _above_zero("mass", mass), _above_zero("radius", radius)
    position, velocity = _vector("r0", r0), _vector("v0", v0)
    if not isinstance(drag, bool):
        raise ValueError(f"drag: must be true or false, not {_shown(drag)}")
    if position[2] < 0:
        raise ValueError(f"r0: starts at z = {position[2]:g}, below the ground; z must be at least 0")
    forces = _Forces(mass, radius, drag)
    if drag:
        _check_braking(forces, dt, math.hypot(*velocity))
    return _arrays(forces, _thinned(_flight(forces, dt, (*position, *velocity, *_backspin(velocity)))))


class _Forces:
    """What acts on the sphere. A state is position, velocity and spin: nine numbers."""

    def __init__(self, mass: float, radius: float, drag: bool):
        self.mass, self.radius = mass, radius
        self.push = AIR_DENSITY * math.pi * radius * radius / (2 * mass) if drag else 0.0

    def acceleration(self, state: Sequence[float]) -> Vector:
        """In m/s²."""
        velocity, spin = state[3:6], state[6:9]
        speed = math.hypot(*velocity)
        if not self.push or speed == 0:
            return 0.0, 0.0, -GRAVITY
        against = -self.push * DRAG_COEFFICIENT * speed
        # The lift coefficient is multiplied out, so that neither slow spin nor low speed is divided by.
        surface = self.radius * math.hypot(*spin)
        lift = self.push * LIFT_SLOPE * self.radius * speed / (LIFT_START * speed + LIFT_STEEPNESS * surface)
        across = _cross(spin, velocity)
        return (
            against * velocity[0] + lift * across[0],
            against * velocity[1] + lift * across[1],
            against * velocity[2] + lift * across[2] - GRAVITY,
        )

    def angular_acceleration(self, state: Sequence[float]) -> Vector:
        """In rad/s²."""
        slowing = self.push * TORQUE_COEFFICIENT / INERTIA * math.hypot(*state[3:6])
        return 0.0 - slowing * state[6], 0.0 - slowing * state[7], 0.0 - slowing * state[8]

    def rates(self, state: Sequence[float]) -> tuple[float, ...]:
        return (*state[3:6], *self.acceleration(state), *self.angular_acceleration(state))


def _check_braking(forces: _Forces, dt: float, speed: float) -> None:
    """Refuse, before the first step, a flight that would be braked faster than its steps can follow."""
    braking = 2 * forces.push * DRAG_COEFFICIENT  # per second, for each m/s
    terminal = math.sqrt(2 * GRAVITY / braking)
    # Lift does no work, so nothing gets faster than its start or its terminal speed. The latter counts also for a
    # flight too low to reach it, for a trial step goes on below the ground.
    fastest = max(speed, terminal)
    if dt * braking * fastest <= MOST_BRAKING:
        return
    most, now = MOST_BRAKING / SURE_STEP, MOST_BRAKING / max(dt, SURE_STEP)
    if braking * terminal > most:
        least = forces.mass * 2 * GRAVITY * braking / now**2
        raise ValueError(
            f"mass: {forces.mass:g} kg with a radius of {forces.radius:g} m are braked faster than steps can follow; "
            f"use at least {_rounded(least, up=True)} kg, a smaller radius, or no drag"
        )
    if braking * fastest > most:
        raise ValueError(
            f"v0: at {speed:g} m/s air brakes it faster than steps can follow; "
            f"use at most {_rounded(now / braking)} m/s, more mass, a smaller radius, or no drag"
        )
    limit = MOST_BRAKING / (braking * fastest)
    raise ValueError(
        f"dt: steps of {dt:g} s cannot follow how air brakes it; use at most {_rounded(limit)} s, more mass, or no drag"
    )


def _flight(forces: _Forces, dt: float, state: tuple[float, ...]) -> list[tuple[float, tuple[float, ...]]]:
    """Time and state after each step."""
    points = [(0.0, state)]
    # On the ground it takes off by its speed or, at level speed, by lift.
    if state[2] == 0 and (state[5], forces.acceleration(state)[2]) <= (0.0, 0.0):
        return points
    while points[-1][0] < LONGEST_TIME:
        if len(points) > MOST_STEPS:
            raise ValueError(
                f"dt: {MOST_STEPS} steps of {dt:g} s bring the flight to {points[-1][0]:g} s only, and it is not down; "
                f"{SURE_STEP:g} s or more always do"
            )
        time, before = points[-1]
        end = len(points) * dt
        if end > LONGEST_TIME - dt * 1e-6:  # a step that rounding left over is no step
            end = LONGEST_TIME
        state = _step(forces, before, end - time)
        if state[2] <= 0:
            step, state = _landing(forces, before, end - time)
            return [*points, (time + step, state)]
        points.append((end, state))
    return points


def _landing(forces: _Forces, before: tuple[float, ...], longest: float) -> tuple[float, tuple[float, ...]]:
    """The part of a step that ends on the ground. By halves, for a step may hold the whole flight, up and down."""
    above, below = 0.0, longest
    while above < (middle := (above + below) / 2) < below:
        if _step(forces, before, middle)[2] > 0:
            above = middle
        else:
            below = middle
    state = _step(forces, before, below)
    return below, (*state[:2], 0.0, *state[3:])


def _step(forces: _Forces, state: Sequence[float], dt: float) -> tuple[float, ...]:
    first = forces.rates(state)
    second = forces.rates(_moved(state, first, dt / 2))
    third = forces.rates(_moved(state, second, dt / 2))
    fourth = forces.rates(_moved(state, third, dt))
    slopes = zip(first, second, third, fourth, strict=True)
    return _moved(state, [(one + 2 * two + 2 * three + four) / 6 for one, two, three, four in slopes], dt)


def _moved(state: Sequence[float], rates: Sequence[float], dt: float) -> tuple[float, ...]:
    return tuple(value + rate * dt for value, rate in zip(state, rates, strict=True))


def _cross(one: Sequence[float], other: Sequence[float]) -> Vector:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def _backspin(velocity: Vector) -> Vector:
    level = math.hypot(velocity[0], velocity[1])
    return (SPIN * velocity[1] / level, 0.0 - SPIN * velocity[0] / level, 0.0) if level else (0.0, 0.0, 0.0)


def _above_zero(name: str, value) -> float:
    if not _is_number(value) or not SMALLEST <= value <= LARGEST:
        raise ValueError(f"{name}: must be a number from {SMALLEST:g} to {LARGEST:g}, not {_shown(value)}")
    return float(value)


def _vector(name: str, value: Sequence) -> Vector:
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_number, value)):
        raise ValueError(f"{name}: must be three numbers, [x, y, z], not {_shown(value)}")
    if not all(abs(one) <= LARGEST for one in value):
        raise ValueError(f"{name}: its numbers must be finite and at most {LARGEST:g}, not {_shown(value)}")
    return tuple(map(float, value))


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value) -> str:
    try:
        return repr(value)[:80]
    except ValueError:  # Python writes no int of more than 4,300 digits
        return "a number of thousands of digits"


def _rounded(value: float, up: bool = False) -> str:
    """Two digits on the safe side, so that the number given does when it is typed in."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{(math.ceil(value / unit) if up else math.floor(value / unit)) * unit:g}"


def _thinned(points: list) -> list:
    if len(points) <= MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(number * last / (MOST_POINTS - 1))] for number in range(MOST_POINTS)]


def _arrays(forces: _Forces, points: list) -> dict[str, list]:
    states = [state for _, state in points]
    return {
        "r": [list(state[0:3]) for state in states],
        "v": [list(state[3:6]) for state in states],
        "a": [list(forces.acceleration(state)) for state in states],
        "alpha": [list(forces.angular_acceleration(state)) for state in states],
        "w": [list(state[6:9]) for state in states],
        "t": [time for time, _ in points],
    }
