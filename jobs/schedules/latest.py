"""The latest outputs of a schedule."""

from uuid import UUID

from django.db.models import OuterRef, Subquery

from jobs.schedules.models import Agent, Execution, Schedule


def latest_ids(schedule: Schedule) -> dict[int, UUID]:
    """By agent, which execution ran there last, of all agents that ever had the schedule and ran it.

    For each agent one look into an index, however many executions are kept; no output is read.
    """
    ran = Execution.objects.filter(schedule=schedule, state=Execution.State.RAN)
    newest = ran.filter(agent=OuterRef("pk")).order_by("-due").values("pk")[:1]
    agents = Agent.objects.filter(assignments__schedule=schedule).distinct()
    found = agents.annotate(latest=Subquery(newest)).values_list("pk", "latest")
    return {agent: pk for agent, pk in found if pk is not None}


def latest_executions(schedule: Schedule) -> list[Execution]:
    """The latest execution that ran on each agent that ever had the schedule, with agent and outputs; by agents' names."""
    found = Execution.objects.filter(pk__in=latest_ids(schedule).values())
    return list(found.select_related("agent", "job").order_by("agent__name", "agent_id"))
