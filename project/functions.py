"""The site's example functions, those of flask-tasks; see docs/reference/flask-tasks.md."""

from examples import mov3d as flight
from jobs.functions import job_function


@job_function(public=True)
def add(x: int, y: int) -> int:
    """The sum of two whole numbers."""
    return x + y


@job_function(public=True)
def tadd(x: int, y: int) -> int:
    """The sum of two whole numbers, by its name in flask-tasks."""
    return x + y


@job_function(public=True, time_limit=60, idempotent=True)
def mov3d(dt: float, r0: list, v0: list, mass: float, radius: float, drag: bool) -> dict:
    """The flight of a sphere, with or without air, until it comes down.

    Returns `t` and, for each moment, `r`, `v`, `a`, `w` (angular velocity) and `alpha` (angular acceleration), all in SI units
    with z up; constants and bounds are in `examples/mov3d.py`.

    Args:
        dt: seconds of a step.
        r0: where it starts, [x, y, z] in metres.
        v0: how fast, [x, y, z] in metres per second.
        mass: in kilograms.
        radius: in metres.
        drag: through air, which brakes and lifts it; in a vacuum otherwise.
    """
    return flight.simulate(dt, r0, v0, mass, radius, drag)


@job_function(name="myProtectedTask")
def my_protected_task(x: int, y: int) -> int:
    """The product of two whole numbers, for those who have the right."""
    return x * y
