"""CommandJob: a command that runs as a process on this machine."""

from django.core.exceptions import ValidationError
from django.db import models

from jobs.models import Job


class CommandJob(Job):
    """A command, given as program and arguments, or as one shell line where `shell` is true."""

    command = models.JSONField(help_text="Program and arguments as a list, or one line for the shell.")
    shell = models.BooleanField(default=False, help_text="Have /bin/sh read the command.")
    environment = models.JSONField(default=dict, blank=True, help_text="Variables beside those of the site.")
    input_files = models.JSONField(default=list, blank=True, help_text="Files to copy into the workspace first.")

    class Meta:
        app_label = "jobs_local"

    def clean(self):
        """Check what no database can.

        Raises:
            ValidationError: command, environment or input files are not of the form that they must have.
        """
        super().clean()
        problem = self._command_problem() or self._texts_problem()
        if problem:
            raise ValidationError(dict([problem]))

    def _command_problem(self):
        if self.shell:
            if not isinstance(self.command, str) or not self.command.strip():
                return "command", "with shell=True it is one line of text, for example 'sort < in.txt | uniq -c'"
        elif not isinstance(self.command, list | tuple) or not self.command:
            return (
                "command",
                "must be a list, program first, for example ['python3', 'model.py']; a line needs shell=True",
            )
        elif not all(isinstance(word, str) and "\0" not in word for word in self.command):
            return "command", "every word of it must be a text without NUL characters"
        return None

    def _texts_problem(self):
        if not isinstance(self.environment, dict):
            return "environment", "must be a dictionary of texts, for example {'OMP_NUM_THREADS': '4'}"
        for name, value in self.environment.items():
            if not isinstance(value, str) or not name or "=" in name or "\0" in name + value:
                return "environment", f"{name!r} must have a text as its value, and no '=' in its name"
        if not isinstance(self.input_files, list | tuple) or not all(
            isinstance(path, str) for path in self.input_files
        ):
            return "input_files", "must be a list of paths"
        return None

    @property
    def command_line(self) -> str:
        """The command as a person would type it."""
        import shlex

        return self.command if self.shell else shlex.join(self.command)
