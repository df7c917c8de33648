"""The form of a schedule: a new one, or a change."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from jobs.access.pages import login_needed
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.access import visible_schedule_or_404
from jobs.schedules.editing import ScheduleInvalid, ScheduleNotAllowed, change_schedule, create_schedule
from jobs.schedules.forms import ScheduleForm, may_make_schedules
from jobs.schedules.models import Schedule


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def new_schedule(request: HttpRequest) -> HttpResponse:
    """The form, and what it makes. 403 for whoever may have nothing run: no command, and no job of any type."""
    if not may_make_schedules(request.user):
        return render(request, "jobs_schedules/not_allowed.html", {"permission": RUN_COMMANDS}, status=403)
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of one that there is."""
    return _form(request, visible_schedule_or_404(request.user, pk=pk))


def _form(request: HttpRequest, schedule: Schedule | None) -> HttpResponse:
    owner = request.user if schedule is None else schedule.user
    form = ScheduleForm(
        request.POST if request.method == "POST" else None, user=owner, by=request.user, schedule=schedule
    )
    if request.method == "POST":
        is_valid = form.is_valid()
        if request.POST.get("do") == "preview":
            return render(request, "jobs_schedules/will_run.html", {"form": form})
        if is_valid and (made := _saved(form, schedule, request.user)) is not None:
            done = "changed" if schedule else "made; its agents have it within seconds"
            messages.success(request, f"{made.name} is {done}.")
            return redirect("jobs_schedules:schedule", made.pk)
    context = {"form": form, "schedule": schedule, "here": request.path}
    return render(request, "jobs_schedules/form.html", context, status=422 if form.is_bound else 200)


def _saved(form: ScheduleForm, schedule: Schedule | None, by) -> Schedule | None:
    try:
        if schedule is None:
            return create_schedule(form.user, **form.values())
        return change_schedule(schedule, by=by, **form.values())
    except Schedule.DoesNotExist:
        raise Http404("No such schedule.") from None  # deleted in another tab meanwhile
    except ScheduleInvalid as error:
        form.blame(error.errors)
    except ScheduleNotAllowed as error:
        form.add_error(None, str(error))
    return None
