"""Which agents have which schedules, and how agents come to hear of it: `Agent.revision` rises, and they ask."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import F

from jobs import clock
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.models import Agent, Assignment, Schedule

AT_ONCE = 5000
"""Rows in one statement."""


def have_agents_ask(agent_ids: Iterable[int]) -> None:
    """Let agents know that there is something new; inside the caller's transaction, which also writes what is new."""
    ids = sorted(set(agent_ids))
    if ids:
        # One after the other in one order: two transactions that are about the same agents do not wait for each other.
        locked = (
            Agent.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True)
        )
        Agent.objects.filter(pk__in=list(locked)).update(revision=F("revision") + 1)


def reassign(schedules: Iterable[Schedule]) -> None:
    """Have each schedule on just the agents that it is meant for; whoever has it, or had it, asks for it anew."""
    now = clock.now()
    with transaction.atomic():
        affected: set[int] = set()
        for schedule in schedules:
            wanted = set(schedule.wanted_agents().values_list("pk", flat=True))
            standing = dict(schedule.assignments.standing().values_list("agent_id", "pk"))
            ended = [pk for agent, pk in standing.items() if agent not in wanted]
            kept = [pk for agent, pk in standing.items() if agent in wanted]
            Assignment.objects.filter(pk__in=ended).update(until=now)
            # It may be due at other times now: what is not due yet follows the change.
            Assignment.objects.filter(pk__in=kept).update(since=now)
            _assign([(schedule.pk, agent) for agent in wanted - standing.keys()])
            affected |= wanted | standing.keys()
        have_agents_ask(affected)


def reconcile() -> None:
    """Mend what two changes at the same moment left out: an agent that came, or changed, while a schedule was made.

    A service of the monitor. It also has an agent get what it is meant for after its name or tags were changed, and nothing any
    more of who may not run commands any more.
    """
    agents = list(Agent.objects.enrolled().only("pk", "name", "tags"))
    rows = Assignment.objects.standing().values_list("schedule_id", "agent_id", "pk")
    standing = {(schedule, agent): pk for schedule, agent, pk in rows}
    wanted: set[tuple[int, int]] = set()
    schedules = Schedule.objects.on_agents().filter(enabled=True, user__in=_who_may())
    for row in schedules.only("pk", "on_all", "on_names", "on_tags"):
        names, tags = set(row.on_names), set(row.on_tags)
        wanted |= {
            (row.pk, agent.pk) for agent in agents if row.on_all or agent.name in names or tags & set(agent.tags)
        }
    if wanted == standing.keys():
        return
    ended = sorted(standing[pair] for pair in standing.keys() - wanted)
    with transaction.atomic():
        for begin in range(0, len(ended), AT_ONCE):
            some = Assignment.objects.standing().filter(pk__in=ended[begin : begin + AT_ONCE])
            some.update(until=clock.now())
        _assign(wanted - standing.keys())
        have_agents_ask({agent for _, agent in wanted ^ standing.keys()})


def _who_may() -> list:
    """The authors of schedules who may run commands; of others, nothing runs any more."""
    authors = get_user_model()._default_manager.filter(schedules__isnull=False, is_active=True).distinct()
    if list(settings.AUTHENTICATION_BACKENDS) == ["django.contrib.auth.backends.ModelBackend"]:
        # In one query, however many they are.
        return list(authors.filter(pk__in=ModelBackend().with_perm(RUN_COMMANDS).values("pk")))
    return [author for author in authors if author.has_perm(RUN_COMMANDS)]


def _assign(pairs: Iterable[tuple[int, int]]) -> None:
    now = clock.now()
    made = [Assignment(schedule_id=schedule, agent_id=agent, since=now) for schedule, agent in sorted(pairs)]
    Assignment.objects.bulk_create(made, ignore_conflicts=True)
