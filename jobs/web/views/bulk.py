"""Bulk actions: how many first, then once for all of them, then what each job answered."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from jobs import bulk
from jobs.access.pages import by_htmx, login_needed
from jobs.counting import MOST_COUNTED, Count
from jobs.filters import JobFilter
from jobs.models import Action, BulkAction, BulkJob, job_rows
from jobs.paging import number
from jobs.permissions import sees_all
from jobs.web.rows import rows_of, table_jobs

ANSWERS = 100
"""Answers of one kind on a page."""


@dataclass(frozen=True)
class Words:
    """The words of an action on many jobs.

    Attributes:
        command: 'Stop', before '3 jobs'.
        doing: the title of its page while it goes on and afterwards, before '3 jobs'.
        consequence: of answering the question with yes.
        can: 'can be stopped', of those that are in a status for it.
    """

    command: str
    doing: str
    consequence: str
    can: str


WORDS: dict[str, Words] = {
    Action.RUN: Words("Run", "Running", "Each starts as soon as there is room.", "can be run"),
    Action.PAUSE: Words("Pause", "Pausing", "Each keeps its place and can go on later.", "can be paused"),
    Action.RESUME: Words("Resume", "Resuming", "Each goes on where it was paused.", "can be resumed"),
    Action.STOP: Words(
        "Stop",
        "Stopping",
        "Each is ended together with everything it started. What they have written so far stays.",
        "can be stopped",
    ),
    Action.RESUBMIT: Words("Resubmit", "Resubmitting", "Each runs once more, as a new attempt.", "can be resubmitted"),
    Action.RESCUE: Words(
        "Resubmit what failed",
        "Resubmitting what failed",
        "Each goes on from where it failed, as a new attempt.",
        "can go on from where they failed",
    ),
    Action.PROCESS_AGAIN: Words(
        "Process again",
        "Processing again",
        "The results of each are processed once more.",
        "failed, some of them perhaps when their results were processed",
    ),
    Action.DELETE: Words(
        "Delete",
        "Deleting",
        "Those that run are stopped first. Their logs, their results and their history are removed for good.",
        "can be deleted",
    ),
}


@require_safe
@login_needed
def confirm_bulk(request: HttpRequest) -> HttpResponse:
    """The question: how many jobs it is about, and how many of them can be asked. For a dialog, or a page of its own.

    `?action=stop&job=1&job=2` for jobs that were ticked, `?action=stop&all=1` with a list's filters for all that match.
    400 for what is no action, no job, or no filter.
    """
    query = request.GET
    try:
        action = bulk.action_named(query.get("action", ""))
        context = _by_filter(request, action) if query.get("all") else _by_ids(request, action)
    except bulk.BulkRefused as error:
        return _refused(request, error)
    context |= {"action": action, "words": WORDS[action], "back": f"{reverse('jobs:list')}?{_list_query(request)}"}
    return render(request, "jobs/parts/confirm_bulk.html" if by_htmx(request) else "jobs/confirm_bulk.html", context)


def _by_filter(request: HttpRequest, action: Action) -> dict:
    found = JobFilter(request.GET, user=request.user)
    bulk.check(found)
    extent = bulk.extent(found, action)
    fixed = [(name, value) for name, values in found.fixed().items() for value in values]
    hidden = [("all", "1"), ("until", extent.until), *fixed]
    return {"matching": extent.matching, "possible": extent.possible, "hidden": hidden, "by_filter": True}


def _by_ids(request: HttpRequest, action: Action) -> dict:
    ids = _ids(request.GET)
    rows = rows_of(table_jobs(request.user).filter(pk__in=ids), request.user)
    possible = sum(action in row.actions for row in rows)
    return {
        "matching": Count(len(rows)),
        "possible": Count(possible),
        "hidden": [("job", job_id) for job_id in ids],
        "names": [row.job.name for row in rows][:5],
        "unknown": len(set(ids)) - len(rows),
    }


@require_POST
@login_needed
def create_bulk(request: HttpRequest) -> HttpResponse:
    """Write the action down, and lead to the page that shows how far it is.

    303; 400 for what is no action, no job, or no filter: then nothing was done.
    """
    post = request.POST
    try:
        action = bulk.action_named(post.get("action", ""))
        if post.get("all"):
            made = bulk.by_filter(request.user, action, post, until=number(post.get("until")))
        else:
            made = bulk.by_ids(request.user, action, _ids(post))
    except bulk.BulkRefused as error:
        return _refused(request, error)
    response = redirect("jobs:bulk_action", made.pk)
    response.status_code = 303
    return response


@require_safe
@login_needed
def bulk_action(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """How far a bulk action is, and what its jobs answered; 404 where it is somebody else's."""
    seen = BulkAction.objects.all() if sees_all(request.user) else BulkAction.objects.of(request.user)
    made = get_object_or_404(seen.select_related("user"), pk=bulk_id)
    outcome = request.GET.get("answer") or (BulkJob.Outcome.REFUSED if made.refused else BulkJob.Outcome.DONE)
    if outcome not in BulkJob.Outcome.values:
        raise Http404("There is no such answer.")
    after = number(request.GET.get("after")) or 0
    answers = list(bulk.answers(made, outcome, after=after, most=ANSWERS + 1))
    there = job_rows().shown().visible_to(request.user).filter(pk__in=[answer.job_id for answer in answers])
    context = {
        "bulk": made,
        "words": WORDS[made.action],
        "total": Count(made.total).jobs if made.total <= MOST_COUNTED else f"{made.total:,} jobs",
        "percent": 100 * (made.done + made.refused) / made.total if made.total else 100,
        "outcome": outcome,
        "answers": answers[:ANSWERS],
        "there": set(there.values_list("pk", flat=True)),
        "more_after": answers[ANSWERS - 1].job_id if len(answers) > ANSWERS else None,
        "after": after,
    }
    return render(request, "jobs/parts/bulk_state.html" if by_htmx(request) else "jobs/bulk.html", context)


def _ids(query) -> list[int]:
    ids = []
    for text in query.getlist("job"):
        job_id = number(text)
        if job_id is None:
            raise bulk.BulkRefused(f"job: {text[:40]!r} is not the id of a job")
        ids.append(job_id)
    if not ids:
        raise bulk.BulkRefused("No job is ticked. Tick some in the list, or choose all that match the filter.")
    if len(ids) > bulk.MOST_IDS:
        raise bulk.BulkRefused(f"job: name at most {bulk.MOST_IDS:,} jobs, or choose them by a filter")
    return ids


def _list_query(request: HttpRequest) -> str:
    return JobFilter(request.GET, user=request.user).query()


def _refused(request: HttpRequest, error: bulk.BulkRefused) -> HttpResponse:
    part = by_htmx(request)
    # Of the answers that say no, a page's script shows those of 409 in its dialog.
    status = 409 if part else 400
    context = {"message": str(error), "back": reverse("jobs:list")}
    return render(request, "jobs/parts/bulk_refused.html" if part else "jobs/bulk_refused.html", context, status=status)
