"""What an agent is told, and what it says of itself; times as whole microseconds since 1970."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.core.cache import cache

from jobs import clock
from jobs.conf import conf
from jobs.schedules.access import may_have_run
from jobs.schedules.agent.output import MOST
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.due import give_up_unknown, moment_of
from jobs.schedules.models import Agent, Assignment, Execution, Schedule
from jobs.transitions import storable

FACTS_AGE = timedelta(seconds=10)
"""What changes all the time (load, clock) is written so often."""
CALLS_A_SECOND = 25
"""Of all agents together, that the site wants: with more agents each asks less often."""
_TEXTS = {"version": 40, "host": 200, "system": 200, "account": 100, "folder": 1000}
MOST_ALLOWED, LONGEST_ALLOWED = 1000, 1000
"""Of the commands that an agent says it runs, what is shown here: how many, and signs of each."""
_MOST = 2**31 - 1


def schedule_document(schedule: Schedule, since) -> dict:
    """A schedule, as its agent has to know it."""
    return {
        "id": str(schedule.uuid),
        "version": schedule.version,
        "name": schedule.name,
        "argv": schedule.argv,
        "shell": schedule.shell,
        "frequency": schedule.frequency,
        "zone": schedule.zone,
        "start": microseconds(schedule.start),
        "end": None if schedule.end is None else microseconds(schedule.end),
        "since": microseconds(since),
        "timeout": schedule.timeout,
        "overlap": schedule.overlap,
        "missed": schedule.missed,
        "keep": schedule.keep,
    }


def orders(agent: Agent, revision: int, running: Mapping[str, str]) -> dict:
    """The answer to `sync`.

    Args:
        agent: who asks.
        revision: that it has.
        running: its executions under way, each with its schedule.
    """
    answer = {
        "poll": _pause(),
        "output_limit": min(conf.EXECUTION_OUTPUT_LIMIT, MOST),
        "revision": agent.revision,
        "run": _to_run(agent),
        "stop": _to_stop(agent, running),
    }
    if revision != agent.revision:
        rows = Assignment.objects.standing().filter(agent=agent).select_related("schedule").order_by("schedule_id")
        answer["schedules"] = [schedule_document(row.schedule, row.since) for row in rows]
    answer["now"] = microseconds(clock.now())
    return answer


def note_facts(agent: Agent, said: Mapping) -> None:
    """Write what an agent says of itself, where that is news or some time has passed; and what follows from it."""
    facts = facts_of(said)
    started = said.get("started")
    if _is_number(started, 2**53):
        facts["started"] = moment_of(started)
    for name in ("unsent", "dropped", "cores"):
        if _is_number(said.get(name), _MOST):
            facts[name] = said[name]
    running = said.get("running")
    facts["running"] = len(running) if isinstance(running, Mapping) else 0
    allowed = said.get("allowed")
    if allowed is None or (isinstance(allowed, list) and all(isinstance(one, str) for one in allowed)):
        facts["allowed"] = allowed and [_text(one, LONGEST_ALLOWED) for one in allowed[:MOST_ALLOWED]]
    if _is_number(said.get("revision"), 2**53):
        facts["told"] = said["revision"]
    now = clock.now()
    is_news = any(getattr(agent, name) != value for name, value in facts.items())
    if not is_news and agent.facts_time is not None and now - agent.facts_time < FACTS_AGE:
        return
    facts["facts_time"] = now
    load, its_clock = said.get("load"), said.get("clock")
    if isinstance(load, int | float) and not isinstance(load, bool) and 0 <= load < 1e6:
        facts["load"] = round(load, 2)
    if _is_number(its_clock, 2**53):
        facts["clock_difference"] = round((its_clock - microseconds(now)) / 1e6, 3)
    Agent.objects.filter(pk=agent.pk).update(**facts)
    if said.get("unsent") == 0:
        give_up_unknown(agent, [UUID(one) for one in said.get("running") or {}])


def facts_of(said: Mapping) -> dict:
    """The texts that an agent says of itself, by the field of `Agent`."""
    return {name: _text(said[name], length) for name, length in _TEXTS.items() if isinstance(said.get(name), str)}


def _to_run(agent: Agent) -> list[dict]:
    asked = Execution.objects.filter(agent=agent, state=Execution.State.DUE, asked=True).select_related(
        "schedule__user"
    )
    return [
        {
            "id": str(one.pk),
            "due": microseconds(one.due),
            "schedule": schedule_document(one.schedule, one.schedule.start),
        }
        for one in asked.without_output().order_by("due")[:100]
        if may_have_run(one.schedule.user, "")
    ]


def _to_stop(agent: Agent, running: Mapping[str, str]) -> list[str]:
    if not running:
        return []
    wanted = set(
        Execution.objects.filter(agent=agent, pk__in=running, stop_wanted__isnull=False).values_list("pk", flat=True)
    )
    # A running one of which the row is missing is only too young; but one whose schedule is gone is nobody's any more.
    known = set(Schedule.objects.filter(uuid__in=set(running.values())).values_list("uuid", flat=True))
    known, wanted = {str(one) for one in known}, {str(one) for one in wanted}
    return [pk for pk, schedule in running.items() if pk in wanted or schedule not in known]


def _pause() -> float:
    """Seconds until an agent asks again."""
    count = cache.get("jobdeck-agents")
    if count is None:
        count = Agent.objects.heard().count()
        cache.set("jobdeck-agents", count, 10)
    return max(conf.AGENT_POLL, count / CALLS_A_SECOND)


def _text(said: str, most: int) -> str:
    return (storable(said) or "")[:most]


def _is_number(value, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
