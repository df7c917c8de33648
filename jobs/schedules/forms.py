"""The form of a schedule: what is run, when and where, said as a person would."""

import json
import shlex
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone

from jobs import clock
from jobs.forms import code_area
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.access import shown_values
from jobs.schedules.agent.command_line import argv_or_shell
from jobs.schedules.agent.timetable import FrequencyError, Timetable, microseconds, zone_of
from jobs.schedules.models import Agent, Schedule
from jobs.schedules.pages.wording import in_its_zone, next_times, what_of, when_of, where_of
from jobs.types import JobType, job_types

UNITS = (("seconds", "seconds"), ("minutes", "minutes"), ("hours", "hours"))
ASKED_FOR = {
    "command": {"kind": "command"},
    "place": {"kind": "command"},
    "on_names": {"kind": "command", "place": "some"},
    "on_tags": {"kind": "command", "place": "some"},
    "job_type": {"kind": "job"},
    "job_values": {"kind": "job"},
    "number": {"rhythm": "every"},
    "unit": {"rhythm": "every"},
    "cron": {"rhythm": "cron"},
    "zone": {"rhythm": "cron"},
}
"""Fields that are only asked for, and shown, with these choices."""


def types_for(user) -> list[JobType]:
    """The types of which `user` may have jobs made from values."""
    return [kind for kind in job_types() if kind.serializer and kind.may_make(user)]


def may_make_schedules(user) -> bool:
    """Whether there is anything that `user` may have run again and again: a command, or a job of some type."""
    return user.has_perm(RUN_COMMANDS) or bool(types_for(user))


class WordsField(forms.CharField):
    """Words between spaces or commas; its value is a list."""

    def __init__(self, **kwargs):
        super().__init__(**{"required": False} | kwargs)

    def prepare_value(self, value):
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value):
        """The words, each once."""
        return list(dict.fromkeys(super().clean(value).replace(",", " ").split()))


class ScheduleForm(forms.Form):
    """Makes or changes a schedule; `values()` is for `jobs.schedules.editing`.

    Args:
        user: whose it is.
        by: who looks at the form.
        schedule: that is changed; None for a new one.
    """

    name = forms.CharField(max_length=200, help_text="By which you know it again.")
    kind = forms.ChoiceField(
        label="What to run",
        choices=[("command", "A command on agents"), ("job", "A job of this site")],
        widget=forms.RadioSelect,
    )
    command = forms.CharField(
        required=False,
        max_length=100_000,
        widget=code_area(2),
        help_text="As you would type it. With signs of the shell in it, such as | > $ *, the shell reads it.",
    )
    job_type = forms.ChoiceField(label="Type of job", required=False)
    job_values = forms.CharField(
        label="Its values",
        required=False,
        widget=code_area(4),
        help_text='JSON as REST takes it for a new job, without the name: {"command": ["backup", "--all"]}.',
    )
    rhythm = forms.ChoiceField(
        label="When",
        choices=[("every", "Every so often"), ("cron", "By the calendar (cron)")],
        widget=forms.RadioSelect,
        initial="every",
    )
    number = forms.IntegerField(label="Every", required=False, min_value=1, max_value=99_999_999, initial=10)
    unit = forms.ChoiceField(label="Unit", required=False, choices=UNITS, initial="minutes")
    cron = forms.CharField(
        label="Cron expression",
        required=False,
        max_length=200,
        help_text="Minute, hour, day, month, day of the week: 0 3 * * 1-5 is 3 in the morning from Monday to Friday.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )
    zone = forms.CharField(label="Time zone", required=False, max_length=60, initial="UTC")
    place = forms.ChoiceField(
        label="Where",
        choices=[("all", "On all agents, also those that come later"), ("some", "On some agents")],
        widget=forms.RadioSelect,
        initial="all",
    )
    on_names = forms.MultipleChoiceField(label="Agents", required=False, widget=forms.CheckboxSelectMultiple)
    on_tags = WordsField(label="Agents with one of these tags")
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2}))
    timeout = forms.FloatField(
        label="Time limit",
        required=False,
        min_value=0.1,
        initial=3600,
        help_text="Seconds after which the command is ended with all that it has started. Empty: never.",
    )
    overlap = forms.ChoiceField(
        label="While the run before is not over", choices=Schedule.Overlap.choices, initial=Schedule.Overlap.SKIP
    )
    missed = forms.ChoiceField(
        label="What passed while nobody was there", choices=Schedule.Missed.choices, initial=Schedule.Missed.ONCE
    )
    start = forms.DateTimeField(required=False, help_text="YYYY-MM-DD HH:MM. Empty: now.")
    end = forms.DateTimeField(required=False, help_text="After it, nothing is due. Empty: never ends.")
    keep = forms.IntegerField(
        label="Executions kept", min_value=1, max_value=10_000, initial=100, help_text="For each agent."
    )

    advanced = ("description", "timeout", "overlap", "missed", "start", "end", "keep")
    field_of = {"argv": "command", "shell": "command", "frequency": "number", "on_all": "place", "start": "start"}

    def __init__(self, *args, user, by, schedule: Schedule | None = None, **kwargs):
        self._shown = None if schedule is None else shown_values(schedule, by)
        if schedule is not None:
            kwargs.setdefault("initial", _said(schedule, self._shown))
        super().__init__(*args, label_suffix="", **kwargs)
        self.user, self.schedule = user, schedule
        types, old = types_for(user), None if schedule is None else ("job" if schedule.is_job else "command")
        may = {"command": user.has_perm(RUN_COMMANDS), "job": bool(types)}
        # What it is stays a choice, also where that is not permitted any more: nothing becomes another thing unasked.
        kinds = [(name, label) for name, label in self.fields["kind"].choices if may[name] or name == old]
        self.fields["kind"].choices = kinds
        self.fields["kind"].initial = kinds[0][0] if kinds else None
        if not may["command"]:
            self.fields["kind"].help_text = f"Commands need the permission {RUN_COMMANDS}, which {user} does not have."
        self.fields["job_type"].choices = [("", "—"), *((kind.name, kind.label) for kind in types)]
        chosen = schedule.on_names if schedule else []
        self.fields["on_names"].choices = _choices_of_agents(chosen, may_see=may["command"])
        self.fields["zone"].widget.attrs["list"] = "jd-zones"
        here = timezone.get_current_timezone_name()
        self.fields["start"].help_text = f"YYYY-MM-DD HH:MM, in {here}. Empty: now. 'Every so often' counts from it."
        self.fields["end"].help_text = f"In {here}. After it, nothing is due. Empty: never ends."

    @property
    def zones(self) -> list[str]:
        """Time zones that may be chosen."""
        return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]

    def clean_job_values(self):
        """The JSON, read."""
        text = self.cleaned_data["job_values"].strip()
        if not text:
            return {}
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(f"This is no JSON: {error}.") from error

    def clean(self):
        """Check what belongs together."""
        said = super().clean()
        # What was left in a field that is not shown any more hinders nobody, for its error would not be seen.
        for name, choices in ASKED_FOR.items():
            if name in self.errors and any(said.get(choice) != value for choice, value in choices.items()):
                del self.errors[name]
        if said.get("kind") == "command" and "command" not in self.errors:
            try:
                self._command()
            except ValueError as error:
                self.add_error("command", f"It {error}.")
        if said.get("kind") == "job" and not said.get("job_type"):
            self.add_error("job_type", "Choose a type of job.")
        if said.get("rhythm") == "every" and said.get("number") is None and "number" not in self.errors:
            self.add_error("number", "Give a whole number.")
        if said.get("rhythm") == "cron" and not said.get("cron", "").strip():
            self.add_error("cron", "Give a cron expression, for example: 0 3 * * 1-5")
        on_some = said.get("kind") == "command" and said.get("place") == "some"
        if on_some and not said.get("on_names") and not said.get("on_tags"):
            self.add_error("place", "Choose agents, or give a tag.")
        return said

    def values(self) -> dict:
        """What was said, as `create_schedule` and `change_schedule` take it; the form is valid."""
        said = self.cleaned_data
        is_job = said["kind"] == "job"
        argv, shell = ([], "") if is_job else self._command()
        chosen = not is_job and said["place"] == "some"
        values = {
            "argv": argv,
            "shell": shell,
            "job_type": said["job_type"] if is_job else "",
            "job_values": self._job_values() if is_job else {},
            "frequency": said["cron"].strip() if said["rhythm"] == "cron" else f"every {said['number']} {said['unit']}",
            "zone": self._zone(),
            "on_all": not is_job and not chosen,
            "on_names": said["on_names"] if chosen else [],
            "on_tags": said["on_tags"] if chosen else [],
            "start": self._start(),
            "end": said["end"],
        }
        return values | {name: said[name] for name in ("name", "description", "timeout", "overlap", "missed", "keep")}

    def _command(self) -> tuple[list[str], str]:
        line, old = self.cleaned_data["command"].strip(), self.schedule
        # What stands as it was read from the schedule is what the schedule has: an argument with a sign of the shell in it
        # would make it a line for the shell, which agents that allow some programs only do not run.
        if old is not None and not old.is_job and line == what_of(old).strip():
            return old.argv, old.shell
        return argv_or_shell(line)

    def _job_values(self) -> dict:
        said, old = self.cleaned_data["job_values"], self.schedule
        # Left as it was shown, it is as it was, also what was not shown.
        return old.job_values if old is not None and old.is_job and said == self._shown else said

    def _zone(self) -> str:
        if self.cleaned_data["rhythm"] == "cron":
            return self.cleaned_data["zone"].strip() or "UTC"
        try:
            # Not asked for: as it was.
            return str(zone_of(self.schedule.zone)) if self.schedule else "UTC"
        except FrequencyError:
            return "UTC"

    def _start(self):
        said, old = self.cleaned_data["start"], self.schedule
        # Due times count from it: parts of a second, which do not show, stay.
        if old is not None and said in (None, old.start.replace(microsecond=0)):
            return old.start
        return said

    def explain(self) -> list[tuple[str, str]]:
        """What will run, where, when and as whom, as far as it is known yet."""
        if (
            not self.is_bound
            or not hasattr(self, "cleaned_data")
            or self.errors.keys() & {"kind", "rhythm", "unit", "place"}
        ):
            return []
        said = self.cleaned_data
        try:
            values = self.values()
            draft = Schedule(**{**values, "start": values["start"] or clock.now()})
            Timetable(draft.frequency, draft.zone, microseconds(draft.start))
        except (KeyError, AttributeError):
            return []
        except FrequencyError as error:
            return [("When", f"{error}")]
        what = what_of(draft)
        if not draft.is_job and said.get("command"):
            what = (
                f"{what} (read by the shell)" if draft.shell else f"{what} (run as it stands: {len(draft.argv)} words)"
            )
        times = ", ".join(in_its_zone(one) for one in next_times(draft, clock.now()))
        return [
            ("What", what),
            *_where_and_as_whom(draft, self.user),
            ("When", f"{when_of(draft)}; next {times}" if times else f"{when_of(draft)}; never any more"),
        ]

    def blame(self, errors: dict[str, str]) -> None:
        """Put errors of `ScheduleInvalid` at their fields."""
        for name, text in errors.items():
            field = self.field_of.get(name, name)
            if name == "frequency" and self.cleaned_data.get("rhythm") == "cron":
                field = "cron"
            self.add_error(field if field in self.fields else None, f"{text[:1].upper()}{text[1:]}.")


def _choices_of_agents(chosen: list[str], *, may_see: bool) -> list[tuple[str, str]]:
    """The enrolled agents, and those that were chosen once: they stay chosen, also where they are gone."""
    if not may_see:
        return [(name, name) for name in chosen]
    agents = {one.name: one.name + (" (silent)" if one.is_silent else "") for one in Agent.objects.enrolled()}
    gone = {name: f"{name} (not enrolled)" for name in chosen if name not in agents}
    return [*agents.items(), *gone.items()]


def _where_and_as_whom(draft: Schedule, user) -> list[tuple[str, str]]:
    """Where it would run now, and as whom."""
    if draft.is_job:
        return [("Where", where_of(draft)), ("As", user.get_username())]
    agents = list(draft.wanted_agents())
    names = ", ".join(one.name for one in agents[:5]) + (f" and {len(agents) - 5} more" if len(agents) > 5 else "")
    accounts = sorted({one.account for one in agents if one.account})
    return [
        ("Where", f"{where_of(draft)}: now {names}" if agents else f"{where_of(draft)}: none is enrolled yet"),
        ("As", " or ".join(accounts[:5]) or "the account that the agent runs commands as"),
    ]


def _said(schedule: Schedule, job_values: dict) -> dict:
    """The form's fields of a schedule."""
    is_every = schedule.frequency.startswith("every ")
    alike = ("name", "description", "timeout", "overlap", "missed", "keep", "zone", "end")
    said = {name: getattr(schedule, name) for name in alike}
    if schedule.timeout is not None and schedule.timeout.is_integer():
        said["timeout"] = int(schedule.timeout)
    return said | {
        "kind": "job" if schedule.is_job else "command",
        "command": schedule.shell or shlex.join(schedule.argv),
        "job_type": schedule.job_type,
        "job_values": json.dumps(job_values, indent=2) if schedule.is_job else "",
        "rhythm": "every" if is_every else "cron",
        "number": int(schedule.frequency.split()[1]) if is_every else None,
        "unit": schedule.frequency.split()[2] if is_every else "minutes",
        "cron": "" if is_every else schedule.frequency,
        "place": "all" if schedule.on_all else "some",
        "on_names": schedule.on_names,
        "on_tags": schedule.on_tags,
        "start": schedule.start.replace(microsecond=0),
    }
