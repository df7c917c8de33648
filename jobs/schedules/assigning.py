"""Which agents have which schedules, and how agents come to hear of it: `Agent.revision` rises, and they ask."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import F, QuerySet

from jobs import clock
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.due import give_up
from jobs.schedules.models import Agent, Assignment, Execution, Schedule

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
    """Have each schedule on just the agents that it is meant for; whoever has it, or had it, asks for it anew.

    What was due until `Schedule.written` has its row; from that very moment on the change counts.
    """
    with transaction.atomic():
        affected: set[int] = set()
        for schedule in schedules:
            wanted = set(schedule.wanted_agents().values_list("pk", flat=True))
            standing = dict(_in_order(schedule.assignments.standing()).values_list("agent_id", "pk"))
            ended = [pk for agent, pk in standing.items() if agent not in wanted]
            kept = [pk for agent, pk in standing.items() if agent in wanted]
            Assignment.objects.filter(pk__in=ended).update(until=schedule.written)
            # It may be due at other times now: what is not due yet follows the change.
            Assignment.objects.filter(pk__in=kept).update(since=schedule.written)
            _assign([(schedule.pk, agent) for agent in wanted - standing.keys()], schedule.written)
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
    who_may = _who_may()
    schedules = Schedule.objects.on_agents().filter(enabled=True, user__in=who_may)
    for row in schedules.only("pk", "on_all", "on_names", "on_tags"):
        names, tags = set(row.on_names), set(row.on_tags)
        wanted |= {
            (row.pk, agent.pk) for agent in agents if row.on_all or agent.name in names or tags & set(agent.tags)
        }
    asked = Execution.objects.filter(state=Execution.State.DUE, asked=True).exclude(agent=None)
    give_up(asked.exclude(schedule__user__in=who_may), "its author may not run commands any more")
    if wanted == standing.keys():
        return
    ended = sorted(standing[pair] for pair in standing.keys() - wanted)
    with transaction.atomic():
        for begin in range(0, len(ended), AT_ONCE):
            end_assignments(Assignment.objects.filter(pk__in=ended[begin : begin + AT_ONCE]))
        _assign(wanted - standing.keys(), clock.now())
        have_agents_ask({agent for _, agent in wanted ^ standing.keys()})


def _who_may() -> list:
    """The authors of schedules who may run commands; of others, nothing runs any more."""
    authors = get_user_model()._default_manager.filter(schedules__isnull=False, is_active=True).distinct()
    if list(settings.AUTHENTICATION_BACKENDS) == ["django.contrib.auth.backends.ModelBackend"]:
        # In one query, however many they are.
        return list(authors.filter(pk__in=ModelBackend().with_perm(RUN_COMMANDS).values("pk")))
    return [author for author in authors if author.has_perm(RUN_COMMANDS)]


def end_assignments(rows: QuerySet[Assignment]) -> None:
    """End those that stand; inside the caller's transaction."""
    standing = list(_in_order(rows.filter(until=None)).values_list("pk", flat=True))
    Assignment.objects.filter(pk__in=standing).update(until=clock.now())


def _in_order(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Locked, everywhere in one order: two transactions that are about the same rows do not wait for each other."""
    return rows.select_for_update(no_key=True).order_by("pk")


def _assign(pairs: Iterable[tuple[int, int]], since: datetime) -> None:
    made = [Assignment(schedule_id=schedule, agent_id=agent, since=since) for schedule, agent in sorted(pairs)]
    Assignment.objects.bulk_create(made, ignore_conflicts=True)
