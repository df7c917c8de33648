"""The workers for functions, for operators: what each takes, has and runs, and when it was last heard of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import by_htmx, login_needed
from jobs.conf import conf
from jobs.functions.models import CallState, FunctionCall, FunctionWorker
from jobs.functions.registry import functions
from jobs.models import job_rows
from jobs.permissions import visible_jobs

ONLY_STAFF = "Only staff of this site may see its workers."


@dataclass(frozen=True)
class Versions:
    """The functions that a worker has, by name.

    Attributes:
        same: in the version of this site.
        other: in another one, so that jobs wait for another worker.
        unknown: that this site has not.
    """

    same: Sequence[str]
    other: Sequence[str]
    unknown: Sequence[str]


@dataclass(frozen=True)
class Running:
    """A call that runs, and for how long already."""

    call: FunctionCall
    took: timedelta | None


@dataclass(frozen=True)
class ShownWorker:
    """A worker as the page shows it; `hidden` is how many calls it runs whose jobs the reader may not see."""

    row: FunctionWorker
    versions: Versions
    running: Sequence[Running]
    hidden: int

    @property
    def load(self) -> int:
        """Calls that it runs."""
        return len(self.running) + self.hidden

    @property
    def health(self) -> tuple[str, str]:
        """How it fares, as a kind ('good', 'ill' or 'soft') and in words."""
        if not self.row.is_alive:
            return "ill", "silent"
        return ("soft", "leaving: it takes no more") if self.row.leaving else ("good", "lives")


@require_safe
@login_needed
def workers_page(request: HttpRequest) -> HttpResponse:
    """The page, or for its own script the part that changes. 403 for whoever is not staff, with who may."""
    if not request.user.is_staff:
        if by_htmx(request):
            return HttpResponse(ONLY_STAFF, status=403, content_type="text/plain")
        return render(request, "jobs_functions/workers_not_allowed.html", status=403)
    workers = shown_workers(request.user)
    context = {
        "workers": workers,
        "active": any(worker.load for worker in workers),
        "age": conf.HEARTBEAT_AGE,
        "now": clock.now(),
    }
    template = "jobs_functions/workers_live.html" if by_htmx(request) else "jobs_functions/workers.html"
    return render(request, template, context)


def shown_workers(user) -> list[ShownWorker]:
    """All workers that live or lived within the last day; three queries."""
    rows = list(FunctionWorker.objects.all())
    calls = FunctionCall.objects.filter(state=CallState.RUNNING, worker__in=[row.holder for row in rows])
    calls = list(calls.select_related("job").defer("result").order_by("started"))
    jobs = job_rows().filter(pk__in=[call.job_id for call in calls], hidden=False)
    visible = set(visible_jobs(jobs, user).values_list("pk", flat=True))
    by_worker = defaultdict(list)
    for call in calls:
        by_worker[call.worker].append(call)
    here = {function.name: function.route for function in functions()}
    return [_shown(row, by_worker[row.holder], visible, here) for row in rows]


def _shown(row: FunctionWorker, calls: list[FunctionCall], visible: set[int], here: dict[str, str]) -> ShownWorker:
    now = clock.now()
    running = [Running(call, call.started and now - call.started) for call in calls if call.job_id in visible]
    return ShownWorker(row, versions_of(row, here), running, len(calls) - len(running))


def versions_of(row: FunctionWorker, here: dict[str, str]) -> Versions:
    """What a worker has, beside what this site has by name and route."""
    names = {route.rpartition(":")[0]: route for route in row.routes}
    return Versions(
        [name for name, route in names.items() if here.get(name) == route],
        [name for name, route in names.items() if name in here and here[name] != route],
        [name for name in names if name not in here],
    )
