"""The form for a new FarmRun."""

import json
from collections.abc import Iterator

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from jobs.conf import conf
from jobs.errors import InvalidAttribute
from jobs.farm.access import accounts_called
from jobs.farm.models import LONGEST_LEASE, MOST_TASKS, MOST_TRIES, FarmRun
from jobs.forms import JobForm, code_area
from jobs.manager import JobManager

EXAMPLE = '{"wind": 3.5}'


class InputsField(forms.FileField):
    """A file with one JSON value on each line; its value is the file, checked, with `count`, how many there are."""

    def clean(self, data, initial=None) -> UploadedFile | None:
        """The file.

        Raises:
            ValidationError: it is too large, or a line is no JSON; the message gives its number.
        """
        file = super().clean(data, initial)
        if not file:
            return None
        if file.size > conf.UPLOAD_LIMIT:
            most = filesizeformat(conf.UPLOAD_LIMIT)
            raise forms.ValidationError(f"It has {filesizeformat(file.size)}; at most {most} are taken here.")
        file.count = 0
        for _ in values_in(file):
            file.count += 1
            if file.count > MOST_TASKS:
                raise forms.ValidationError(
                    f"It has more than {MOST_TASKS:,} lines, and a run has at most that many tasks."
                )
        return file


def values_in(file: UploadedFile) -> Iterator:
    """The JSON values of a file, read as they are asked for.

    Raises:
        ValidationError: a line is none; the message gives its number.
    """
    file.seek(0)
    empty = 0
    for number, line in enumerate(file, 1):
        if not line.strip():
            empty = empty or number
            continue
        if empty:
            raise forms.ValidationError(
                f"Line {empty} is empty. Each line is the input of one task; write null for one that has none."
            )
        yield _value(number, line)


def _value(number: int, line: bytes):
    try:
        return json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise forms.ValidationError(f"Line {number} is no text in UTF-8; save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        problem = (
            f"{error.msg}, at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        )
        raise forms.ValidationError(
            f"Line {number} is no JSON ({problem}). Write one value on each line, for example {EXAMPLE}"
        ) from error


def _refuse(word: str):
    raise ValueError(f"{word} is no number of JSON")


class PeopleField(forms.CharField):
    """Names of users, one on each line; its value is a list of users."""

    def __init__(self, **kwargs):
        super().__init__(**{"required": False, "widget": code_area(3)} | kwargs)

    def clean(self, value) -> list:
        """The users, each once.

        Raises:
            ValidationError: there is no account of that name; the message gives the line.
        """
        lines = {}
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if line.strip():
                lines.setdefault(line.strip(), number)
        people, missing = accounts_called(lines)
        if missing:
            raise forms.ValidationError(
                [
                    f"Line {number}: there is no account called {name}."
                    for name, number in lines.items()
                    if name in missing
                ]
            )
        return people


class FarmRunForm(JobForm):
    """How many tasks there are, what they start from, and who works on them under which rules."""

    suggested_name = "run-{id}"
    advanced = ("inputs", "lease_seconds", "max_tries", "participants", "timeout")
    field_order = ("name", "num_tasks", "description", *advanced)
    files = None

    num_tasks = forms.IntegerField(
        label="Tasks",
        min_value=1,
        max_value=MOST_TASKS,
        help_text=f"How many, at most {MOST_TASKS:,}; they are numbered from 0.",
        error_messages={"required": "Say how many tasks there are, or give a file with an input for each."},
    )
    inputs = InputsField(
        required=False,
        help_text=f"What each task starts from: a file with one JSON value on each line, for example {EXAMPLE}",
    )
    lease_seconds = forms.IntegerField(
        label="Lease",
        required=False,
        min_value=1,
        max_value=LONGEST_LEASE,
        help_text="Seconds after which a worker that gives no sign of life loses its tasks; empty for never.",
    )
    max_tries = forms.IntegerField(
        label="Tries",
        initial=FarmRun._meta.get_field("max_tries").default,
        min_value=1,
        max_value=MOST_TRIES,
        help_text="With a lease: how often a task is handed out before it has failed.",
    )
    participants = PeopleField(
        help_text="Others who may work on it with workers of their own: a user name on each line."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.files.get("inputs"):
            # The file says how many there are.
            self.fields["num_tasks"].required = False

    def clean(self):
        """Check that there is an input for each task."""
        cleaned = super().clean()
        file, count = cleaned.get("inputs"), cleaned.get("num_tasks")
        if file and count and file.count != count:
            self.add_error(
                "inputs",
                f"It has {file.count:,} lines for {count:,} tasks; give one for each, or leave out how many there are.",
            )
        elif file and not count:
            cleaned["num_tasks"] = file.count
        return cleaned

    def create(self) -> FarmRun:
        """Make the run, pending, with its inputs, and name who may work on it.

        Raises:
            JobError: what is wrong with it; the message begins with the attribute's name.
        """
        values = self.cleaned_data
        given = {"inputs": values_in(values["inputs"])} if values["inputs"] else {}
        try:
            with transaction.atomic():
                run = JobManager("jobs").create_job(
                    values["name"],
                    self.user,
                    FarmRun,
                    num_tasks=values["num_tasks"],
                    lease_seconds=values["lease_seconds"],
                    max_tries=values["max_tries"],
                    description=values["description"],
                    timeout=values["timeout"],
                    **given,
                )
                run.participants.set(values["participants"])
        except OSError as error:
            raise InvalidAttribute(
                f"inputs: could not be written into the run's folder ({error.strerror}); no run was made"
            ) from error
        return run

    def explain(self) -> list[tuple[str, str]]:
        """What will run, where, and as whom, as far as the form is filled in: pairs of heading and text."""
        values = getattr(self, "cleaned_data", {})
        count = values.get("num_tasks")
        if count:
            what = "1 task, number 0" if count == 1 else f"{count:,} tasks, numbered 0 to {count - 1:,}"
            what += ", each handed out to one worker."
        else:
            what = "As many tasks as you say above, each handed out to one worker."
        people = [self.user, *(values.get("participants") or ())]
        names = dict.fromkeys(person.get_username() for person in people)
        lease = values.get("lease_seconds")
        return [
            ("What", what),
            (
                "Where",
                "In workers that you start wherever they reach this site; the run's page says how. It waits for them.",
            ),
            ("As", f"Each worker logs in with a token of {' or '.join(names)}."),
            (
                "Limits",
                f"A worker that is silent for {lease:,} s loses its tasks; one that was lost {values.get('max_tries') or 3} "
                "times has failed."
                if lease
                else "None: a task stays with its worker until it is done, or restarted by you.",
            ),
        ]
