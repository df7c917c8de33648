"""Results that several tests show."""

import math


def flight(count: int = 2000) -> dict:
    """A ball that is thrown, as the example function mov3d gives it."""
    times = [0.001 * number for number in range(count)]
    return {
        "r": [[0.5 + 10 * t, 0.5 + 10 * t, 0.5 + 10 * t - 4.905 * t * t] for t in times],
        "v": [[10.0, 10.0, 10 - 9.81 * t] for t in times],
        "a": [[0.0, 0.0, -9.81] for _ in times],
        "alpha": [[0.0, 0.0, -15 * math.exp(-t / 2)] for t in times],
        "w": [[0.0, 0.0, 30 * math.exp(-t / 2)] for t in times],
        "t": times,
    }
