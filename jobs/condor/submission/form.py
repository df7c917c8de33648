"""The form that a CondorJob must have, so that its submit description says just what its attributes say.

A submit description is lines of `name = value`, with syntax of its own between them (HTCondor manual, 'Submit
description file commands'): a name or a value must not become another line.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from jobs.condor.submission.commands import Commands
from jobs.condor.submission.templates import template_names

MOST_PROCESSES = 100_000

_NAME = re.compile(r"\+?[A-Za-z][A-Za-z0-9_.]*")
_VARIABLE = re.compile(r"[^\s=\"';$]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SYNTAX = frozenset({"queue", "if", "elif", "else", "endif", "include", "use"})
_ENGINES_OWN = frozenset(
    # What finds a job again, and what keeps it in the queue until its outputs are here.
    {"jobdecktag", "jobdeckinstance", "leave_in_queue", "leavejobinqueue"}
    # With these a part of the processes would not be in the queue, and count as lost.
    | {"max_materialize", "jobmaterializelimit", "max_idle", "materialize_max_idle", "jobmaterializemaxidle"}
)
_REFERENCE = re.compile(r"\$\w*\(\s*([\w.]+)")


class Refusal(ValueError):
    """What may not be asked for. The text begins with the field, and says what to do.

    Attributes:
        field: the job's attribute that is wrong.
    """

    def __init__(self, field: str, text: str):
        super().__init__(f"{field}: {text}")
        self.field = field


def check_form(job) -> None:
    """Check what must hold for every CondorJob, those of app code too.

    Raises:
        Refusal: it cannot be written as a submit description, or is none that HTCondor would come to an end with.
    """
    if _CONTROL.search(job.name):
        raise Refusal("name", "has a line break or another control character; a name is one line of text")
    _check_template(job.condorpy_template_name)
    _check_number(job.num_jobs)
    _check_inputs(job.remote_input_files)
    _check_names(job.attributes)
    for name, value in job.attributes.items():
        _check_value(name, value)
    _check_rings(Commands(job.condorpy_template_name, job.attributes), job.attributes)


def _check_template(name) -> None:
    if name and name not in template_names():
        known = ", ".join(template_names())
        raise Refusal("condorpy_template_name", f"{name!r} is no template of condorpy; use one of {known}, or none")


def _check_number(number) -> None:
    if type(number) is not int or not 1 <= number <= MOST_PROCESSES:
        raise Refusal("num_jobs", f"{number!r}: must be a number of processes from 1 to {MOST_PROCESSES}")


def _check_inputs(paths) -> None:
    if not isinstance(paths, list | tuple):
        raise Refusal("remote_input_files", f"{paths!r}: must be a list of paths")
    found: dict[str, str] = {}
    for path in paths:
        if not isinstance(path, str) or _CONTROL.search(path):
            raise Refusal("remote_input_files", f"{path!r}: a path is a text without control characters")
        name = PurePosixPath(path).name
        if name in ("", ".."):
            raise Refusal("remote_input_files", f"{path!r} does not name a file")
        if name in found:
            raise Refusal(
                "remote_input_files",
                f"{found[name]} and {path} would both be {name} where the job starts; rename one of them",
            )
        found[name] = path


def _check_names(attributes) -> None:
    if not isinstance(attributes, Mapping):
        raise Refusal("attributes", "must be a dictionary of submit commands, for example {'executable': 'run.sh'}")
    found: dict[str, str] = {}
    for name in attributes:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal(
                "attributes",
                f"{name!r}: the name of a command is letters, digits, '_' and '.', beginning with a letter",
            )
        key = name.lower()
        if key in _SYNTAX:
            raise Refusal(
                "attributes", f"{name}: is no command but syntax of submit files; num_jobs says how many to queue"
            )
        if key.removeprefix("+").removeprefix("my.") in _ENGINES_OWN:
            raise Refusal("attributes", f"{name}: Jobdeck sets it itself, to find its jobs again; leave it out")
        if key in found:
            raise Refusal(
                "attributes", f"{name}: HTCondor takes it for the same as {found[key]}; leave one of them out"
            )
        found[key] = name


def _check_value(name: str, value) -> None:
    for single in _singles(name, value):
        if isinstance(single, float) and not math.isfinite(single):
            raise Refusal("attributes", f"{name}: {single} is no number that HTCondor knows")
        if isinstance(single, str) and (found := _CONTROL.search(single)):
            raise Refusal(
                "attributes",
                f"{name}: has a character (U+{ord(found[0]):04X}) that could begin another line of the submit "
                "description; a value is one line of text",
            )
        if isinstance(single, str) and single.rstrip().endswith("\\"):
            raise Refusal("attributes", f"{name}: ends in a backslash, which would join the next line to it")


def _singles(name: str, value) -> Iterator[str | int | float]:
    if isinstance(value, Mapping) and name.lower() == "environment":
        for variable in value:
            if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
                raise Refusal("attributes", f"{name}: {variable!r} cannot be the name of a variable")
        value = [*value, *value.values()]
    for single in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(single, str | int | float):
            raise Refusal(
                "attributes", f"{name}: {single!r}: must be a text, a number, True, False, or a list of these"
            )
        yield single


def _check_rings(commands: Commands, names: Iterable[str]) -> None:
    """HTCondor's client never comes to an end with macros that refer to each other (measured)."""
    written = {name.lower(): name for name in names}
    refers = {key: {name.lower() for name in _REFERENCE.findall(commands.get(key))} - {key} for key in written}
    while ends := [key for key, others in refers.items() if not others & refers.keys()]:
        for key in ends:
            del refers[key]
    if refers:
        ring = ", ".join(written[key] for key in refers)
        raise Refusal("attributes", f"{ring}: their macros refer to each other in a ring; write one of them out")
