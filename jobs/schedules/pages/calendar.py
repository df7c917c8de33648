"""A cron expression in a person's words, where they are simple; `0 3 * * 1-5` is 'from Monday to Friday at 03:00'."""

import re

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES = {name[:3].upper(): str(number) for number, name in enumerate(DAYS[:7])}
_NUMBERS = re.compile(r"[0-9]+(,[0-9]+)*")
_STEP = re.compile(r"\*/([0-9]+)")
MOST = 4
"""Of a list, beyond which the expression itself is easier to read."""


def calendar_words(expression: str) -> str:
    """What five fields of cron mean; empty where it takes more than a few words. The expression is one that is valid."""
    minute, hour, day, month, weekday = expression.split()
    days = _days(day, month, weekday)
    times = _times(minute, hour)
    if not days or not times:
        return ""
    if hour == "*" or times.startswith("every"):
        return times if days == "every day" else f"{days}, {times}"
    return f"{days} {times}"


def _times(minute: str, hour: str) -> str:
    if hour == "*":
        if minute in {"*", "*/1"}:
            return "every minute"
        # Of other steps the last one of an hour is shorter.
        if (step := _STEP.fullmatch(minute)) and 60 % int(step[1]) == 0:
            return f"every {step[1]} minutes"
        if _NUMBERS.fullmatch(minute) and minute.count(",") < MOST:
            return f"at {_listed([f':{int(one):02}' for one in minute.split(',')])} of every hour"
        return ""
    if minute.isdigit() and (step := _STEP.fullmatch(hour)) and 24 % int(step[1]) == 0 and step[1] != "1":
        return f"every {step[1]} hours at :{int(minute):02}"
    if minute.isdigit() and _NUMBERS.fullmatch(hour) and hour.count(",") < MOST:
        return f"at {_listed([f'{int(one):02}:{int(minute):02}' for one in hour.split(',')])}"
    return ""


def _days(day: str, month: str, weekday: str) -> str:
    if month != "*" or "*" not in {day, weekday}:
        return ""
    if day != "*":
        if not _NUMBERS.fullmatch(day) or day.count(",") >= MOST:
            return ""
        return f"on day{'s' if ',' in day else ''} {_listed(day.split(','))} of each month"
    if weekday == "*":
        return "every day"
    numbers = re.sub("[A-Z]{3}", lambda name: _NAMES.get(name[0], "?"), weekday.upper())
    if re.fullmatch("[0-7]-[0-7]", numbers):
        return f"from {DAYS[int(numbers[0])]} to {DAYS[int(numbers[2])]}"
    if re.fullmatch("[0-7](,[0-7])*", numbers) and numbers.count(",") < MOST:
        return f"on {_listed([DAYS[int(one)] for one in numbers.split(',')])}"
    return ""


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
