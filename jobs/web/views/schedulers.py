"""Schedulers, for operators: what is in reach, what their last tests found, and a button that tests."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from jobs import clock
from jobs.access.pages import by_htmx, login_needed
from jobs.health import SchedulerState
from jobs.health import schedulers as scheduler_states
from jobs.models import Scheduler
from jobs.scheduler_test import NotTestable, is_testable, want_test

LATE = timedelta(seconds=10)
"""A test that no worker has taken up by then: perhaps there is none."""

ONLY_STAFF = "Only staff of this site may see its schedulers."


@dataclass(frozen=True)
class Place:
    """A scheduler as the page shows it.

    Attributes:
        state: its row, its active jobs, and whether it is watched.
        where: host or address.
        label: what kind of place it is.
        admin_url: where it can be changed; empty for whoever may not.
        testable: it has a connection that can be tested.
    """

    state: SchedulerState
    where: str
    label: str
    admin_url: str
    testable: bool

    @property
    def row(self) -> Scheduler:
        return self.state.row

    @property
    def is_waiting(self) -> bool:
        """Whether a test was asked for that has not answered yet."""
        return self.row.test_wanted is not None

    @property
    def is_late(self) -> bool:
        """Whether no worker has taken it up for long."""
        return self.is_waiting and self.row.test_wanted < clock.now() - LATE

    @property
    def checks(self) -> list[dict]:
        """What the last test looked at."""
        return (self.row.last_test or {}).get("checks", [])

    @property
    def tested(self) -> datetime | None:
        """When the last test was."""
        return parse_datetime((self.row.last_test or {}).get("time", ""))

    @property
    def health(self) -> tuple[str, str]:
        """How it fares, as a kind ('good', 'ill' or 'soft') and in words."""
        if not self.row.reachable:
            return "ill", f"away, asked {self.row.failures} time{'' if self.row.failures == 1 else 's'}"
        if self.state.active and not self.state.watched:
            return "ill", "not watched"
        if self.state.active or not self.testable:
            return ("good", "in reach") if self.row.last_poll else ("soft", "not asked yet")
        if not self.row.last_test:
            return "soft", "not tested yet"
        return ("good", "in reach") if self.row.last_test.get("ok") else ("ill", "did not pass its last test")


@require_safe
@login_needed
def schedulers(request: HttpRequest) -> HttpResponse:
    """The page, or for its own script the part that changes. 403 for whoever is not staff, with who may."""
    if not request.user.is_staff:
        return _not_allowed(request)
    return _show(request)


@require_POST
@login_needed
def test_scheduler(request: HttpRequest, scheduler_id: int) -> HttpResponse:
    """Have a worker test a scheduler; the page shows what it finds.

    Answers: 403 for whoever is not staff; 404 no such scheduler; 409 one that cannot be tested.
    """
    if not request.user.is_staff:
        return _not_allowed(request)
    scheduler = get_object_or_404(Scheduler, pk=scheduler_id)
    try:
        want_test(scheduler)
    except NotTestable as error:
        if not by_htmx(request):
            context = {"message": str(error), "back": reverse("jobs:schedulers")}
            return render(request, "jobs/refused.html", context, status=409)
        return _show(request, status=409, kind="warning", notice=str(error))
    if not by_htmx(request):
        messages.info(request, f"{scheduler.name} is being tested; what works is shown here in a moment.")
        return redirect("jobs:schedulers")
    response = _show(request)
    # The page looks again soon: a test takes a few seconds.
    response["HX-Trigger"] = "jobs:acted"
    return response


def _show(request: HttpRequest, *, status: int = 200, **context) -> HttpResponse:
    places = _places(request.user)
    context |= {
        "places": places,
        "testing": any(place.is_waiting for place in places),
        "additions": [
            (model._meta.verbose_name, url) for model in _kinds() if (url := _admin_url(request.user, model, "add"))
        ],
        "now": clock.now(),
    }
    template = "jobs/schedulers_live.html" if by_htmx(request) else "jobs/schedulers.html"
    return render(request, template, context, status=status)


def _not_allowed(request: HttpRequest) -> HttpResponse:
    if by_htmx(request):
        return HttpResponse(ONLY_STAFF, status=403, content_type="text/plain")
    return render(request, "jobs/schedulers_not_allowed.html", status=403)


def _kinds() -> list[type[Scheduler]]:
    """The classes of schedulers that the installed engines have beside the core's own."""
    relations = Scheduler._meta.related_objects
    return [one.related_model for one in relations if getattr(one.field.remote_field, "parent_link", False)]


def _places(user) -> list[Place]:
    """All schedulers; the number of queries depends on the kinds that there are, not on the rows."""
    specific = {row.pk: row for kind in _kinds() for row in kind.objects.all()}
    return [_place(state, specific.get(state.row.pk, state.row), user) for state in scheduler_states()]


def _place(state: SchedulerState, row: Scheduler, user) -> Place:
    return Place(
        state,
        where=row.place,
        label=row._meta.verbose_name if type(row) is not Scheduler else row.type,
        admin_url=_admin_url(user, type(row), "change", row.pk),
        testable=is_testable(state.row),
    )


def _admin_url(user, model: type[Model], page: str, *args) -> str:
    """A page of the admin; empty where the site has none, or for whoever may not do that there."""
    meta = model._meta
    if not user.has_perm(f"{meta.app_label}.{page}_{meta.model_name}"):
        return ""
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)
    except NoReverseMatch:
        return ""
