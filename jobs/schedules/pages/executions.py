"""The page of one execution: all that is known of it, and its outputs."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from jobs.access.pages import login_needed
from jobs.schedules.editing import stop_execution
from jobs.schedules.models import Execution, Schedule
from jobs.schedules.pages.live import show


@require_safe
@login_needed
def execution_page(request: HttpRequest, pk) -> HttpResponse:
    """The page, or for its own script the part that changes."""
    execution = _visible(request, pk)
    outputs = {"stdout": (execution.stdout, execution.stdout_size), "stderr": (execution.stderr, execution.stderr_size)}
    context = {
        "execution": execution,
        "schedule": execution.schedule,
        "cut": [name for name, (kept, size) in outputs.items() if 0 < len(kept.encode(errors="replace")) < size],
    }
    ended = (execution.stop_wanted is not None, str(execution.reported), len(execution.stdout), len(execution.stderr))
    facts = (execution.status_display, *ended)
    return show(request, "jobs_schedules/execution.html", "jobs_schedules/execution_live.html", context, facts)


@require_POST
@login_needed
def stop(request: HttpRequest, pk) -> HttpResponse:
    """Have the agent end it."""
    execution = _visible(request, pk)
    if stop_execution(execution):
        messages.info(request, f"{execution.agent} is told to end it; this shows when it has.")
    else:
        messages.warning(request, "There is nothing to end: it is over, or was to be ended already.")
    return redirect("jobs_schedules:execution", pk)


def _visible(request: HttpRequest, pk) -> Execution:
    mine = Execution.objects.filter(pk=pk, schedule__in=Schedule.objects.visible_to(request.user))
    execution = mine.select_related("schedule", "agent", "job").first()
    if execution is None:
        raise Http404("No such execution.")
    return execution
