"""The commands of a submit description: merged over the template, written as HTCondor reads them.

Names of submit commands know no upper and lower case (HTCondor manual, 'Submit description file commands').
"""

import re
from collections.abc import Mapping
from typing import Any

from jobs.condor.submission.templates import template_attributes

MACRO = re.compile(r"\$\(\s*([A-Za-z0-9_.]+)\s*\)")
INSTALLED = ("/bin/", "/usr/bin/")
"""Programs in these folders are run where the job runs, and do not travel unless their job says so."""
DEEPEST = 10
"""Macros inside macros that are expanded; deeper ones refer to themselves."""


class Commands:
    """The commands of one job by name, its own ones over its template's; empty ones are left out, as condorpy does.

    Args:
        template: name of a condorpy template, or empty.
        own: what the job's author set.
    """

    def __init__(self, template: str, own: Mapping[str, Any]):
        self._names: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._own = {name.lower() for name, value in own.items() if value not in ("", None)}
        for source in (template_attributes(template), own):
            for name, value in source.items():
                self.set(name, value)

    def set(self, name: str, value) -> None:
        """Set a command in place of what was there."""
        key = name.lower()
        self._names.setdefault(key, name)
        self._values[key] = as_text(name, value)

    def get(self, name: str) -> str:
        """A command as it is written, or an empty text."""
        return self._values.get(name.lower(), "")

    def is_own(self, name: str) -> bool:
        """Whether the job's author set it, and not the template alone."""
        return name.lower() in self._own

    def drop(self, *names: str) -> None:
        """Take commands away."""
        for name in names:
            self._values.pop(name.lower(), None)

    @property
    def program_travels(self) -> bool:
        """Whether the program is a file of this host, and not one that is installed where the job runs."""
        if is_false(self.get("transfer_executable")):
            return False
        return self.is_own("transfer_executable") or not self.get("executable").startswith(INSTALLED)

    def lines(self) -> list[str]:
        """One line each, in the order in which they were set first."""
        return [f"{self._names[key]} = {value}" for key, value in self._values.items() if value]

    def expanded(self, name: str, **macros: object) -> str:
        """A command with all macros replaced that are known: other commands of the job, and `macros` (cluster, process)."""
        known = {key: str(value) for key, value in macros.items()}
        text = self.get(name)
        for _ in range(DEEPEST):
            following = MACRO.sub(lambda found: self._macro(found, known), text)
            if following == text:
                break
            text = following
        return text

    def _macro(self, found: re.Match, known: Mapping[str, str]) -> str:
        key = {"clusterid": "cluster", "procid": "process"}.get(found[1].lower(), found[1].lower())
        if key in known:
            return known[key]
        return self._values.get(key, found[0])


def as_text(name: str, value) -> str:
    """A value as a submit description has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return arguments_text(value) if name.lower() == "arguments" else ", ".join(map(str, value))
    if isinstance(value, Mapping) and name.lower() == "environment":
        return environment_text(value)
    return str(value).strip()


def arguments_text(words) -> str:
    """A list of words in HTCondor's new syntax for arguments (manual, 'condor_submit', `arguments`)."""
    return '"' + " ".join(_quoted(str(word)) for word in words) + '"'


def environment_text(variables: Mapping[str, str]) -> str:
    """Variables in HTCondor's new syntax for environments (manual, 'condor_submit', `environment`)."""
    return '"' + " ".join(f"{name}={_quoted(str(value))}" for name, value in variables.items()) + '"'


def _quoted(word: str) -> str:
    word = word.replace('"', '""')
    return "'" + word.replace("'", "''") + "'" if not word or re.search(r"[\s']", word) else word


def with_variables(environment: str, variables: Mapping[str, str]) -> str:
    """An environment, as its author wrote it in the old or the new syntax, with more variables that come over it."""
    ours = environment_text(variables)[1:-1]
    environment = environment.strip()
    if environment.startswith('"') and environment.endswith('"') and len(environment) > 1:
        return f'"{environment[1:-1]} {ours}"'
    old = dict(part.split("=", 1) for part in environment.split(";") if "=" in part)
    return f'"{environment_text(old)[1:-1]} {ours}"' if old else f'"{ours}"'


def as_list(text: str) -> list[str]:
    """The entries of a list of files, which HTCondor's manual separates by commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def is_true(text: str) -> bool:
    """Whether a command says yes."""
    return text.strip().lower() in ("true", "yes", "1", "t", "y")


def is_false(text: str) -> bool:
    """Whether a command says no."""
    return text.strip().lower() in ("false", "no", "0", "f", "n")
