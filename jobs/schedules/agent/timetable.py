"""When a schedule is due: `every <integer> (seconds|minutes|hours)` (seed 004), or a cron expression in a time zone.

Site and agent work with the same due times, each by itself. Moments are whole microseconds since 1970 in UTC, by the
clock of the site.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import takewhile
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

SECOND = 1_000_000
"""In microseconds."""
LONGEST = 366 * 86_400
"""Seconds between two due times of `every`."""
FORM = "every <integer> (seconds|minutes|hours)"

_EPOCH = datetime.fromtimestamp(0, UTC)
_EVERY = re.compile(r"every ([0-9]{1,9}) (seconds|minutes|hours)")
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}


class FrequencyError(ValueError):
    """A frequency or time zone that means nothing; says what would do."""


class Timetable:
    """The due times of a schedule.

    Args:
        frequency: `every 30 seconds`, or five fields of cron such as `0 3 * * 1-5`.
        zone: name of the time zone in which cron's fields are read, such as `Europe/Berlin`.
        start: due times come after this moment; those of `every` count from it.
        end: and not after this one.

    Raises:
        FrequencyError: names what is wrong with frequency or zone.
    """

    def __init__(self, frequency: str, zone: str = "UTC", start: int = 0, end: int | None = None):
        self.start, self.end = start, end
        self.period = period_of(frequency)
        self._cron = "" if self.period else _checked_cron(frequency)
        self._zone = None if self.period else zone_of(zone)

    def after(self, moment: int) -> int | None:
        """The first due time after a moment; None where there is none."""
        return next(self.walk(moment), None)

    def walk(self, moment: int) -> Iterator[int]:
        """The due times after a moment, one by one."""
        dues = self._every(moment) if self.period else self._by_cron(moment)
        return dues if self.end is None else takewhile(lambda due: due <= self.end, dues)

    def last(self, after: int, until: int, most: int) -> list[int]:
        """The due times after one moment and not after another, the last `most` of them."""
        if self.period:
            # From the end: there may be very many.
            until = until if self.end is None else min(until, self.end)
            number = (until - self.start) // self.period
            after = max(after, self.start + (number - most) * self.period)
            return list(takewhile(lambda due: due <= until, self.walk(after)))
        # From the end too: a minute's worth each, then further back, until there are enough.
        span = 60 * SECOND * most
        while True:
            begin = max(after, until - span)
            kept = list(takewhile(lambda due: due <= until, self.walk(begin)))
            if len(kept) >= most or begin == after:
                return kept[-most:]
            span *= 8

    def _every(self, moment: int) -> Iterator[int]:
        number = max(0, (moment - self.start) // self.period)
        while True:
            number += 1
            yield self.start + number * self.period

    def _by_cron(self, moment: int) -> Iterator[int]:
        begin = max(moment, self.start)
        local = datetime.fromtimestamp(begin // SECOND, self._zone)
        for due in CronSim(self._cron, local):
            if (number := int(due.timestamp()) * SECOND) > begin:
                yield number


def period_of(frequency: str) -> int | None:
    """Microseconds between two due times of `every …`; None where it is no such frequency.

    Raises:
        FrequencyError: it begins like one.
    """
    match = _EVERY.fullmatch(frequency)
    if match is None:
        if frequency.split(" ")[0].lower() == "every":
            raise FrequencyError(f"must be of the form '{FORM}', for example 'every 30 seconds'")
        return None
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= LONGEST:
        raise FrequencyError("must be at least one second and at most 366 days")
    return seconds * SECOND


def _checked_cron(text: str) -> str:
    fault = f"must be '{FORM}' or a cron expression of five fields, for example '0 3 * * 1-5'"
    if len(text.split()) != 5 or len(text) > 200:
        raise FrequencyError(fault)
    try:
        next(CronSim(text, datetime(2026, 1, 1)))  # noqa: DTZ001 whether it means anything does not depend on a zone
    except CronSimError as error:
        raise FrequencyError(f"{fault}; {text!r}: {error}") from error
    except StopIteration:
        raise FrequencyError(f"{text!r} is never due") from None
    return text


@cache
def zone_of(name: str) -> tzinfo:
    """The time zone of that name.

    Raises:
        FrequencyError: this machine knows none.
    """
    if name == "UTC":
        return UTC  # also where no table of time zones is installed
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        raise FrequencyError(
            f"{name!r} is no time zone that this machine knows; give a name such as 'Europe/Berlin' or 'UTC'"
        ) from None


def microseconds(moment: datetime) -> int:
    """An aware moment as a number."""
    # From UTC: between two moments of one zone Python reckons by the clock on the wall, also across a change of it.
    return (moment - _EPOCH) // timedelta(microseconds=1)


def execution_id(schedule: UUID, agent: UUID | None, due: int) -> UUID:
    """The id of an execution; None for the agent where the site itself starts a job."""
    return uuid5(schedule, f"{agent or ''} {due}")
