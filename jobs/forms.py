"""What the forms for new jobs have in common: fields of every job, files to upload, how one is made; see `JobType.form`."""

import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from jobs.errors import InvalidAttribute, JobError
from jobs.intents import want
from jobs.models import Action
from jobs.workspaces import make_workspace

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Names of variables that every shell knows (POSIX.1, 'Name')."""

LONGEST_TIMEOUT = 2_147_483_647
"""Seconds; the largest number that the column of a timeout holds in every database."""


def code_area(rows: int) -> forms.Textarea:
    """A field for what a machine reads: no spelling is checked, no letter made a capital."""
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "autocapitalize": "off"})


class SeveralFilesInput(forms.ClearableFileInput):
    """A field for any number of files."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Files to put into the workspace; its value is a list of uploaded files."""

    widget = SeveralFilesInput

    def clean(self, data, initial=None):
        """The files, each checked.

        Raises:
            ValidationError: two have the same name.
        """
        files = [super(SeveralFilesField, self).clean(file, initial) for file in data or []]
        names = [file.name for file in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise forms.ValidationError(f"Two of the files are called {twice[0]}; in the workspace there can be one.")
        return files


class VariablesField(forms.CharField):
    """Variables for a job's environment, one `NAME=value` on each line; its value is a dictionary."""

    def __init__(self, **kwargs):
        super().__init__(**{"required": False, "widget": code_area(3)} | kwargs)

    def clean(self, value) -> dict[str, str]:
        """The variables by name.

        Raises:
            ValidationError: a line is of another form; the message gives its number.
        """
        variables = {}
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not line.strip():
                continue
            name, equals, text = line.partition("=")
            if not equals or not VARIABLE.fullmatch(name.strip()):
                raise forms.ValidationError(
                    f"Line {number}: {line[:60]!r} is not of the form NAME=value (letters, digits and _ in the name)."
                )
            variables[name.strip()] = text
        return variables


def split_words(line: str) -> list[str]:
    """The words of a line as a shell would split it, without doing anything else that a shell does.

    Raises:
        ValidationError: a quotation mark is open, or it ends in a backslash.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        problem = (
            "A quotation mark is opened and not closed."
            if "quotation" in str(error)
            else "It ends in a backslash with nothing behind it."
        )
        raise forms.ValidationError(f"{problem} It was not split into words.") from error


class JobForm(forms.Form):
    """What every form for a new job asks for. Its types add their own fields, `create()` and `explain()`.

    Args:
        user: whose job it becomes.
    """

    field_of: dict[str, str] = {}
    """Where messages about attributes are shown that have no field of the same name."""
    advanced: tuple[str, ...] = ()
    """Fields that are folded away."""
    suggested_name = "job-{id}"

    name = forms.CharField(max_length=255, help_text="Yours for this job only; {id} becomes its number.")
    description = forms.CharField(required=False, max_length=2048)
    timeout = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_TIMEOUT,
        help_text="Seconds after which it is ended; empty for no limit.",
    )
    files = SeveralFilesField(required=False, help_text="Put into the job's folder, where it starts.")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["name"].initial = self.suggested_name

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("A name is one line of text.")
        return name

    def put(self, job, files: Iterable[UploadedFile], *, field: str = "files", mode: int = 0o600) -> None:
        """Write uploaded files into the job's folder; where that fails the job is deleted again.

        Args:
            job: the job that was just made.
            files: their names were reduced to the last part by Django.
            field: at which a failure is shown.
            mode: the files' permissions.

        Raises:
            InvalidAttribute: one could not be written.
        """
        try:
            for file in files:
                _write(file, make_workspace(job), mode)
        except OSError as error:
            job.delete()
            raise InvalidAttribute(
                f"{field}: could not be written into the job's folder ({error.strerror}); no job was made"
            ) from error


def start_from(request: HttpRequest, form):
    """Make the job of a form that was sent, and have it run where the button `do` says 'run'; a notice tells of it.

    Returns:
        The job; None where it cannot be made, with what is wrong at the field that it is about.
    """
    job = _created(form) if form.is_valid() else None
    if job is None:
        return None
    if request.POST.get("do", "run") == "run":
        want(job, Action.RUN, user=request.user)
        messages.success(request, f"{job.name} was made; it starts as soon as there is room.")
    else:
        messages.success(request, f"{job.name} was saved. It waits for you to run it.")
    return job


def _created(form):
    """The job, or None with what is wrong at its field: the core's messages begin with the name of an attribute."""
    try:
        return form.create()
    except JobError as error:
        fields = dict.fromkeys(form.fields) | getattr(form, "field_of", {})
        # Several messages stand in one line, each behind the name of its attribute.
        for line in re.split(f"; (?=(?:{'|'.join(map(re.escape, fields))}): )", str(error)):
            name, _, text = line.partition(": ")
            if name in fields:
                form.add_error(fields[name] or name, text)
            else:
                form.add_error(None, line)
    return None


def _write(file: UploadedFile, folder: Path, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(folder / file.name, flags, mode), "wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
