"""Cron expressions in a person's words."""

import pytest

from jobs.schedules.agent.timetable import Timetable
from jobs.schedules.pages.calendar import calendar_words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("5 * * * *", "at :05 of every hour"),
        ("0,30 * * * *", "at :00 and :30 of every hour"),
        ("0 */6 * * *", "every 6 hours at :00"),
        ("0 3 * * *", "every day at 03:00"),
        ("30 8,12,18 * * *", "every day at 08:30, 12:30 and 18:30"),
        ("0 3 * * 1-5", "from Monday to Friday at 03:00"),
        ("0 3 * * MON-fri", "from Monday to Friday at 03:00"),
        ("0 3 * * 0,3", "on Sunday and Wednesday at 03:00"),
        ("0 3 * * 7", "on Sunday at 03:00"),
        ("*/5 * * * 6", "on Saturday, every 5 minutes"),
        ("15 0 1 * *", "on day 1 of each month at 00:15"),
        ("15 0 1,15 * *", "on days 1 and 15 of each month at 00:15"),
    ],
)
def test_simple_ones_are_told_in_words(expression, words):
    assert Timetable(expression)
    assert calendar_words(expression) == words


@pytest.mark.parametrize(
    "expression",
    [
        *("*/7 * * * *", "0 */5 * * *", "0-10 3 * * *", "0 3 * 6 *", "0 3 1 * 1", "0 3 L * *", "0 3 * * 5#2"),
        *("0 3 * * 1-5/2", "1,2,3,4,5 * * * *", "0 1-4 * * *", "*/10 3 * * *"),
    ],
)
def test_what_takes_more_than_a_few_words_is_left_as_it_is(expression):
    assert Timetable(expression)
    assert calendar_words(expression) == ""
