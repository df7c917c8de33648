"""Facts of schedules and agents for the health page and `/healthz`."""

from datetime import timedelta

from django.db.models import Count, Q

from jobs import clock
from jobs.conf import conf
from jobs.schedules.models import Agent, Execution, Schedule


def facts() -> dict:
    """How many there are, what is silent, and what waits to be heard of; three queries."""
    recently = clock.now() - timedelta(seconds=conf.AGENT_SILENT)
    agents = list(Agent.objects.enrolled().values_list("last_seen", "address"))
    heard = sum(seen is not None and seen >= recently for seen, _ in agents)
    waiting = Execution.objects.open().aggregate(
        running=Count("pk", filter=Q(state=Execution.State.RUNNING)), late=Count("pk", filter=Q(due__lt=recently))
    )
    return {
        "schedules": Schedule.objects.filter(enabled=True).count(),
        "agents": heard,
        "silent_agents": len(agents) - heard,
        "running_commands": waiting["running"],
        "due_and_not_heard_of": waiting["late"],
        "servers_without_an_agent_of_this_site": len(set(conf.AVAILABLE_SERVERS) - {address for _, address in agents}),
    }
