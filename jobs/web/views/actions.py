"""Running, stopping, deleting, …: what a person asks for, as a form of a plain page or by a page's script."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from jobs import clock
from jobs.access.pages import by_htmx, login_needed, own_url
from jobs.errors import ActionNotAllowed
from jobs.intents import want
from jobs.models import Action
from jobs.permissions import may_act, visible_job_or_404
from jobs.web.rows import row_of, table_jobs
from jobs.web.wording import WORDING, consequence


@require_POST
@login_needed
def act(request: HttpRequest, job_id: int, action: str) -> HttpResponse:
    """Write down what is wanted of a job.

    Answers: 404 no such action, or no job that the person may see; 403 a job that they may see but not act on; 409 not in
    this status. Otherwise a page's form leads back to where it came from (`next`), and a page's script (`place`: 'table' or
    'job') gets what has changed on its page.
    """
    wanted = _known(action)
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    if not may_act(request.user, job):
        return _refuse(request, job, f"{job.name} is {job.user}'s job; you may look at it, but not change it.", 403)
    try:
        want(job, wanted, user=request.user)
    except ActionNotAllowed as error:
        return _refuse(request, job, str(error), 409)
    notice = WORDING[wanted].notice.format(name=job.name)
    if not by_htmx(request):
        messages.success(request, notice)
        return redirect(_back(request, job, gone=wanted == Action.DELETE))
    if wanted == Action.DELETE and request.POST.get("place") == "job":
        messages.success(request, notice)
        return HttpResponse(headers={"HX-Redirect": reverse("jobs:list")})
    return _part(request, job_id, "success", notice, 200)


@require_safe
@login_needed
def confirm(request: HttpRequest, job_id: int, action: str) -> HttpResponse:
    """The question before an action that cannot be undone: for a dialog, or a page of its own."""
    wanted = _known(action)
    job = visible_job_or_404(request.user, polymorphic=False, pk=job_id)
    if not WORDING[wanted].question or not may_act(request.user, job):
        raise Http404("There is no such question.")
    context = {
        "job": job,
        "action": wanted,
        "question": WORDING[wanted].question.format(name=job.name),
        "consequence": consequence(wanted, job),
        "command": WORDING[wanted].command,
        "place": request.GET.get("place", ""),
        "back": own_url(request, request.GET.get("next", "")) or reverse("jobs:detail", args=[job.pk]),
    }
    return render(request, "jobs/parts/confirm.html" if by_htmx(request) else "jobs/confirm.html", context)


def _known(action: str) -> Action:
    if action not in WORDING:
        raise Http404("There is no such action.")
    return Action(action)


def _refuse(request: HttpRequest, job, message: str, status: int) -> HttpResponse:
    if by_htmx(request):
        return _part(request, job.pk, "warning", message, status)
    return render(request, "jobs/refused.html", {"job": job, "message": message}, status=status)


def _part(request: HttpRequest, job_id: int, kind: str, notice: str, status: int) -> HttpResponse:
    job = table_jobs(request.user).filter(pk=job_id).first()
    context = {
        "job_id": job_id,
        "row": row_of(job, request.user) if job is not None else None,
        "job": job,
        "place": request.POST.get("place"),
        "kind": kind,
        "notice": notice,
        "now": clock.now(),
    }
    response = render(request, "jobs/acted.html", context, status=status)
    # The page looks again soon: what was asked for is carried out in a moment.
    response["HX-Trigger"] = "jobs:acted"
    return response


def _back(request: HttpRequest, job, *, gone: bool) -> str:
    page = reverse("jobs:detail", args=[job.pk])
    asked = own_url(request, request.POST.get("next", ""))
    if gone and (not asked or asked.startswith(page)):
        return reverse("jobs:list")
    return asked or page
