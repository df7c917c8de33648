"""New jobs, from the form or the page that each job type brings along."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods, require_safe

from jobs.access.pages import login_needed
from jobs.errors import UnknownJobType
from jobs.forms import start_from
from jobs.permissions import RUN_COMMANDS
from jobs.types import JobType, get_type, job_types


@dataclass(frozen=True)
class Choice:
    """A type of which a person may start jobs, and the URL of the page where that begins."""

    type: JobType
    url: str


def choices_for(user) -> list[Choice]:
    """The types of which `user` may start jobs by a form, or on a page of the type's own."""
    found = [Choice(kind, _start_url(kind)) for kind in job_types() if kind.may_make(user)]
    return [choice for choice in found if choice.url]


def _start_url(kind: JobType) -> str:
    """Where a job of the type begins; empty for none."""
    if kind.form:
        return reverse("jobs:new", args=[kind.name])
    try:
        return reverse(kind.start_page) if kind.start_page else ""
    except NoReverseMatch:
        return ""  # the site has installed the type without mounting its pages


@require_safe
@login_needed
def choose_type(request: HttpRequest) -> HttpResponse:
    """The types to choose from; a single one is chosen already."""
    choices = choices_for(request.user)
    if not choices:
        return _not_allowed(request, RUN_COMMANDS)
    if len(choices) == 1:
        return redirect(choices[0].url)
    return render(request, "jobs/choose_type.html", {"choices": choices})


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def new_job(request: HttpRequest, type_name: str) -> HttpResponse:
    """The form of a type. The button that was pressed is in `do`: 'run', 'save', or 'preview' for what it would do.

    403 for a person without the type's permission.
    """
    try:
        kind = get_type(type_name)
    except UnknownJobType as error:
        raise Http404("There is no such job type.") from error
    if not kind.form:
        if url := _start_url(kind):
            return redirect(url)
        raise Http404("Jobs of this type are not started by a form.")
    if kind.permission and not request.user.has_perm(kind.permission):
        return _not_allowed(request, kind.permission)
    form_class = import_string(kind.form)
    if request.method != "POST":
        return _show(request, kind, form_class(user=request.user))
    form = form_class(request.POST, request.FILES, user=request.user)
    if request.POST.get("do") == "preview":
        form.is_valid()
        return render(request, "jobs/parts/will_run.html", {"form": form})
    job = start_from(request, form)
    return _show(request, kind, form) if job is None else redirect("jobs:detail", job.pk)


def _show(request: HttpRequest, kind: JobType, form) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "jobs/new.html", {"type": kind, "form": form}, status=status)


def _not_allowed(request: HttpRequest, permission: str) -> HttpResponse:
    return render(request, "jobs/not_allowed.html", {"permission": permission}, status=403)
