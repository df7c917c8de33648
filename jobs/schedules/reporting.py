"""What came of executions, as agents say it: written once, whatever is said again or too late."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections, router, transaction

from jobs import clock
from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.rowsets import parameter, rowset
from jobs.schedules.agent.timetable import execution_id, microseconds
from jobs.schedules.due import moment_of
from jobs.schedules.models import Agent, Assignment, Execution, Schedule
from jobs.transactions import committing
from jobs.transitions import storable

REPORT = FaultPoint("schedules.report")

MOST_AT_ONCE = 500
LONGEST_REASON = 2000
LONGEST_LINE = 64
"""Bytes of the line that stands where something was left out."""
AHEAD = 60 * 1_000_000
"""Microseconds that a due time may lie ahead of which there is no row yet."""
_EARLIEST, _LATEST = 946_684_800_000_000, 4_102_444_800_000_000  # 2000 and 2100
_MOST_BYTES = 2**53
_STATES = {
    "running": Execution.State.RUNNING,
    "ran": Execution.State.RAN,
    "skipped": Execution.State.SKIPPED,
    "missed": Execution.State.MISSED,
}
_FIELDS = (
    *("state", "assumed", "reason", "started", "completed", "exit_code", "stdout", "stderr"),
    *("stdout_size", "stderr_size", "reported"),
)


class NotAReport(ValueError):
    """What was said is no report; the message says why."""


def apply_report(agent: Agent, items: Sequence[Any]) -> tuple[list[str], dict[str, str]]:
    """Write what an agent says of its executions.

    An end that is written stands; only what the site merely assumed gives way. An execution of which the row is not there
    yet gets it.

    Args:
        agent: who says it; it can speak of its own executions only.
        items: as the protocol has them.

    Returns:
        The ids that need not be said again, and those that cannot be taken, each with the reason.

    Raises:
        NotAReport: there are too many, or one has no id.
    """
    if len(items) > MOST_AT_ONCE:
        raise NotAReport(f"executions: at most {MOST_AT_ONCE} at once")
    refused: dict[str, str] = {}
    said: dict[UUID, dict] = {}
    for item in items:
        if not isinstance(item, Mapping) or not isinstance(item.get("id"), str) or len(item["id"]) > 64:
            raise NotAReport("executions: each must be an object with its id")
        try:
            values = _read(agent, item)
        except NotAReport as error:
            refused[storable(item["id"])] = str(error)
        else:
            known = said.get(values["id"])
            if known is None or known["state"] == Execution.State.RUNNING:  # an end stands, also in one report
                said[values["id"]] = values
    try:
        _apply(agent, said, refused)
    except IntegrityError:
        _apply(agent, said, refused)  # a schedule was deleted meanwhile: now it is seen to be gone
    return [str(pk) for pk in said], refused


def _apply(agent: Agent, said: dict[UUID, dict], refused: dict[str, str]) -> None:
    with committing(REPORT):
        schedules = Schedule.objects.filter(uuid__in={values["schedule"] for values in said.values()})
        schedule_of = dict(schedules.values_list("uuid", "pk"))
        assigned = set(
            Assignment.objects.filter(agent=agent, schedule__in=schedule_of.values()).values_list("schedule", flat=True)
        )
        rows = Execution.objects.select_for_update(no_key=True).filter(pk__in=said, agent=agent).order_by("pk")
        known = set(rows.values_list("pk", flat=True))
        # What has its row was due by the site's own word, though its clock may have been set back since.
        latest = microseconds(clock.now()) + AHEAD
        for pk, values in list(said.items()):
            if pk not in known and values["due"] > latest:
                refused[str(pk)] = "due: lies in the future"
                del said[pk]
                continue
            schedule = schedule_of.get(values["schedule"])
            if schedule is None or (schedule not in assigned and pk not in known):
                refused[str(pk)] = "there is no such schedule for this agent, or not any more"
                del said[pk]
        new = [
            Execution(id=pk, schedule_id=schedule_of[values["schedule"]], agent=agent, due=moment_of(values["due"]))
            for pk, values in sorted(said.items())
            if pk not in known
        ]
        Execution.objects.bulk_create(new, ignore_conflicts=True)
        _write(list(said.values()))


def complete_bare(
    schedule: Schedule,
    agent: Agent,
    *,
    execution: UUID | None = None,
    stdout: str = "",
    stderr: str = "",
    exit_code: int | None = 0,
) -> Execution | None:
    """Close an execution by word of whoever may speak for its agent.

    Args:
        schedule: whose execution it is.
        agent: on which it ran.
        execution: its id; None for the oldest that is open.
        stdout: of which what is above the limit is cut.
        stderr: the same.
        exit_code: of the command.

    Returns:
        The execution, closed; None where there is none that is open.
    """
    with transaction.atomic():
        rows = Execution.objects.open().filter(schedule=schedule, agent=agent, due__lte=clock.now())
        rows = rows.filter(pk=execution) if execution is not None else rows.order_by("due")
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            return None
        now = clock.now()
        row.state, row.assumed = Execution.State.RAN, False
        row.started, row.completed, row.reported = row.started or now, now, now
        row.exit_code = exit_code
        for name, text in (("stdout", stdout), ("stderr", stderr)):
            setattr(row, f"{name}_size", len(text.encode(errors="replace")))
            setattr(row, name, cut(storable(text) or ""))
        row.save(update_fields=_FIELDS)
    return row


def cut(text: str) -> str:
    """An output as it is kept: of what is above the limit, the beginning and the end, with a line between that says so."""
    limit = conf.EXECUTION_OUTPUT_LIMIT
    data = text.encode(errors="replace")
    # An agent has cut it as here, with a line of its own.
    if len(data) <= limit + LONGEST_LINE:
        return text
    head, tail = data[: limit // 2].decode(errors="ignore"), data[-(limit - limit // 2) :].decode(errors="ignore")
    return f"{head}\n[… {len(data) - limit:,} bytes left out …]\n{tail}"


def _read(agent: Agent, item: Mapping) -> dict:
    """The values of an item, checked for what does not need the database."""
    try:
        pk, schedule = UUID(item["id"]), UUID(item["schedule"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise NotAReport("id and schedule must be UUIDs") from None
    due = _moment(item, "due")
    if due is None or pk != execution_id(schedule, agent.uuid, due):
        raise NotAReport("the id does not follow from schedule, agent and due time")
    state = _STATES.get(item.get("state")) if isinstance(item.get("state"), str) else None
    if state is None:
        raise NotAReport(f"state: must be one of {', '.join(_STATES)}")
    values = {"id": pk, "schedule": schedule, "due": due, "state": state, "assumed": False}
    started, completed = _moment(item, "started"), _moment(item, "completed")
    if state == Execution.State.RUNNING:
        completed = None
    values["started"] = None if started is None else moment_of(started)
    values["completed"] = None if completed is None else moment_of(completed)
    values["exit_code"] = _number(item, "exit_code", -(2**31), 2**31 - 1)
    values["reason"] = _text(item, "reason")[:LONGEST_REASON]
    for name in ("stdout", "stderr"):
        values[name] = cut(_text(item, name))
        size = _number(item, f"{name}_size", 0, _MOST_BYTES)
        values[f"{name}_size"] = len(values[name].encode()) if size is None else size
    values["reported"] = None if state == Execution.State.RUNNING else clock.now()
    return values


def _moment(item: Mapping, name: str) -> int | None:
    return _number(item, name, _EARLIEST, _LATEST)


def _number(item: Mapping, name: str, least: int, most: int) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise NotAReport(f"{name}: must be a whole number from {least} to {most}")
    return value


def _text(item: Mapping, name: str) -> str:
    value = item.get(name, "")
    if not isinstance(value, str):
        raise NotAReport(f"{name}: must be a text")
    return storable(value) or ""


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what was said in one statement, where no end stands; 'running' only where nothing was heard before."""
    if not rows:
        return
    connection = connections[router.db_for_write(Execution)]
    fields = {name: Execution._meta.get_field(name) for name in ("id", *_FIELDS)}
    table = connection.ops.quote_name(Execution._meta.db_table)
    assignments = ", ".join(f"{name} = w.{name}" for name in _FIELDS)
    sql = (
        f"UPDATE {table} SET {assignments} FROM {rowset(connection, fields)} "  # noqa: S608 names of our own columns
        f"WHERE {table}.id = w.id AND ({table}.state = 'D' OR {table}.assumed OR ({table}.state = 'R' AND w.state <> 'R'))"
    )
    payload = [{name: _stored(row[name], fields[name], connection) for name in fields} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter(payload, connection)])


def _stored(value, field, connection):
    if isinstance(value, datetime):
        return value  # `parameter` knows how
    return field.get_db_prep_value(value, connection)
