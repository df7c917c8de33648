"""What the panel of a CondorJob shows of its submit description."""

import shlex

from django import template
from django.urls import reverse

from jobs.condor.submission.commands import as_text

register = template.Library()

PROGRAM = ("executable", "arguments")
VARIABLES = ("environment", "env")


@register.filter
def program(job) -> str:
    """The program with its arguments, as its author gave them."""
    arguments = _own(job, "arguments")
    words = shlex.join(map(str, arguments)) if isinstance(arguments, list | tuple) else as_text("arguments", arguments)
    return f"{as_text('executable', _own(job, 'executable'))} {words}".strip()


@register.filter
def commands(job) -> list[tuple[str, str]]:
    """The other commands that its author set, by name. Of variables only the names: their values may be secrets."""
    return [
        (name, _variables(value) if name.lower() in VARIABLES else as_text(name, value))
        for name, value in job.attributes.items()
        if name.lower() not in PROGRAM and value not in ("", None)
    ]


def _own(job, name: str):
    return next((value for key, value in job.attributes.items() if key.lower() == name), "")


def _variables(value) -> str:
    if isinstance(value, dict):
        return ", ".join(value)
    return "set; not shown, because its values may be secrets"


@register.simple_tag(takes_context=True)
def graph_url(context, **changes) -> str:
    """The page of a workflow's graph as it is shown now, with these things changed; an empty text takes one away.

    `open` opens one box of many more, `close` all of them.
    """
    query = context["request"].GET.copy()
    query.pop("version", None)
    if "open" in changes:
        query.appendlist("open", changes.pop("open"))
    if changes.pop("close", ""):
        query.pop("open", None)
    for name, value in changes.items():
        if value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    place = reverse("jobs:tab", args=[context["job"].pk, "graph"])
    return f"{place}?{query.urlencode()}" if query else place


@register.filter
def add_to(value: float, more: int) -> float:
    """The sum of two numbers."""
    return round(value + more, 1)
