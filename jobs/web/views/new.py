"""New jobs, from the form that each job type brings along."""

import re

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods, require_safe

from jobs.errors import JobError, UnknownJobType
from jobs.intents import want
from jobs.models import Action
from jobs.permissions import RUN_COMMANDS
from jobs.types import JobType, get_type, job_types
from jobs.web.access import login_needed


def types_for(user) -> list[JobType]:
    """The types of which `user` may start jobs by a form."""
    return [kind for kind in job_types() if kind.form and (not kind.permission or user.has_perm(kind.permission))]


@require_safe
@login_needed
def choose_type(request: HttpRequest) -> HttpResponse:
    """The types to choose from; a single one is chosen already."""
    types = types_for(request.user)
    if not types:
        return _not_allowed(request, RUN_COMMANDS)
    if len(types) == 1:
        return redirect("jobs:new", types[0].name)
    return render(request, "jobs/choose_type.html", {"types": types})


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
        raise Http404("Jobs of this type are not started by a form.")
    if kind.permission and not request.user.has_perm(kind.permission):
        return _not_allowed(request, kind.permission)
    form_class = import_string(kind.form)
    if request.method != "POST":
        return _show(request, kind, form_class(user=request.user))
    form = form_class(request.POST, request.FILES, user=request.user)
    do = request.POST.get("do", "run")
    if do == "preview":
        form.is_valid()
        return render(request, "jobs/parts/will_run.html", {"form": form})
    job = _created(form) if form.is_valid() else None
    if job is None:
        return _show(request, kind, form)
    if do == "run":
        want(job, Action.RUN, user=request.user)
        messages.success(request, f"{job.name} was made; it starts as soon as there is room.")
    else:
        messages.success(request, f"{job.name} was saved. It waits for you to run it.")
    return redirect("jobs:detail", job.pk)


def _created(form):
    """The job, or None with what is wrong at the field that it is about: the core's messages begin with its name."""
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


def _show(request: HttpRequest, kind: JobType, form) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "jobs/new.html", {"type": kind, "form": form}, status=status)


def _not_allowed(request: HttpRequest, permission: str) -> HttpResponse:
    return render(request, "jobs/not_allowed.html", {"permission": permission}, status=403)
