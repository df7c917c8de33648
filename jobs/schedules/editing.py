"""Schedules made, changed, paused, run at once and deleted; everybody's way in: pages, REST, dialect and app code."""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from jobs import clock
from jobs.errors import JobError, UnknownJobType
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.access import may_have_run
from jobs.schedules.agent.timetable import FrequencyError, Timetable, execution_id, microseconds, zone_of
from jobs.schedules.assigning import have_agents_ask, reassign
from jobs.schedules.due import moment_of, write_due
from jobs.schedules.models import Agent, Execution, Schedule
from jobs.schedules.models.agent import NAME
from jobs.transitions import storable
from jobs.types import get_type

SETTABLE = (
    *("name", "description", "argv", "shell", "timeout", "on_all", "on_names", "on_tags", "job_type", "job_values"),
    *("frequency", "zone", "start", "end", "enabled", "overlap", "missed", "keep"),
)
"""What its author may set."""
WHAT = ("argv", "shell", "job_type", "job_values")
"""What is run."""
LONGEST_COMMAND = 100_000
"""Bytes."""
MOST_NAMED = 1000
YEARS = (1970, 3000)
"""Of start and end: due times are reckoned from them, and may not leave the calendar."""


class ScheduleInvalid(JobError, ValueError):
    """Something about a schedule is wrong.

    Attributes:
        errors: field to what is wrong with it and what would do.
    """

    def __init__(self, errors: dict[str, str]):
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))
        self.errors = errors


class ScheduleNotAllowed(JobError):
    """Its author may not run such a thing."""


def create_schedule(user, **values) -> Schedule:
    """Make a schedule; its agents have it within seconds.

    Args:
        user: whose it is, and in whose name jobs are started.
        **values: of `SETTABLE`. `name` and `frequency` must be given; `argv`, `shell` or `job_type` too. Left out, `start`
            is now.

    Raises:
        ScheduleInvalid: names each field that is wrong.
        ScheduleNotAllowed: `user` may not run commands, or not make jobs of that type.
    """
    now = clock.now()
    schedule = Schedule(user=user, created=now, written=now, **_known(values))
    schedule.start = schedule.start or now
    _check(schedule)
    _save(schedule)
    return schedule


def change_schedule(schedule: Schedule, *, by=None, **values) -> Schedule:
    """Change a schedule; what is due from now on follows the change, what is running goes on.

    Args:
        schedule: to be changed.
        by: who changes it, where that is a person: what another runs is changed only by whoever may run that too.
        **values: of `SETTABLE`.

    Raises:
        ScheduleInvalid, ScheduleNotAllowed: as for a new one; nothing was changed.
    """
    with transaction.atomic():
        schedule = _locked(schedule)
        before = _what(schedule)
        for name, value in _known(values).items():
            setattr(schedule, name, value)
        _check(schedule)
        others = by is not None and by.pk != schedule.user_id
        if others and _what(schedule) != before and not may_have_run(by, schedule.job_type):
            raise ScheduleNotAllowed(f"{by} may not run such a thing, and so may not have {schedule.user} run it.")
        _save_change(schedule)
    return schedule


def pause(schedule: Schedule) -> Schedule:
    """Nothing of it is due any more, until `resume`; whatever else is wrong with it by now."""
    with transaction.atomic():
        schedule = _locked(schedule)
        schedule.enabled = False
        _save_change(schedule)
    return schedule


def resume(schedule: Schedule) -> Schedule:
    """It goes on with the next due time; those that passed meanwhile are none."""
    return change_schedule(schedule, enabled=True)


def run_now(schedule: Schedule, agents: Iterable[Agent] | None = None) -> list[Execution]:
    """Have it run now, beside its due times; also where it is paused.

    Args:
        schedule: of commands or of a job.
        agents: on these; None: on all that it is meant for.

    Raises:
        ScheduleInvalid: there is no agent to run it on.
        ScheduleNotAllowed: its author may not run such a thing any more.
    """
    now = clock.now()
    if not may_have_run(schedule.user, schedule.job_type):
        raise ScheduleNotAllowed(f"{schedule.user} may not run such a thing any more; staff can permit it.")
    if schedule.is_job:
        chosen: list[Agent | None] = [None]
    else:
        meant = Schedule(enabled=True, on_all=schedule.on_all, on_names=schedule.on_names, on_tags=schedule.on_tags)
        chosen = list(meant.wanted_agents() if agents is None else agents)
    if not chosen:
        raise ScheduleInvalid({"agents": "it is meant for no agent that is enrolled here; enrol one, or choose others"})
    number = microseconds(now)
    made = [
        Execution(
            id=execution_id(schedule.uuid, one and one.uuid, number),
            schedule=schedule,
            agent=one,
            due=moment_of(number),
            asked=True,
        )
        for one in chosen
    ]
    with transaction.atomic():
        Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)  # not deleted meanwhile
        Execution.objects.bulk_create(made, ignore_conflicts=True)
        have_agents_ask([one.pk for one in chosen if one is not None])
    return made


def stop_execution(execution: Execution) -> bool:
    """Have its agent end a running one; whether there was anything to end. A job that it started is stopped by itself."""
    with transaction.atomic():
        open_ones = Execution.objects.open().filter(pk=execution.pk, stop_wanted=None).exclude(agent=None)
        found = bool(open_ones.update(stop_wanted=clock.now()))
        if found:
            have_agents_ask([execution.agent_id])
    return found


def delete_schedule(schedule: Schedule) -> None:
    """Remove it with its executions. What is running on agents is ended; jobs that it started stay."""
    with transaction.atomic():
        # Before the schedule, and in the order in which reports lock them: a report does not wait for us while we do for it.
        list(schedule.executions.order_by("pk").select_for_update().values_list("pk", flat=True))
        # Whole, also for who would insert a row that refers to it: none is written between what is removed here and the end.
        Schedule.objects.select_for_update().filter(pk=schedule.pk).first()
        agents = list(schedule.assignments.standing().values_list("agent_id", flat=True))
        running = schedule.executions.open().exclude(agent=None).values_list("agent_id", flat=True).distinct()
        agents = sorted({*agents, *running})
        # In one statement: rows in their thousands are not loaded one by one to be deleted.
        executions = schedule.executions.all()
        executions._raw_delete(executions.db)
        schedule.delete()
        have_agents_ask(agents)


def _locked(schedule: Schedule) -> Schedule:
    """The schedule as it is now, with the rows of all that became due so far."""
    schedule = Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
    try:
        write_due(schedule)
    except FrequencyError:
        # This machine does not know its time zone any more; then nothing was due, and the change may mend it.
        schedule.next_due, schedule.written = None, clock.now()
    return schedule


def _save_change(schedule: Schedule) -> None:
    schedule.version += 1
    _save(schedule)


def _what(schedule: Schedule) -> tuple:
    return tuple(getattr(schedule, name) for name in WHAT)


def _known(values: dict) -> dict:
    if unknown := sorted(set(values) - set(SETTABLE)):
        raise ScheduleInvalid({name: f"is not known; known are {', '.join(SETTABLE)}" for name in unknown})
    return values


def _save(schedule: Schedule) -> None:
    number = microseconds(schedule.written)
    due = schedule.timetable.after(number) if schedule.enabled else None
    schedule.next_due = None if due is None else moment_of(due)
    try:
        with transaction.atomic():
            schedule.save()
            reassign([schedule])
    except IntegrityError as error:
        if Schedule.objects.filter(user=schedule.user, name=schedule.name).exclude(pk=schedule.pk).exists():
            raise ScheduleInvalid({"name": f"you have a schedule called {schedule.name!r} already"}) from error
        raise


def _check(schedule: Schedule) -> None:
    errors = _errors(schedule)
    if errors:
        raise ScheduleInvalid(errors)
    if schedule.is_job:
        kind = get_type(schedule.job_type)
        if not kind.may_make(schedule.user):
            raise ScheduleNotAllowed(f"{schedule.user} may not make jobs of the type {kind.name}; staff can permit it.")
    elif not schedule.user.has_perm(RUN_COMMANDS):
        raise ScheduleNotAllowed(f"{schedule.user} may not run commands here; staff can permit it.")


def _errors(schedule: Schedule) -> dict[str, str]:
    errors: dict[str, str] = {}
    schedule.name = str(schedule.name or "").strip()
    if not schedule.name or not schedule.name.isprintable():
        errors["name"] = "give it a name of 1 to 200 printable characters"
    errors |= _errors_of_what(schedule) | _errors_of_where(schedule)
    try:
        Timetable(schedule.frequency, "UTC")
        try:
            zone_of(schedule.zone)  # also where `every` does not need it: it may become cron later
        except FrequencyError as error:
            errors["zone"] = str(error)
    except (FrequencyError, TypeError, AttributeError) as error:
        errors["frequency"] = str(error) if isinstance(error, FrequencyError) else "must be a text"
    for name in ("start", "end"):
        value = getattr(schedule, name)
        if value is not None and not (isinstance(value, datetime) and value.tzinfo):
            errors[name] = "must be a moment with its time zone"
        elif value is not None and not YEARS[0] <= value.year < YEARS[1]:
            errors[name] = f"must be in the years {YEARS[0]} to {YEARS[1] - 1}"
    if not {"start", "end"} & errors.keys() and schedule.end is not None and schedule.end <= schedule.start:
        errors["end"] = "must be after the start"
    try:
        schedule.clean_fields(exclude=[*errors, "user"])
    except ValidationError as error:
        errors |= {name: " ".join(texts) for name, texts in error.message_dict.items()}
    return errors


def _errors_of_what(schedule: Schedule) -> dict[str, str]:
    given = [name for name in ("argv", "shell", "job_type") if getattr(schedule, name)]
    if len(given) != 1:
        return {"argv": "say what is to run: either argv (program and arguments), or shell (a line), or job_type"}
    if schedule.job_type:
        return _errors_of_job(schedule)
    texts = [schedule.shell] if schedule.shell else schedule.argv
    field = "shell" if schedule.shell else "argv"
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or not texts[0].strip():
        return {field: "must be a program and its arguments, for example ['echo', 'hello world']"}
    if any(storable(text) != text for text in texts):
        return {field: "may hold neither NUL characters nor halves of surrogate pairs"}
    if sum(len(text.encode(errors="surrogatepass")) for text in texts) > LONGEST_COMMAND:
        return {field: f"may have at most {LONGEST_COMMAND:,} bytes"}
    return {}


def _errors_of_job(schedule: Schedule) -> dict[str, str]:
    from jobs.schedules.starting import errors_of_job

    try:
        schedule.job_type = get_type(schedule.job_type).name
    except UnknownJobType as error:
        return {"job_type": str(error).removeprefix("job_type: ")}
    return errors_of_job(schedule)


def _errors_of_where(schedule: Schedule) -> dict[str, str]:
    errors = {}
    for field in ("on_names", "on_tags"):
        words = getattr(schedule, field)
        if not isinstance(words, list) or len(words) > MOST_NAMED:
            errors[field] = f"must be a list of at most {MOST_NAMED} words"
            continue
        try:
            for word in words:
                NAME(word)
        except ValidationError as error:
            errors[field] = f"{word!r} {error.message}"
    if errors or schedule.is_job:
        return errors
    if not (schedule.on_all or schedule.on_names or schedule.on_tags):
        return {"on_all": "say which agents are to run it: all, or names, or tags"}
    return {}
