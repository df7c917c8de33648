"""An app's table of jobs (`jobs.web.tables`): the request that keeps it fresh, and its actions.

What a table shows and may do comes back from the browser as it was signed; nothing else that a browser sends names a
field, a function or a URL.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs import clock
from jobs.access.pages import by_htmx, login_needed, own_url
from jobs.errors import ActionNotAllowed, JobError
from jobs.intents import want
from jobs.models import Action, Job
from jobs.web.instances import own_instance
from jobs.web.rows import acts_on, differences, parse_known
from jobs.web.signed_tables import TableRefused, unsign
from jobs.web.table_actions import CustomJobAction, custom_key
from jobs.web.tables import JobsTable
from jobs.web.wording import WORDING, consequence


@csrf_exempt  # it changes nothing; it is a POST because options and signatures may be longer than a URL
@require_POST
@login_needed
def table_rows(request: HttpRequest) -> HttpResponse:
    """What has changed in a table since the browser got it: `options` as signed, `known` its rows with their signatures.

    Answers: 204 nothing has; 200 the changed, new and gone rows as out-of-band swaps; 400 and 403 as `unsign` says.
    """
    try:
        table, told = unsign(request.POST.get("options", ""), request.user)
    except TableRefused as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    shown = table.rows(request.user, before=told["before"], after=told["after"])
    found = differences(shown.rows, parse_known(request.POST.get("known", "")))
    if not found:
        return HttpResponse(status=204)
    context = {"differences": found, "table": table, "shown": shown, "key": told["key"], "query": told["query"]}
    return render(request, "jobs/table_rows.html", context)


@require_POST
@login_needed
def table_act(request: HttpRequest, job_id: int, action: str) -> HttpResponseBase:
    """Do something to a job of a table, after its question has been answered (`confirmed`).

    Answers: 400 and 403 as `unsign` says; 404 no such job in this table, or no such action of it; 403 a job that the person
    may see but not act on; 409 not now. Otherwise a page's form leads back to where it came from (`next`), and a page's
    script gets the row as it is now.
    """
    try:
        table, told = unsign(request.POST.get("options", ""), request.user)
        job = table.jobs(request.user).filter(pk=job_id).first()
        if job is None:
            raise TableRefused(404, "This job is gone.")
        wanted = _find(table, action)
        if isinstance(wanted, CustomJobAction):
            return _custom(request, table, told["key"], job, wanted, action)
        return _default(request, table, told["key"], job, Action(wanted))
    except TableRefused as error:
        return _refuse(request, str(error), error.status)


def _find(table: JobsTable, action: str) -> str | CustomJobAction:
    """The table's action of that name.

    Raises:
        TableRefused: it has none.
    """
    for number, item in enumerate(table.actions):
        if item == action and item in WORDING:
            return item
        if isinstance(item, CustomJobAction) and custom_key(number) == action and not item.modal_url:
            return item
    raise TableRefused(404, "This table has no such action.")


def _default(request: HttpRequest, table: JobsTable, key: str, job: Job, wanted: Action) -> HttpResponseBase:
    if not acts_on(job, request.user):
        raise TableRefused(403, f"{job.name} is {job.user}'s job; you may look at it, but not change it.")
    words = WORDING[wanted]
    if words.question and wanted in table.row(job, request.user).actions and not request.POST.get("confirmed"):
        question = words.question.format(name=job.name)
        return _ask(request, job, wanted, question, consequence(wanted, job), words.command)
    try:
        want(job, wanted, user=request.user)
    except ActionNotAllowed as error:
        raise TableRefused(409, str(error)) from error
    return _done(request, table, key, job, words.notice.format(name=job.name))


def _custom(
    request: HttpRequest, table: JobsTable, key: str, job: Job, wanted: CustomJobAction, action: str
) -> HttpResponseBase:
    if wanted.calls and not acts_on(job, request.user):
        raise TableRefused(403, f"{job.name} is {job.user}'s job; you may look at it, but not change it.")
    instance = own_instance(job)
    if not wanted.fits(instance):
        raise TableRefused(409, f"{wanted.label}: not possible for {job.name} now.")
    if wanted.question and not request.POST.get("confirmed"):
        return _ask(request, job, action, wanted.question, "", wanted.label)
    if wanted.url:
        return _lead(request, reverse(wanted.url, args=[job.pk]))
    try:
        answer = wanted.call(instance)
    except JobError as error:
        raise TableRefused(409, str(error)) from error
    if isinstance(answer, HttpResponseRedirect):
        return _lead(request, answer.url)
    notice = answer if isinstance(answer, str) and answer else f"{wanted.label}: done for {job.name}."
    return _done(request, table, key, job, notice)


def _lead(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": url}) if by_htmx(request) else redirect(url)


def _ask(request: HttpRequest, job: Job, action: str, question: str, what_follows: str, command: str) -> HttpResponse:
    context = {
        "job": job,
        "question": question,
        "consequence": what_follows,
        "command": command,
        "act_url": reverse("jobs:table_act", args=[job.pk, action]),
        "place": "table" if by_htmx(request) else "",
        "back": own_url(request, request.POST.get("next", "")) or reverse("jobs:detail", args=[job.pk]),
        "options": request.POST["options"],
        "harmless": action not in WORDING,
    }
    if not by_htmx(request):
        return render(request, "jobs/confirm.html", context)
    # What was pressed asks for a row; what it gets is a question.
    response = render(request, "jobs/parts/confirm.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#jd-dialog", "innerHTML"
    return response


def _done(request: HttpRequest, table: JobsTable, key: str, job: Job, notice: str) -> HttpResponse:
    if not by_htmx(request):
        messages.success(request, notice, fail_silently=True)
        return redirect(own_url(request, request.POST.get("next", "")) or reverse("jobs:list"))
    now = table.jobs(request.user).filter(pk=job.pk).first()
    context = {
        "table": table,
        "key": key,
        "job_id": job.pk,
        "row": table.row(now, request.user) if now is not None else None,
        "kind": "success",
        "notice": notice,
        "now": clock.now(),
    }
    # The page looks again soon: what was asked for is carried out in a moment.
    return _triggering(render(request, "jobs/table_acted.html", context))


def _refuse(request: HttpRequest, message: str, status: int) -> HttpResponse:
    if not by_htmx(request):
        back = own_url(request, request.POST.get("next", "")) or reverse("jobs:list")
        return render(request, "jobs/refused.html", {"message": message, "back": back}, status=status)
    context = {"kind": "warning", "notice": message}
    return _triggering(render(request, "jobs/parts/toast.html", context, status=status))


def _triggering(response: HttpResponse) -> HttpResponse:
    response["HX-Trigger"] = "jobs:acted"
    return response
