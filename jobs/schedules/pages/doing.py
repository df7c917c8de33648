"""What is done to a schedule by a button: pause, resume, run now, delete."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from jobs.access.pages import by_htmx, login_needed, own_url
from jobs.paging import number
from jobs.schedules.access import visible_schedule_or_404
from jobs.schedules.editing import ScheduleInvalid, ScheduleNotAllowed, delete_schedule, pause, resume, run_now
from jobs.schedules.models import Agent, Schedule


def _pause(schedule: Schedule, agents: list[Agent] | None) -> str:
    pause(schedule)
    return f"{schedule.name} is paused: nothing of it is due until you resume it. What runs goes on."


def _resume(schedule: Schedule, agents: list[Agent] | None) -> str:
    resume(schedule)
    return f"{schedule.name} goes on with its next due time."


def _run(schedule: Schedule, agents: list[Agent] | None) -> str:
    made = run_now(schedule, agents)
    if schedule.is_job:
        return f"{schedule.name} starts a job in a moment."
    names = ", ".join(str(one.agent) for one in made[:5]) + (f" and {len(made) - 5} more" if len(made) > 5 else "")
    return f"{schedule.name} runs now on {names}."


ACTIONS = {"pause": _pause, "resume": _resume, "run-now": _run}


@require_POST
@login_needed
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Do it, on one agent if it is named, and go back to where the button was. 404 for an action that is none."""
    schedule = visible_schedule_or_404(request.user, pk=pk)
    if action not in ACTIONS:
        raise Http404("No such action.")
    agents = None
    if "agent" in request.POST:
        # Also one that it was never meant for would run it: only those that have it, or ran it.
        has = Agent.objects.enrolled().filter(assignments__schedule=schedule).distinct()
        agents = list(has.filter(pk=number(request.POST["agent"])))
    try:
        messages.success(request, ACTIONS[action](schedule, agents))
    except Schedule.DoesNotExist:
        raise Http404("No such schedule.") from None  # deleted in another tab meanwhile
    except ScheduleInvalid as error:
        messages.warning(request, f"{schedule.name}: {error}.")
    except ScheduleNotAllowed as error:
        messages.error(request, str(error))
    return redirect(own_url(request, request.POST.get("next", "")) or reverse("jobs_schedules:schedule", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete."""
    schedule = visible_schedule_or_404(request.user, pk=pk)
    if request.method == "POST":
        delete_schedule(schedule)
        messages.success(request, f"{schedule.name} is deleted.")
        url = reverse("jobs_schedules:schedules")
        return HttpResponse(status=204, headers={"HX-Redirect": url}) if by_htmx(request) else redirect(url)
    jobs = "Jobs that it started stay." if schedule.is_job else "What of it runs on agents is ended."
    context = {
        "question": f"Delete the schedule {schedule.name}?",
        "consequence": f"Its executions and their outputs are removed with it. {jobs}",
        "command": "Delete schedule",
        "act_url": reverse("jobs_schedules:delete", args=[pk]),
        "back": reverse("jobs_schedules:schedule", args=[pk]),
    }
    template = "jobs/parts/confirm.html" if by_htmx(request) else "jobs/confirm.html"
    return render(request, template, context | ({"place": "dialog"} if by_htmx(request) else {}))
