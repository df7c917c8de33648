"""The form for a new CommandJob."""

import os
import pwd
import re
import shlex
from pathlib import Path

from django import forms

from jobs.errors import InvalidAttribute
from jobs.identity import HOST
from jobs.local.models import CommandJob
from jobs.manager import JobManager
from jobs.workspaces import make_workspace

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Names of variables that every shell knows (POSIX.1, 'Name')."""


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


class CommandJobForm(forms.Form):
    """A command, its surroundings and its files.

    Args:
        user: whose job it becomes.
    """

    field_of = {"command": "command_line", "input_files": "files"}
    """Where messages about attributes are shown that have no field of the same name."""
    advanced = ("environment", "timeout", "files")
    """Fields that are folded away."""

    name = forms.CharField(
        max_length=255,
        initial="command-{id}",
        help_text="Yours for this job only; {id} becomes its number.",
    )
    command_line = forms.CharField(
        label="Command",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="As you would type it, for example: python3 model.py --years 10",
    )
    shell = forms.BooleanField(
        label="Use a shell",
        required=False,
        help_text="Needed for | > * $VARIABLES and several commands; /bin/sh reads the line.",
    )
    description = forms.CharField(required=False, max_length=2048)
    environment = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="One NAME=value on each line. Everybody who sees the job's processes on the machine can read them.",
    )
    timeout = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2_147_483_647,
        help_text="Seconds after which the command is ended; empty for no limit.",
    )
    files = SeveralFilesField(required=False, help_text="Put into the job's folder, where the command starts.")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.order_fields(("name", "command_line", "shell", "description", *self.advanced))

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("A name is one line of text.")
        return name

    def clean_command_line(self) -> str:
        line = self.cleaned_data["command_line"]
        if "\0" in line:
            raise forms.ValidationError("A command cannot hold a NUL character.")
        return line.replace("\r\n", "\n")

    def clean_environment(self) -> dict[str, str]:
        values = {}
        for number, line in enumerate(self.cleaned_data["environment"].splitlines(), 1):
            if not line.strip():
                continue
            name, equals, value = line.partition("=")
            if not equals or not NAME.fullmatch(name.strip()):
                raise forms.ValidationError(
                    f"Line {number}: {line[:60]!r} is not of the form NAME=value (letters, digits and _ in the name)."
                )
            values[name.strip()] = value
        return values

    def clean(self):
        """Split the command into words, unless a shell reads it."""
        cleaned = super().clean()
        line = cleaned.get("command_line")
        if line and not cleaned.get("shell"):
            try:
                cleaned["argv"] = shlex.split(line)
            except ValueError as error:
                self.add_error("command_line", f"{_quoting_problem(error)} The command was not split into words.")
            else:
                if not cleaned["argv"][0]:
                    self.add_error("command_line", "It begins with an empty word; begin it with a program.")
        return cleaned

    def create(self) -> CommandJob:
        """Make the job, pending, with its files in its workspace.

        Raises:
            JobError: what is wrong with it; the message begins with the attribute's name.
        """
        values = self.cleaned_data
        job = JobManager("jobs").create_job(
            values["name"],
            self.user,
            CommandJob,
            command=values["command_line"] if values["shell"] else values["argv"],
            shell=values["shell"],
            description=values["description"],
            environment=values["environment"],
            timeout=values["timeout"],
        )
        try:
            for file in values["files"]:
                _put(file, make_workspace(job))
        except OSError as error:
            job.delete()
            raise InvalidAttribute(
                f"files: could not be written into the job's folder ({error.strerror}); no job was made"
            ) from error
        return job

    def explain(self) -> list[tuple[str, str]]:
        """What will run, where, and as whom, as far as the form is filled in: pairs of heading and text."""
        values = getattr(self, "cleaned_data", {})
        if values.get("shell") and values.get("command_line"):
            what = f"/bin/sh -c {shlex.quote(values['command_line'])}"
        elif values.get("argv"):
            what = shlex.join(values["argv"])
        elif "command_line" in self.errors and self.data.get("command_line"):
            what = " ".join(self.errors["command_line"])
        else:
            what = "The command above, word for word, without a shell."
        return [
            ("What", what),
            ("Where", f"On {HOST}, in a new folder of its own."),
            ("As", f"The system account {_account()}, for {self.user}. The command may do whatever that account may."),
        ]


def _account() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        # Containers often run under a number that has no name.
        return f"number {os.geteuid()}"


def _quoting_problem(error: ValueError) -> str:
    if "quotation" in str(error):
        return "A quotation mark is opened and not closed."
    return "It ends in a backslash with nothing behind it."


def _put(file, folder: Path) -> None:
    """Write an uploaded file into the folder; its name was reduced to its last part by Django."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(folder / file.name, flags, 0o600), "wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
