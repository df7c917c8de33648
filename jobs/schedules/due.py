"""Due times as rows: written when their time comes, given up when no word comes, forgotten when they are many.

Services of the monitor. Agents decide about due times by themselves, also while they cannot reach the site; the row is what
the site expects to hear about. Two monitors do no harm: the id of a row follows from schedule, agent and due time.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from jobs import clock
from jobs.faultpoints import FaultPoint
from jobs.schedules.agent.timetable import FrequencyError, execution_id, microseconds
from jobs.schedules.models import Agent, Assignment, Execution, Schedule
from jobs.transactions import committing

WRITE_DUE = FaultPoint("schedules.write_due")

AT_ONCE = 100
"""Schedules in one transaction."""
NO_WORD = timedelta(hours=25)
"""After that an agent that was away has thrown away what it had to tell."""
SETTLED = timedelta(seconds=60)
"""So long after it has the newest schedules, an agent has said what it had to say of older ones."""


log = logging.getLogger(__name__)


def moment_of(number: int) -> datetime:
    """Microseconds since 1970 as an aware moment, exactly."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=number)


def write_due(schedule: Schedule) -> None:
    """Write the rows of what became due; inside the caller's transaction, which has the schedule's row locked.

    Raises:
        FrequencyError: this machine does not know its time zone any more; nothing was written.
    """
    dues = _became_due(schedule)
    _write({schedule: dues})


def _became_due(schedule: Schedule) -> list[int]:
    """What became due; the object, not yet its row, says from then on that it is written.

    Of a long time in which no monitor ran, only so much as is kept for each agent.
    """
    now = microseconds(clock.now())
    timetable, written = schedule.timetable, microseconds(schedule.written)
    dues = timetable.last(written, now, schedule.keep) if schedule.enabled else []
    following = timetable.after(max(now, written)) if schedule.enabled else None
    schedule.written = moment_of(max(now, written))
    schedule.next_due = None if following is None else moment_of(following)
    return dues


def _write(became_due: Mapping[Schedule, list[int]]) -> None:
    """Write schedules and rows; as many statements for a hundred schedules as for one."""
    Schedule.objects.bulk_update(became_due, ["written", "next_due"])
    earliest = min((dues[0] for dues in became_due.values() if dues), default=None)
    if earliest is None:
        return
    agents: dict[int, list] = {one.pk: [(None, None, one.start, None)] for one in became_due if one.is_job}
    # Also whose agent had it then, and has it no more.
    had = Assignment.objects.filter(Q(until=None) | Q(until__gte=moment_of(earliest)))
    had = had.filter(schedule__in=[one for one, dues in became_due.items() if dues and not one.is_job])
    for schedule, *agent in had.values_list("schedule_id", "agent_id", "agent__uuid", "since", "until"):
        agents.setdefault(schedule, []).append(agent)
    rows = [
        Execution(id=execution_id(schedule.uuid, uuid, due), schedule=schedule, agent_id=agent, due=moment_of(due))
        for schedule, dues in became_due.items()
        for agent, uuid, since, until in agents.get(schedule.pk, ())
        for due in dues
        if due > microseconds(since) and (until is None or due <= microseconds(until))
    ]
    # In one order, as reports do: two that insert the same ids in two orders would wait for each other for ever.
    rows.sort(key=lambda row: row.pk)
    Execution.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


def write_all_due() -> None:
    """Write the rows of everything that became due."""
    due = Schedule.objects.order_by("next_due", "pk")
    # Looked at first without a transaction: on SQLite each would be a writer's.
    while due.filter(next_due__lte=clock.now()).exists():
        with committing(WRITE_DUE):
            # Who reports an execution of which the row is not there yet inserts it, and so holds a key share of the schedule.
            locked = due.filter(next_due__lte=clock.now()).select_for_update(skip_locked=True, no_key=True)
            some = list(locked[:AT_ONCE])
            became_due: dict[Schedule, list[int]] = {}
            for schedule in some:
                try:
                    became_due[schedule] = _became_due(schedule)
                except FrequencyError as error:
                    log.error(
                        "schedule %s (%s): nothing of it is due, its zone is unknown: %s", schedule.pk, schedule, error
                    )
                    schedule.next_due = clock.now() + timedelta(minutes=1)
                    became_due[schedule] = []
            _write(became_due)
        if len(some) < AT_ONCE:  # what another monitor has locked is its own
            return


def assume_missed() -> None:
    """Give up what nobody is going to say anything about; should its agent do so after all, that stands."""
    now = clock.now()
    open_ones = Execution.objects.open().exclude(agent=None)
    give_up_removed()
    give_up(open_ones.filter(due__lt=now - NO_WORD, state=Execution.State.DUE), "no word of it came within a day")
    silent = open_ones.filter(state=Execution.State.RUNNING, agent__last_seen__lt=now - NO_WORD)
    give_up(silent, "outcome unknown: nothing was heard of its agent for a day")
    # Its agent never had the schedule for that time: it was paused, changed or deleted before the agent asked again.
    has_it = Assignment.objects.standing().filter(
        schedule=OuterRef("schedule"), agent=OuterRef("agent"), since__lt=OuterRef("due")
    )
    told = Agent.objects.filter(pk=OuterRef("agent"), told=F("revision"), unsent=0, last_seen__gt=now - SETTLED)
    unknown = open_ones.filter(state=Execution.State.DUE, asked=False, due__lt=now - SETTLED)
    give_up(Execution.objects.open().filter(agent=None, schedule__job_type=""), "the schedule starts no jobs any more")
    give_up(
        unknown.exclude(Exists(has_it)).filter(Exists(told)), "the schedule was changed or paused before it was run"
    )


def give_up_removed() -> None:
    """Give up what agents that were removed had yet to say."""
    removed = Execution.objects.open().filter(agent__removed__isnull=False)
    give_up(removed, "its agent was removed before it said what came of it")


def give_up_unknown(agent: Agent, running: Collection[UUID]) -> None:
    """Give up what an agent was said to run and does not know any more, as where its folder was brought back from a copy.

    Args:
        agent: who has nothing left to say.
        running: what it runs.
    """
    unknown = Execution.objects.filter(agent=agent, state=Execution.State.RUNNING).exclude(pk__in=running)
    give_up(unknown, "outcome unknown: its agent knows nothing of it any more")


def give_up(rows: QuerySet[Execution], reason: str) -> None:
    """Write that these were missed, as far as is known; those that an agent is speaking of just now are left to it."""
    if not rows.exists():  # without a transaction: on SQLite each would be a writer's
        return
    with transaction.atomic():
        free = rows.select_for_update(of=("self",), skip_locked=True)
        ids = list(free.order_by().values_list("pk", flat=True)[:5000])
        if ids:
            Execution.objects.filter(pk__in=ids).update(
                state=Execution.State.MISSED, assumed=True, reason=reason, reported=clock.now()
            )


def forget_old() -> None:
    """Remove executions beyond those that are kept for each agent; what is running stays."""
    kept = Execution.objects.order_by().values("schedule", "agent", "schedule__keep").annotate(number=Count("pk"))
    many = kept.filter(number__gt=F("schedule__keep"))
    for schedule, agent, keep in many.values_list("schedule", "agent", "schedule__keep"):
        mine = Execution.objects.filter(schedule=schedule, agent=agent)
        cut = mine.order_by("-due").values_list("due", flat=True)[keep - 1 : keep]
        old = mine.filter(due__lt=Subquery(cut)).exclude(state=Execution.State.RUNNING)
        while ids := list(old.values_list("pk", flat=True)[:5000]):
            rows = Execution.objects.filter(pk__in=ids)
            rows._raw_delete(rows.db)
