"""How times, durations and names of things read on a page. `static/jobs/clock.js` says the same while a page stands."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from jobs import clock


def duration(length: timedelta | float | None) -> str:
    """A length of time (or a number of seconds) in its two largest units: '12 s', '4 m 05 s', '1 h 04 m', '3 d 02 h'."""
    if length is None:
        return ""
    seconds = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds < 1:
        return "< 1 s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} m {seconds % 60:02} s"
    if not days:
        return f"{hours} h {minutes % 60:02} m"
    return f"{days} d {hours % 24:02} h"


def relative(moment: datetime | None) -> str:
    """How long ago a moment was, or when it will be: '12 s ago', '3 min ago', '5 h ago', 'in 2 d', then the date."""
    if moment is None:
        return ""
    now = clock.now()
    seconds = (now - moment).total_seconds()
    for below, unit, word in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        # A clock that is a little ahead tells of what has just been.
        if -5 < seconds < below:
            return "just now" if seconds < 5 else f"{int(seconds // unit)} {word} ago"
        if 5 <= -seconds < below:
            return f"in {int(-seconds // unit)} {word}"
    local = timezone.localtime(moment)
    return date_format(local, "j M" if local.year == timezone.localtime(now).year else "j M Y")


def exact(moment: datetime | None) -> str:
    """A moment to the second, with its zone."""
    return date_format(timezone.localtime(moment), "j M Y, H:i:s T") if moment is not None else ""


def words(name: str) -> str:
    """A key of a dictionary as a person would write it: 'wet_days' → 'Wet days'."""
    text = str(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]
