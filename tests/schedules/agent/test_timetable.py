"""Due times: the grid of `every`, cron in time zones, and what passed in a long gap."""

import time
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from jobs.schedules.agent.timetable import SECOND, FrequencyError, Timetable, execution_id, microseconds

START = microseconds(datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC))


def local(table: Timetable, after: datetime, count: int, zone: str) -> list[str]:
    """The next due times, as clocks there show them."""
    dues = table.walk(microseconds(after))
    return [datetime.fromtimestamp(next(dues) / SECOND, ZoneInfo(zone)).strftime("%d %H:%M %z") for _ in range(count)]


@pytest.mark.parametrize(
    ("frequency", "seconds"),
    [("every 1 seconds", 1), ("every 90 seconds", 90), ("every 5 minutes", 300), ("every 36 hours", 129_600)],
)
def test_every_counts_from_the_start_to_the_microsecond(frequency, seconds):
    table = Timetable(frequency, start=START)
    assert table.after(0) == START + seconds * SECOND
    assert table.after(START) == START + seconds * SECOND
    due = START + 7 * seconds * SECOND
    assert (table.after(due - 1), table.after(due)) == (due, due + seconds * SECOND)


def test_there_is_no_due_time_after_the_end():
    table = Timetable("every 10 seconds", start=START, end=START + 30 * SECOND)
    assert [one - START for one in table.walk(0)] == [10 * SECOND, 20 * SECOND, 30 * SECOND]
    assert table.after(START + 30 * SECOND) is None
    assert table.last(0, START + 3600 * SECOND, 2) == [START + 20 * SECOND, START + 30 * SECOND]


def test_in_the_night_that_has_no_half_past_two_it_is_due_when_the_clock_has_jumped():
    table = Timetable("30 2 * * *", "Europe/Berlin")
    found = local(table, datetime(2026, 3, 28, 0, 0, tzinfo=UTC), 3, "Europe/Berlin")
    assert found == ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"]


def test_in_the_night_that_has_it_twice_it_is_due_once():
    table = Timetable("30 2 * * *", "Europe/Berlin")
    found = local(table, datetime(2026, 10, 24, 12, 0, tzinfo=UTC), 2, "Europe/Berlin")
    assert found == ["25 02:30 +0200", "26 02:30 +0100"]


def test_every_hour_of_that_night_has_one():
    table = Timetable("0 * * * *", "Europe/Berlin")
    found = local(table, datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 4, "Europe/Berlin")
    assert found == ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100", "25 04:00 +0100"]


@pytest.mark.parametrize("frequency", ["every 1 seconds", "* * * * *"])
def test_the_last_of_a_gap_of_a_year_are_found_at_once(frequency):
    table = Timetable(frequency, start=START)
    until = START + 366 * 86_400 * SECOND
    begun = time.process_time()
    dues = table.last(START, until, 100)
    assert time.process_time() - begun < 0.5
    assert len(dues) == 100
    assert dues == sorted(set(dues))
    assert dues[-1] <= until < table.after(dues[-1])
    assert table.after(dues[0]) == dues[1]


def test_the_last_of_a_gap_are_all_where_there_are_few():
    table = Timetable("0 3 * * *", start=START)
    dues = table.last(START, START + 40 * 86_400 * SECOND, 100)
    assert len(dues) == 40
    assert table.last(dues[4], dues[6], 100) == dues[5:7]
    assert table.last(START, START + 40 * 86_400 * SECOND, 3) == dues[-3:]
    assert table.last(dues[4], dues[4], 100) == []


@pytest.mark.parametrize(
    "frequency",
    [
        "every second",
        "every 0 seconds",
        "every 1 days",
        "every 99999999 hours",
        "* * * *",
        "* * * * * *",
        "0 0 30 2 *",
        "",
    ],
)
def test_what_means_nothing_is_refused(frequency):
    with pytest.raises(FrequencyError):
        Timetable(frequency)


def test_a_zone_that_nobody_knows_is_refused():
    with pytest.raises(FrequencyError, match="'Mars/Olympus' is no time zone"):
        Timetable("0 3 * * *", "Mars/Olympus")


def test_an_execution_has_the_same_id_wherever_it_is_made():
    schedule, agent = UUID(int=1), UUID(int=2)
    assert execution_id(schedule, agent, 3) == execution_id(schedule, agent, 3)
    assert (
        len({execution_id(schedule, agent, 3), execution_id(schedule, agent, 4), execution_id(schedule, None, 3)}) == 3
    )
