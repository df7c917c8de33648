"""How times, durations and pages by key read."""

from datetime import timedelta

import pytest

from jobs import clock
from jobs.web.display import duration, exact, relative, words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "< 1 s"), (0.9, "< 1 s"), (12, "12 s"), (59.9, "59 s"), (60, "1 m 00 s"), (245, "4 m 05 s"), (3599, "59 m 59 s"),
     (3840, "1 h 04 m"), (86399, "23 h 59 m"), (86400, "1 d 00 h"), (266400, "3 d 02 h")],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (-3, "just now"),
        (0, "just now"),
        (12, "12 s ago"),
        (180, "3 min ago"),
        (5 * 3600, "5 h ago"),
        (2 * 86400, "2 d ago"),
        (-12.5, "in 12 s"),
        (-200, "in 3 min"),
        (-5.5 * 3600, "in 5 h"),
        (-2.5 * 86400, "in 2 d"),
    ],
)
def test_a_moment_is_told_by_its_distance(ago, text):
    assert relative(clock.now() - timedelta(seconds=ago)) == text


def test_a_moment_long_ago_is_told_by_its_date():
    assert relative(clock.now().replace(year=2019, month=3, day=4)) == "4 Mar 2019"


def test_the_exact_moment_names_its_zone():
    moment = clock.now().replace(year=2025, month=11, day=22, hour=12, minute=3, second=41)

    assert exact(moment) == "22 Nov 2025, 12:03:41 UTC"


def test_keys_read_as_words():
    assert words("wet_days") == "Wet days"
