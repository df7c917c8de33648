"""Restarting tasks from a run's page: which buttons it has, the question before, and what is answered."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods

from jobs.access.pages import by_htmx, login_needed, own_url
from jobs.errors import ActionNotAllowed
from jobs.farm.access import may_act, place_of
from jobs.farm.models import FarmRun
from jobs.farm.pages.standing import Standing
from jobs.farm.restarting import ALL, FAILED, UNFINISHED, restart
from jobs.permissions import may_act as may_act_on_job
from jobs.permissions import visible_job_or_404
from jobs.status import FINAL


@dataclass(frozen=True)
class Wording:
    """What the page says about a restart; `{name}` is the run's."""

    button: str
    question: str
    consequence: str
    command: str
    notice: str


WORDING = {
    ALL: Wording(
        "Restart all",
        "Restart all tasks of {name}?",
        "All tasks are computed again from the start; what they have left so far is given up. Who has one now loses it.",
        "Restart all tasks",
        "All tasks of {name} wait to be computed again.",
    ),
    FAILED: Wording(
        "Restart failed",
        "Restart the failed tasks of {name}?",
        "The tasks that failed are computed again; all others stay as they are.",
        "Restart failed tasks",
        "The failed tasks of {name} wait to be computed again.",
    ),
    UNFINISHED: Wording(
        "Restart unfinished",
        "Restart the unfinished tasks of {name}?",
        "The tasks that failed, and those that somebody has now, are computed again. Who has one of them loses it; what is "
        "done stays done.",
        "Restart unfinished tasks",
        "The unfinished tasks of {name} wait to be computed again.",
    ),
}


@dataclass(frozen=True)
class Button:
    """A restart that the page offers."""

    what: str
    text: str
    url: str


def offered(user, job: FarmRun, standing: Standing, open_action: str) -> tuple[Button, ...]:
    """The restarts that a person may ask for now; none while something else is being done with the run."""
    over = job.status_code in FINAL
    if open_action or not (standing.goes_on or (over and standing.phase)) or not may_act_on_job(user, job):
        return ()
    able = {
        ALL: True,
        FAILED: standing.failed > 0,
        # What was stopped goes on with what waits, too.
        UNFINISHED: standing.failed + standing.computing > 0 or (over and standing.waiting > 0),
    }
    try:
        url = reverse("jobs_farm:restart", args=[job.pk])
    except NoReverseMatch:
        return ()  # the site has not mounted the pages of farm runs
    return tuple(Button(what, WORDING[what].button, f"{url}?what={what}") for what, can in able.items() if can)


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def restart_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """The question before a restart, for a dialog or as a page of its own; by POST the restart.

    `what` is all, failed or unfinished, in the address or the form. Answers: 404 no such run that the person may see, or no
    such `what`; 403 one that they may see but not act on; 409 not in its status. Otherwise a form leads back to the tab, and a
    page's script gets a notice.
    """
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    what = request.POST.get("what") or request.GET.get("what", "")
    if job.type is None or job.type.model is not FarmRun or what not in WORDING:
        raise Http404("No such job.")
    place = place_of(request.user, job.uuid)
    if not may_act(request.user, place):
        return _refuse(request, job, f"{job.name} is {job.user}'s job; you may look at it, but not change it.", 403)
    if request.method != "POST":
        return _ask(request, job, what)
    try:
        restart(place, what, user=request.user)
    except ActionNotAllowed as error:
        return _refuse(request, job, str(error), 409)
    notice = WORDING[what].notice.format(name=job.name)
    if by_htmx(request):
        return _notice(request, "success", notice, 200)
    messages.success(request, notice)
    return redirect(_back(request, job))


def _ask(request: HttpRequest, job, what: str) -> HttpResponse:
    words = WORDING[what]
    context = {
        "question": words.question.format(name=job.name),
        "consequence": words.consequence,
        "command": words.command,
        "harmless": what != ALL,
        "act_url": f"{reverse('jobs_farm:restart', args=[job.pk])}?what={what}",
        "place": "job" if by_htmx(request) else "",
        "back": _back(request, job),
    }
    return render(request, "jobs/parts/confirm.html" if by_htmx(request) else "jobs/confirm.html", context)


def _back(request: HttpRequest, job) -> str:
    return own_url(request, request.POST.get("next", "")) or reverse("jobs:tab", args=[job.pk, "tasks"])


def _refuse(request: HttpRequest, job, message: str, status: int) -> HttpResponse:
    if by_htmx(request):
        return _notice(request, "warning", message, status)
    return render(request, "jobs/refused.html", {"job": job, "message": message}, status=status)


def _notice(request: HttpRequest, kind: str, notice: str, status: int) -> HttpResponse:
    response = render(request, "jobs/parts/toast.html", {"kind": kind, "notice": notice}, status=status)
    # The page looks again soon: the tasks wait in a moment.
    response["HX-Trigger"] = "jobs:acted"
    return response
