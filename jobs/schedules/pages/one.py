"""The page of one schedule: what it is, the latest outputs side by side, and its history."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import login_needed
from jobs.schedules.access import may_see_agents, visible_schedule_or_404
from jobs.schedules.latest import latest_ids
from jobs.schedules.models import Agent, Execution, Schedule
from jobs.schedules.pages.history import history_of
from jobs.schedules.pages.live import Part, show_parts
from jobs.schedules.pages.marks import Strip, strips
from jobs.schedules.pages.wording import details_of, in_its_zone, next_times, what_of, when_of, where_of

LONGEST_SHOWN = 4000
"""Characters of an output that stand beside the others; the page of the execution has all that is kept."""
MOST_COLUMNS = 24
"""Agents whose outputs stand side by side, unless all are asked for."""


@dataclass(frozen=True)
class Column:
    """What an agent's latest execution printed.

    Attributes:
        agent: whose.
        execution: the latest that ran; None before the first.
        stdout: its end, as far as it is shown.
        stderr: the same.
    """

    agent: Agent
    execution: Execution | None = None
    stdout: str = ""
    stderr: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there is more to see on the page of the execution."""
        one = self.execution
        return one is not None and (self.stdout, self.stderr) != (one.stdout, one.stderr)


@require_safe
@login_needed
def schedule_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The page, or for its own script the parts that have changed."""
    schedule = visible_schedule_or_404(request.user, pk=pk)
    agents, latest = _agents(schedule)
    shown = agents if request.GET.get("outputs") == "all" else agents[:MOST_COLUMNS]
    strip, history = strips([schedule]).get(schedule.pk, Strip()), history_of(request, schedule)
    moments = next_times(schedule, clock.now()) if schedule.enabled else []
    context = {
        "schedule": schedule,
        "strip": strip,
        "what": what_of(schedule),
        "details": details_of(schedule, request.user),
        "when": when_of(schedule),
        "where": where_of(schedule),
        "next_times": [(moment, in_its_zone(moment)) for moment in moments],
        "columns": partial(_columns, shown, latest),
        "left_out": len(agents) - len(shown),
        "history": history,
        "starts_later": schedule.start > clock.now(),
        "may_see_agents": may_see_agents(request.user),
        "here": request.path,
    }
    columns = [(one.pk, one.name, one.is_silent, one.removed, latest.get(one.pk)) for one in shown]
    parts = [
        Part("head", "jobs_schedules/schedule_head.html", schedule.version),
        Part("now", "jobs_schedules/schedule_now.html", (schedule.version, moments, strip.signature)),
        Part("facts", "jobs_schedules/schedule_facts.html", (schedule.version, context["starts_later"])),
        Part("latest", "jobs_schedules/schedule_latest.html", (columns, len(agents))),
        Part("history", "jobs_schedules/schedule_history.html", history.signature),
    ]
    return show_parts(request, "jobs_schedules/schedule.html", parts, context)


def _agents(schedule: Schedule) -> tuple[list[Agent], dict[int, UUID]]:
    """The agents that have the schedule or have run it, by their names; and by agent what ran there last."""
    if schedule.is_job:
        return [], {}
    latest = latest_ids(schedule)
    standing = Agent.objects.filter(assignments__schedule=schedule, assignments__until=None)
    found = {one.pk: one for one in standing} | Agent.objects.in_bulk(list(latest))
    return sorted(found.values(), key=lambda one: (one.name, one.pk)), latest


def _columns(agents: list[Agent], latest: dict[int, UUID]) -> list[Column]:
    ran = Execution.objects.in_bulk([latest[one.pk] for one in agents if one.pk in latest])
    return [_column(one, ran.get(latest.get(one.pk))) for one in agents]


def _column(agent: Agent, execution: Execution | None) -> Column:
    if execution is None:
        return Column(agent)
    return Column(agent, execution, execution.stdout[-LONGEST_SHOWN:], execution.stderr[-LONGEST_SHOWN:])
