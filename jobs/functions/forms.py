"""The form for a job that calls a function, made of the function's parameters."""

from typing import Any

from django import forms

from jobs.access.parsers import unstorable
from jobs.forms import JobForm
from jobs.functions import docstrings
from jobs.functions.availability import of_function
from jobs.functions.fields import EMPTY, field_for, put, widen
from jobs.functions.models import FunctionJob
from jobs.functions.registry import Function
from jobs.functions.shapes import shape_of
from jobs.functions.signature import ArgumentsError
from jobs.manager import JobManager

PREFIX = "argument_"
"""Of the fields that are parameters; one may be called as a field of every job."""
LONGEST_VALUE = 80
LONGEST_CALL = 400
"""Characters of what will run."""


class FunctionForm(JobForm):
    """The arguments of one function, and what every job has.

    Args:
        function: that is to be called.
        given: arguments that stand there at first, in place of the defaults.
    """

    advanced = ("description", "timeout")
    files = None

    def __init__(self, *args, function: Function, given: dict[str, Any] | None = None, **kwargs):
        self.function = function
        self.suggested_name = f"{function.name}-{{id}}"
        super().__init__(*args, **kwargs)
        said = docstrings.read(function.documentation).parameters
        of_every_job, self.fields = self.fields, {}
        self.shapes = {}
        for parameter in function.signature.parameters:
            name = parameter.name
            self.shapes[name] = shape_of(parameter.schema)
            field = self.fields[PREFIX + name] = field_for(parameter, said.get(name, ""))
            if given is not None and name in given:
                put(field, self.shapes[name], given[name])
            if self.shapes[name].kind == "string" and "\n" in self.data.get(PREFIX + name, ""):
                widen(field)
        self.fields |= of_every_job

    def clean(self):
        """Check the arguments as the function will get them."""
        cleaned = super().clean()
        arguments = {}
        for name, shape in self.shapes.items():
            if PREFIX + name not in cleaned:
                continue
            value = _argument(cleaned[PREFIX + name], shape)
            if value is EMPTY:
                continue
            if trouble := unstorable(value):
                self.add_error(PREFIX + name, trouble)
            arguments[name] = value
        try:
            self.function.signature.read(arguments)
        except ArgumentsError as error:
            for name, problem in error.problems.items():
                if PREFIX + name not in self.errors:
                    self.add_error(PREFIX + name, f"{problem[:1].upper()}{problem[1:]}.")
        cleaned["arguments"] = arguments
        return cleaned

    def create(self) -> FunctionJob:
        """Make the job, pending.

        Raises:
            JobError: what is wrong with it; the message begins with the attribute's name.
        """
        values = self.cleaned_data
        return JobManager("jobs").create_job(
            values["name"],
            self.user,
            FunctionJob,
            function=self.function.name,
            arguments=values["arguments"],
            description=values["description"],
            timeout=values["timeout"],
        )

    def explain(self) -> list[tuple[str, str]]:
        """What will run, where, and as whom, as far as the form is filled in: pairs of heading and text."""
        found = of_function(self.function)
        where = f"On a worker of the queue {self.function.queue}."
        if found.able:
            where += f" {found.words} can take it now."
        else:
            where += f" {found.words}: the job waits for one."
        said = [
            ("What", self._call()),
            ("Where", where),
            ("As", f"For {self.user}, with the rights of the account that the worker runs under."),
        ]
        return said + ([("Limits", limits)] if (limits := limits_of(self.function)) else [])

    def _call(self) -> str:
        arguments = getattr(self, "cleaned_data", {}).get("arguments", {}) if self.is_bound else self._first()
        parts = [
            f"{parameter.name}={_shortened(repr(arguments[parameter.name])) if parameter.name in arguments else '…'}"
            for parameter in self.function.signature.parameters
            if parameter.name in arguments or parameter.required
        ]
        return _shortened(f"{self.function.name}({', '.join(parts)})", LONGEST_CALL)

    def _first(self) -> dict:
        """The arguments that stand in the form when it is opened, as far as they are good."""
        found = {}
        for name, shape in self.shapes.items():
            field = self.fields[PREFIX + name]
            if field.initial is None:
                continue
            try:
                value = _argument(field.clean(field.initial), shape)
            except forms.ValidationError:
                continue
            if value is not EMPTY:
                found[name] = value
        return found


def _argument(value: Any, shape) -> Any:
    """What is passed for what a field gave; `EMPTY` where the parameter is left out."""
    if shape.kind == "string":
        if value:
            return value.replace("\r\n", "\n")
        return None if shape.nullable else EMPTY if shape.format else ""
    number = shape.kind in ("integer", "number")
    if value is EMPTY or (value is None and number):
        return None if shape.nullable else EMPTY
    return value


def _shortened(text: str, most: int = LONGEST_VALUE) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def limits_of(function: Function) -> str:
    """What the function's author allows a job of it, as a sentence; empty for no limits."""
    parts = []
    if function.time_limit:
        parts.append(f"ended after {function.time_limit:g} s")
    if function.retries:
        times = "once" if function.retries == 1 else f"up to {function.retries} times"
        parts.append(f"tried again {times} if it fails")
    if function.idempotent:
        parts.append("run again if its worker dies")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
