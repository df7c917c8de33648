"""What callers say, taken word for word: no text for a number, no 'yes' for true, nothing that has no name here."""

from datetime import UTC, datetime, timedelta

from rest_framework import serializers

from jobs import clock
from jobs.schedules.editing import LONGEST_COMMAND, MOST_NAMED
from jobs.schedules.enrolment import MOST_TAGS
from jobs.schedules.models import Schedule
from jobs.schedules.models.schedule import LONGEST_TIMEOUT, MOST_KEPT
from jobs.serializers import StrictSerializer, StrictText

MOST_ARGUMENTS = 1000
LONGEST_DESCRIPTION = 10_000
LONGEST_TOKEN = timedelta(days=365)


class Flag(serializers.BooleanField):
    """True or false, and nothing that could mean it."""

    def to_internal_value(self, data) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


class Number(serializers.FloatField):
    """A number."""

    def to_internal_value(self, data) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(f"must be a number, not {type(data).__name__}")
        try:
            return float(data)
        except OverflowError:
            raise serializers.ValidationError("is larger than any that can be stored") from None


class WholeNumber(serializers.IntegerField):
    """A number without a fraction."""

    def to_internal_value(self, data) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(f"must be a whole number, not {type(data).__name__}")
        return data


class Moment(serializers.DateTimeField):
    """A moment in ISO 8601 that says its time zone."""

    def to_internal_value(self, value) -> datetime:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise serializers.ValidationError("must be a moment with its time zone, for example 2026-01-31T14:00:00Z")


def _raw(longest: int = LONGEST_COMMAND, **options) -> StrictText:
    """A text of which nothing is cut off: blanks are part of a command."""
    return StrictText(max_length=longest, allow_blank=True, trim_whitespace=False, **options)


def _words(about: str, most: int) -> serializers.ListField:
    return serializers.ListField(child=StrictText(max_length=100), max_length=most, required=False, help_text=about)


class ScheduleInputSerializer(StrictSerializer):
    """What can be said about a schedule."""

    name = StrictText(max_length=200, help_text="Yours for this schedule only.")
    description = StrictText(max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True)
    argv = serializers.ListField(
        child=_raw(), max_length=MOST_ARGUMENTS, required=False, help_text="The command: program and arguments."
    )
    shell = _raw(required=False, help_text="Or a line for /bin/sh -c.")
    timeout = Number(
        required=False,
        allow_null=True,
        min_value=0.1,
        max_value=LONGEST_TIMEOUT,
        help_text="Seconds after which the command is ended with all that it started; null for never.",
    )
    on_all = Flag(required=False, help_text="Runs on every agent.")
    on_names = _words("Else on agents of these names,", MOST_NAMED)
    on_tags = _words("and on those with one of these tags.", MOST_NAMED)
    job_type = StrictText(
        max_length=40, required=False, allow_blank=True, help_text="Or a job of this type is started by the site."
    )
    job_values = serializers.DictField(
        required=False, help_text="Of the job, as `/api/jobs/` takes them, without `name`."
    )
    frequency = StrictText(
        max_length=200, help_text="`every <integer> (seconds|minutes|hours)`, or five fields of cron."
    )
    zone = StrictText(max_length=60, required=False, help_text="Time zone in which cron's fields are read.")
    start = Moment(required=False, help_text="Due times come after it; left out: now.")
    end = Moment(required=False, allow_null=True)
    enabled = Flag(required=False)
    overlap = serializers.ChoiceField(
        Schedule.Overlap.choices, required=False, help_text="Where the execution before is not over."
    )
    missed = serializers.ChoiceField(
        Schedule.Missed.choices, required=False, help_text="Of due times that passed while the agent was away."
    )
    keep = WholeNumber(
        required=False, min_value=1, max_value=MOST_KEPT, help_text="Executions that are kept for each agent."
    )


class RunNowSerializer(StrictSerializer):
    """Where it is to run now."""

    agents = _words("Names of agents; left out: all that it is meant for.", MOST_NAMED)


class AgentInputSerializer(StrictSerializer):
    """What may be changed of an agent."""

    name = StrictText(max_length=100, required=False)
    tags = _words("By which schedules choose agents.", MOST_TAGS)


class EnrolTokenInputSerializer(StrictSerializer):
    """What a new agent is to be."""

    name = StrictText(max_length=100, required=False, allow_blank=True, help_text="Left out: as it calls itself.")
    tags = _words("Beside those that it says itself.", MOST_TAGS)
    expires = Moment(required=False, help_text="Left out: a day from now.")

    def validate_expires(self, moment: datetime) -> datetime:
        if not clock.now() < moment <= clock.now() + LONGEST_TOKEN:
            raise serializers.ValidationError(f"must be to come, and within {LONGEST_TOKEN.days} days")
        return moment
