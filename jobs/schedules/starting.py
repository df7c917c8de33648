"""Jobs that schedules start: when one is due, the site makes the job and runs it, once."""

import logging
from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.utils.module_loading import import_string
from rest_framework.exceptions import ValidationError

from jobs import clock
from jobs.errors import JobError, UnknownJobType
from jobs.faultpoints import FaultPoint
from jobs.intents import want
from jobs.models import Action
from jobs.schedules.models import Execution, Schedule
from jobs.schedules.models.execution import LATE
from jobs.status import FINAL
from jobs.transactions import committing
from jobs.types import get_type

START = FaultPoint("schedules.start_job")

log = logging.getLogger(__name__)

_NAMED_BY_THE_SCHEDULE = ("name", "type", "run")


def errors_of_job(schedule: Schedule) -> dict[str, str]:
    """What is wrong with the values of the jobs that a schedule is to start, by field."""
    kind = get_type(schedule.job_type)
    if not kind.serializer:
        return {"job_type": f"jobs of the type {kind.name} cannot be made from values; choose another type"}
    if not isinstance(schedule.job_values, dict):
        return {"job_values": "must be a JSON object, as REST takes it for a new job of that type"}
    if own := sorted(set(schedule.job_values) & set(_NAMED_BY_THE_SCHEDULE)):
        return {"job_values": f"{', '.join(own)}: said by the schedule; leave it out"}
    serializer = _serializer(schedule, "checked")
    if serializer.is_valid():
        return {}
    return {"job_values": "; ".join(f"{name}: {_first(texts)}" for name, texts in serializer.errors.items())}


def start_jobs() -> None:
    """Start the jobs that are due. A service of the monitor."""
    due = Execution.objects.filter(agent=None, state=Execution.State.DUE).exclude(schedule__job_type="")
    for schedule_id in due.order_by().values_list("schedule", flat=True).distinct():
        with committing(START):
            # One monitor at a time looks at a schedule: which of its due times is run depends on the others.
            schedule = Schedule.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=schedule_id).first()
            if schedule is not None:
                _start_due(schedule, list(due.filter(schedule=schedule_id).order_by("due")))


def _start_due(schedule: Schedule, due: Sequence[Execution]) -> None:
    now = clock.now()
    late = [one for one in due if not one.asked and (now - one.due).total_seconds() > LATE]
    left_out = {one.pk for one in (late if schedule.missed == Schedule.Missed.NONE else late[:-1])}
    due_then = Execution.objects.filter(schedule=schedule, agent=None, state=Execution.State.DUE, asked=False)
    if left_out:
        # In one statement: a monitor that did not run for long finds thousands.
        due_then.filter(due__lte=max(one.due for one in late if one.pk in left_out)).update(
            state=Execution.State.MISSED, reason="nobody was there to start it: the monitor did not run", reported=now
        )
    for one in due:
        if one.pk in left_out:
            continue
        if schedule.overlap == Schedule.Overlap.SKIP and not one.asked and (going_on := _going_on(schedule)):
            _settle(one, Execution.State.SKIPPED, f"the job {going_on} is not over")
        else:
            _start(schedule, one)


def _start(schedule: Schedule, execution: Execution) -> None:
    try:
        kind = get_type(schedule.job_type)
        if not schedule.user.is_active or not kind.may_make(schedule.user):
            raise PermissionDenied(f"{schedule.user} may not make jobs of the type {kind.name} any more")
        # Two that are asked for in one second are two jobs.
        moment = f"{execution.due:%Y-%m-%d %H:%M:%S.%f}" if execution.asked else f"{execution.due:%Y-%m-%d %H:%M:%S}"
        serializer = _serializer(schedule, f"{schedule.name} {moment}")
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():  # made and run, or neither
            job = serializer.save()
            want(job, Action.RUN, user=schedule.user)
    except (JobError, UnknownJobType, ValidationError, PermissionDenied) as error:
        _settle(execution, Execution.State.RAN, f"its job could not be made: {_words(error)}")
    except OperationalError:
        raise
    except (
        Exception
    ) as error:  # a bug of one job type must not keep all other schedules from their jobs, again and again
        log.exception("schedule %s (%s): its job could not be made", schedule.pk, schedule)
        _settle(execution, Execution.State.RAN, f"its job could not be made: {type(error).__name__}: {error}")
    else:
        execution.job = job
        _settle(execution, Execution.State.RAN, "", exit_code=0)


def _settle(execution: Execution, state: str, reason: str, *, exit_code: int | None = None) -> None:
    now = clock.now()
    execution.state, execution.reason, execution.exit_code, execution.reported = state, reason, exit_code, now
    if state == Execution.State.RAN:
        execution.started = execution.completed = now
    fields = ["state", "reason", "exit_code", "reported", "started", "completed", "job"]
    execution.save(update_fields=fields)


def _going_on(schedule: Schedule) -> str | None:
    """The name of a job of the schedule that is not over, or None."""
    started = schedule.executions.filter(job__isnull=False).exclude(job__status_code__in=FINAL)
    return started.order_by("-due").values_list("job__name", flat=True).first()


def _serializer(schedule: Schedule, name: str):
    serializer = import_string(get_type(schedule.job_type).serializer)
    return serializer(data={**schedule.job_values, "name": name[:255]}, context={"user": schedule.user})


def _first(texts) -> str:
    while isinstance(texts, dict | list) and texts:
        texts = next(iter(texts.values())) if isinstance(texts, dict) else texts[0]
    return str(texts)


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{name}: {_first(texts)}" for name, texts in error.detail.items())
    return str(error)
