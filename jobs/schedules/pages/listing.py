"""The list of schedules."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import login_needed
from jobs.paging import number
from jobs.permissions import sees_all
from jobs.schedules.access import may_see_agents
from jobs.schedules.forms import may_make_schedules
from jobs.schedules.models import Agent, Schedule
from jobs.schedules.models.execution import LATE
from jobs.schedules.pages.live import show
from jobs.schedules.pages.marks import Strip, strips
from jobs.schedules.pages.wording import what_of, when_of, where_of

SIZE = 50


@dataclass(frozen=True)
class Row:
    """A schedule as the list has it."""

    schedule: Schedule
    strip: Strip
    what: str
    when: str
    where: str

    @property
    def signature(self) -> tuple:
        """What is another one when it has to be shown anew."""
        one = self.schedule
        return (one.pk, one.version, str(one.next_due), self.is_overdue, self.strip.signature)

    @property
    def is_overdue(self) -> bool:
        """Whether its due time passed without anybody writing it down: that is done within a second while a monitor runs."""
        due = self.schedule.next_due
        return due is not None and (clock.now() - due).total_seconds() > LATE


@require_safe
@login_needed
def schedules_page(request: HttpRequest) -> HttpResponse:
    """The schedules that the person may see, by their names; for the page's own script the part that changes."""
    text, page = request.GET.get("text", "").replace("\0", "").strip(), number(request.GET.get("page")) or 1
    found = Schedule.objects.visible_to(request.user)
    all_people, mine = sees_all(request.user), request.GET.get("whose") == "mine"
    if all_people and mine:
        found = found.filter(user=request.user)
    asked = {"text": text, "whose": "mine" if all_people and mine else ""}
    if text:
        found = found.filter(Q(name__icontains=text) | Q(shell__icontains=text) | Q(user__username__iexact=text))
    first = (min(page, 10_000) - 1) * SIZE
    some = list(found.select_related("user").order_by("name", "pk")[first : first + SIZE + 1])
    shown, more = some[:SIZE], len(some) > SIZE
    by_schedule = strips(shown)
    rows = [Row(one, by_schedule.get(one.pk, Strip()), what_of(one), when_of(one), where_of(one)) for one in shown]
    may_see = may_see_agents(request.user)
    context = {
        "rows": rows,
        "text": text,
        "may_create": may_make_schedules(request.user),
        "may_see_agents": may_see,
        "all_people": all_people,
        "whose": [
            ("Everybody's", _url(asked, whose=""), not asked["whose"]),
            ("Mine", _url(asked, whose="mine"), bool(asked["whose"])),
        ],
        "mine": asked["whose"],
        "agents": Agent.objects.enrolled().count() if may_see else 0,
        "heard": Agent.objects.heard().count() if may_see else 0,
        "previous": _url(asked, page=page - 1) if page > 1 else "",
        "following": _url(asked, page=page + 1) if more else "",
        "here": request.get_full_path(),
    }
    facts = [row.signature for row in rows]
    return show(
        request,
        "jobs_schedules/schedules.html",
        "jobs_schedules/schedules_live.html",
        context,
        (facts, context["agents"], context["heard"]),
    )


def _url(asked: dict, **changed) -> str:
    changed = {name: value for name, value in {**asked, **changed}.items() if value and (name, value) != ("page", 1)}
    return reverse("jobs_schedules:schedules") + (f"?{urlencode(changed)}" if changed else "")
