"""The form for a new CommandJob."""

import os
import pwd
import shlex

from django import forms

from jobs.forms import JobForm, VariablesField, code_area, split_words
from jobs.identity import HOST
from jobs.local.models import CommandJob
from jobs.manager import JobManager


class CommandJobForm(JobForm):
    """A command, its surroundings and its files."""

    suggested_name = "command-{id}"
    field_of = {"command": "command_line", "input_files": "files"}
    advanced = ("environment", "timeout", "files")
    field_order = ("name", "command_line", "shell", "description", *advanced)

    command_line = forms.CharField(
        label="Command",
        max_length=20_000,
        widget=code_area(2),
        help_text="As you would type it, for example: python3 model.py --years 10",
    )
    shell = forms.BooleanField(
        label="Use a shell",
        required=False,
        help_text="Needed for | > * $VARIABLES and several commands; /bin/sh reads the line.",
    )
    environment = VariablesField(
        help_text="One NAME=value on each line. Everybody who sees the job's processes on the machine can read them.",
    )

    def clean_command_line(self) -> str:
        line = self.cleaned_data["command_line"]
        if "\0" in line:
            raise forms.ValidationError("A command cannot hold a NUL character.")
        return line.replace("\r\n", "\n")

    def clean(self):
        """Split the command into words, unless a shell reads it."""
        cleaned = super().clean()
        line = cleaned.get("command_line")
        if line and not cleaned.get("shell"):
            try:
                cleaned["argv"] = split_words(line)
            except forms.ValidationError as error:
                self.add_error("command_line", error)
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
        self.put(job, values["files"])
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
