"""What a schedule runs, where and when, in a person's words."""

import json
import shlex
from datetime import datetime

from jobs.schedules.access import shown_values
from jobs.schedules.agent.timetable import FrequencyError, microseconds, zone_of
from jobs.schedules.due import moment_of
from jobs.schedules.models import Schedule
from jobs.schedules.pages.calendar import calendar_words
from jobs.types import get_type


def what_of(schedule: Schedule) -> str:
    """The command as one would type it, or the type of job."""
    if schedule.is_job:
        return f"{_label(schedule.job_type)} job"
    return schedule.shell or shlex.join(schedule.argv)


def details_of(schedule: Schedule, user) -> str:
    """The whole of what it runs, as far as `user` may see it: the command, or the values of its jobs."""
    if not schedule.is_job:
        return what_of(schedule)
    return json.dumps(shown_values(schedule, user), indent=2, ensure_ascii=False)


def where_of(schedule: Schedule) -> str:
    """The agents that it is meant for."""
    if schedule.is_job:
        return "on this site"
    if schedule.on_all:
        return "on all agents"
    parts = [", ".join(schedule.on_names)] if schedule.on_names else []
    parts += [f"agents tagged {' or '.join(schedule.on_tags)}"] if schedule.on_tags else []
    return f"on {' and '.join(parts)}"


def when_of(schedule: Schedule) -> str:
    """How often it is due, with the zone where that matters."""
    if schedule.frequency.startswith("every "):
        number, unit = schedule.frequency.split()[1:]
        return f"every {unit.removesuffix('s')}" if number == "1" else schedule.frequency
    return f"{calendar_words(schedule.frequency) or schedule.frequency} ({schedule.zone})"


def next_times(schedule: Schedule, after: datetime, count: int = 3) -> list[datetime]:
    """The next due times after a moment, in the schedule's zone; none where its frequency means nothing here."""
    try:
        walk, zone = (
            schedule.timetable.walk(max(microseconds(after), microseconds(schedule.start))),
            zone_of(schedule.zone),
        )
    except FrequencyError:
        return []
    return [moment_of(due).astimezone(zone) for due, _ in zip(walk, range(count), strict=False)]


def in_its_zone(moment: datetime) -> str:
    """A moment to the second, by the clocks of the zone that it is in: 'Mon 30 Nov 03:00:00 CET'."""
    return f"{moment:%a} {moment.day} {moment:%b %H:%M:%S %Z}"


def _label(name: str) -> str:
    try:
        return get_type(name).label
    except ValueError:
        return name
