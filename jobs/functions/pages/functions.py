"""The functions that a person may run, and the form of each."""

import json
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from jobs import clock
from jobs.access.pages import by_htmx, login_needed
from jobs.forms import start_from
from jobs.functions import docstrings
from jobs.functions.availability import Availability, alive_workers, of_function
from jobs.functions.forms import FunctionForm, limits_of
from jobs.functions.models import FunctionJob
from jobs.functions.permissions import ALL_FUNCTIONS, callable_functions, may_call
from jobs.functions.registry import Function, UnknownFunction, get_function
from jobs.functions.shapes import type_name
from jobs.paging import number
from jobs.permissions import visible_job_or_404

LONGEST_DEFAULT = 30


@dataclass(frozen=True)
class ShownParameter:
    """A parameter as a card has it; `default` as Python writes it, empty for none."""

    name: str
    type: str
    default: str


@dataclass(frozen=True)
class Card:
    """A function as the page of all of them has it."""

    function: Function
    parameters: list[ShownParameter]
    available: Availability
    limits: str


@require_safe
@login_needed
def functions_page(request: HttpRequest) -> HttpResponse:
    """The functions that the person may run; for the page's own script the part that changes."""
    workers = alive_workers()
    context = {
        "cards": [
            Card(function, _parameters(function), of_function(function, workers), limits_of(function))
            for function in callable_functions(request.user)
        ],
        "now": clock.now(),
    }
    template = "jobs_functions/functions_live.html" if by_htmx(request) else "jobs_functions/functions.html"
    return render(request, template, context)


def _parameters(function: Function) -> list[ShownParameter]:
    return [
        ShownParameter(one.name, type_name(one.annotation), "" if one.required else _default(one.schema["default"]))
        for one in function.signature.parameters
    ]


def _default(value) -> str:
    text = repr(value) if not isinstance(value, list | dict) else json.dumps(value)
    return text if len(text) <= LONGEST_DEFAULT else f"{text[: LONGEST_DEFAULT - 1]}…"


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def function_page(request: HttpRequest, name: str) -> HttpResponse:
    """The form of a function. The button that was pressed is in `do`: 'run', 'save', or 'preview' for what it would do.

    `?from=` is the number of a job whose arguments stand there at first. 403 for whoever may not run it, 404 for none.
    """
    try:
        function = get_function(name)
    except UnknownFunction as error:
        raise Http404("There is no such function.") from error
    if not may_call(request.user, function):
        context = {"function": function, "permissions": (function.permission, ALL_FUNCTIONS)}
        return render(request, "jobs_functions/not_allowed.html", context, status=403)
    if request.method != "POST":
        form = FunctionForm(user=request.user, function=function, given=_arguments_of(request, function))
        return _show(request, function, form)
    form = FunctionForm(request.POST, user=request.user, function=function)
    if request.POST.get("do") == "preview":
        form.is_valid()
        return render(request, "jobs/parts/will_run.html", {"form": form})
    job = start_from(request, form)
    return _show(request, function, form) if job is None else redirect("jobs:detail", job.pk)


def _arguments_of(request: HttpRequest, function: Function) -> dict | None:
    """The arguments of the job of this function that `?from=` names."""
    key = number(request.GET.get("from"))
    if key is None:
        return None
    job = visible_job_or_404(request.user, pk=key)
    if not isinstance(job, FunctionJob) or job.function != function.name:
        raise Http404("That job does not call this function.")
    return job.arguments


def _show(request: HttpRequest, function: Function, form: FunctionForm) -> HttpResponse:
    context = {
        "function": function,
        "paragraphs": docstrings.read(function.documentation).paragraphs,
        "form": form,
        "here": reverse("jobs_functions:function", args=[function.name]),
    }
    return render(request, "jobs_functions/function.html", context, status=422 if form.is_bound else 200)
