"""The one function that moves jobs, one or ten thousand of them in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, router, transaction

from jobs import clock
from jobs.faultpoints import FaultPoint
from jobs.models import Intent, Job, JobEvent, job_rows
from jobs.rowsets import parameter, rowset
from jobs.signals import jobs_moved
from jobs.status import ACTIVE, FINAL, MOVES, Status
from jobs.tokens import callback_token, token_hash
from jobs.transactions import committing

_READ = [
    "id",
    "uuid",
    "attempt",
    "continues",
    "status_code",
    "status_label",
    "status_message",
    "progress",
    "exit_code",
    "resources",
    "external_id",
    "execute_time",
    "start_time",
    "completion_time",
    "results_failed",
    "process_results_function",
    "token_hash",
    "claim",
    "claim_expires",
    "tries",
    "missed",
    "ending",
    "leftover",
]
MOVE = FaultPoint("transition.commit")

_ROUNDS = 3
"""A row that another writer changed between our look and our UPDATE is looked at again, at most so often."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one attempt of one job; None leaves what is known.

    Attributes:
        job_id: primary key.
        attempt: the attempt that it is about; a change about another one than the current is refused.
        status: the new base status; None for facts about an unchanged status.
        label: of a custom status.
        only_from: statuses from which this change may move it, where that is narrower than the rules of `MOVES`.
            Results-Ready is left only by a change that names it here: by whoever processes the results.
        resubmit: start a new attempt of a job that is over.
        continues: the attempt where the new one goes on from; None for one that begins from the start.
        process_again: back to Results-Ready after an Error of the results. Only these two leave a final status.
        results_failed: the Error is of the results' making, so that they can be processed again.
        claim: with a value, the change holds only while the job is claimed by this worker.
        ending: how the engine says that it ended; its status becomes so when its outputs are here.
        leftover: it is over now, and its engine has still to forget the attempt; or, if false, has to keep it.
    """

    job_id: int
    attempt: int
    status: str | None = None
    label: str = ""
    message: str | None = None
    exit_code: int | None = None
    progress: float | None = None
    started: datetime | None = None
    finished: datetime | None = None
    resources: dict | None = None
    external_id: str | None = None
    only_from: frozenset[str] | None = None
    resubmit: bool = False
    continues: int | None = None
    process_again: bool = False
    results_failed: bool = False
    claim: str = ""
    ending: dict | None = None
    leftover: bool | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A status change that is in the database."""

    job_id: int
    attempt: int
    old: str
    new: str
    label: str
    message: str


def transition(changes: Iterable[Change], *, source: str) -> list[Move]:
    """Apply changes to jobs, with their events, in one transaction.

    Each UPDATE carries the status and the attempt that it was computed from in its WHERE: of two writers one wins. The
    signal `jobs_moved` follows the commit.

    Args:
        changes: in the order in which they hold; several about one job are applied one after the other.
        source: who says so, for the events.

    Returns:
        The moves that happened. A change that the rules do not allow (job over, earlier attempt, gone) is left out.
    """
    pending = list(changes)
    moves: list[Move] = []
    if not pending:
        return moves
    with committing(MOVE):
        for _ in range(_ROUNDS):
            rows = _locked_rows({change.job_id for change in pending})
            plans = {}
            for change in pending:
                if row := rows.get(change.job_id):
                    plans.setdefault(change.job_id, _Plan(row)).apply(change)
            written = _write([plan for plan in plans.values() if plan.changed])
            done = [plan for plan in plans.values() if plan.row["id"] in written]
            _write_events([move for plan in done for move in plan.moves], source)
            _settle_intents([move for plan in done for move in plan.moves])
            moves += [move for plan in done for move in plan.moves]
            lost = {plan.row["id"] for plan in plans.values() if plan.changed} - written
            if not lost:
                break
            pending = [change for change in pending if change.job_id in lost]
        if moves:
            # Robust: the trouble of an app's receiver, which is logged, is not that of whoever moved the jobs.
            transaction.on_commit(lambda: jobs_moved.send_robust(sender=Job, moves=moves))
    return moves


def _locked_rows(ids: set[int]) -> dict[int, dict[str, Any]]:
    """The rows, locked in the order of their ids so that two set-based calls cannot wait for each other in a ring."""
    found: dict[int, dict[str, Any]] = {}
    ordered = sorted(ids)
    for start in range(0, len(ordered), 5000):
        chunk = job_rows().filter(pk__in=ordered[start : start + 5000]).order_by("pk")
        # Not against the foreign keys of new events and intents, which have nothing to do with a move.
        chunk = chunk.select_for_update(of=("self",), no_key=True)
        found.update((row["id"], row) for row in chunk.values(*_READ))
    return found


class _Plan:
    """What becomes of one row: the values to write, and the moves to tell of."""

    def __init__(self, row: dict[str, Any]):
        self.row = row
        self.new = dict(row)
        self.moves: list[Move] = []

    @property
    def changed(self) -> dict[str, Any]:
        return {name: value for name, value in self.new.items() if value != self.row[name]}

    def apply(self, change: Change) -> None:
        new = self.new
        if change.attempt != new["attempt"] or (change.claim and change.claim != new["claim"]):
            return
        if change.resubmit:
            self._resubmit(change)
            return
        old = new["status_code"]
        if change.ending is not None and old not in ACTIVE:
            return
        target = change.status or old
        if change.only_from is not None and old not in change.only_from:
            return
        if change.process_again:
            if old != Status.ERROR or not new["results_failed"]:
                return
        elif old in FINAL or (target != old and not _may_move(old, target, change)):
            return
        if target == Status.COMPLETE and old != Status.RESULTS_READY and new["process_results_function"]:
            target = Status.RESULTS_READY
        self._facts(change)
        if target != old or (change.status and change.label != new["status_label"]):
            self._move(target, change)

    def _facts(self, change: Change) -> None:
        for name, value in (
            ("status_message", storable(change.message)),
            ("exit_code", change.exit_code),
            ("progress", change.progress),
            ("external_id", change.external_id),
            ("start_time", change.started),
            ("ending", change.ending),
        ):
            if value is not None:
                self.new[name] = value
        if change.resources:
            self.new["resources"] = {**self.new["resources"], **change.resources}

    def _move(self, target: str, change: Change) -> None:
        new, old = self.new, self.new["status_code"]
        now = clock.now()
        new.update(status_code=str(target), status_label=change.label, missed=0)
        if target != old:
            new.update(claim="", claim_expires=None)
            if target == Status.PENDING:
                raise ValueError("a job becomes pending again by 'resubmit' only")
        if target == Status.RUNNING and new["start_time"] is None:
            new["start_time"] = now
        if target == Status.RESULTS_READY:
            new.update(tries=0, results_failed=False, completion_time=None)
        if target in FINAL or target == Status.RESULTS_READY:
            new.update(ending=None)
            if change.leftover is not None:
                new["leftover"] = change.leftover
        if target in FINAL:
            # Seed 001: completion_time is when the status changed to Complete; an engine that knows the moment says it.
            new.update(completion_time=change.finished or now, results_failed=change.results_failed)
            if target == Status.COMPLETE and new["progress"] is not None:
                new["progress"] = 100.0
        self._remember(old, change.message)

    def _resubmit(self, change: Change) -> None:
        new, old = self.new, self.new["status_code"]
        if old not in FINAL:
            return
        attempt = new["attempt"] + 1
        new.update(
            attempt=attempt,
            continues=change.continues,
            status_code=str(Status.PENDING),
            status_label="",
            status_message="",
            progress=None,
            exit_code=None,
            resources={},
            external_id="",
            execute_time=None,
            start_time=None,
            completion_time=None,
            results_failed=False,
            claim="",
            claim_expires=None,
            tries=0,
            missed=0,
            ending=None,
            token_hash=token_hash(callback_token(new["uuid"], attempt)),
        )
        self._remember(old, change.message)

    def _remember(self, old: str, message: str | None) -> None:
        new, message = self.new, storable(message) or ""
        self.moves.append(Move(new["id"], new["attempt"], str(old), new["status_code"], new["status_label"], message))


def _may_move(old: str, new: str, change: Change) -> bool:
    return new in MOVES[old] and (old != Status.RESULTS_READY or change.only_from is not None)


def storable(text: str | None) -> str | None:
    """The text without what no database takes: NUL characters and halves of surrogate pairs.

    Messages come from engines, commands and JSON of anybody; one of them must not fail the call for ten thousand jobs.
    """
    return text and text.replace("\0", "").encode(errors="replace").decode()


def _write(plans: Sequence[_Plan]) -> set[int]:
    """Write the changed columns of all plans in one UPDATE; the ids whose guard held."""
    if not plans:
        return set()
    connection = connections[router.db_for_write(Job)]
    names = sorted({name for plan in plans for name in plan.changed})
    fields = {name: _field(name) for name in names}
    payload = [
        {
            "id": plan.row["id"],
            "guard_status": plan.row["status_code"],
            "guard_attempt": plan.row["attempt"],
            "guard_claim": plan.row["claim"],
            **{name: plan.new[name] for name in names},
        }
        for plan in plans
    ]
    guards = {"id": "id", "guard_status": "status_code", "guard_attempt": "attempt", "guard_claim": "claim"}
    rows = rowset(connection, {**{name: _field(of) for name, of in guards.items()}, **fields})
    table = connection.ops.quote_name(Job._meta.db_table)
    assignments = ", ".join(f"{connection.ops.quote_name(f.column)} = w.{name}" for name, f in fields.items())
    sql = (
        f"UPDATE {table} SET {assignments} FROM {rows} "  # noqa: S608 names of our own columns
        f"WHERE {table}.id = w.id AND {table}.status = w.guard_status AND {table}.attempt = w.guard_attempt "
        f"AND {table}.claim = w.guard_claim RETURNING {table}.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter(payload, connection)])
        return {row[0] for row in cursor.fetchall()}


def _field(name: str):
    return Job._meta.get_field(name)


def _settle_intents(moves: Sequence[Move]) -> None:
    """Close the intents that these moves fulfil or overtake, and have deletions that waited for an end go on."""
    now = clock.now()
    over = [move for move in moves if move.new in FINAL or move.new == Status.RESULTS_READY]
    _close([move.job_id for move in over if move.new == Status.ABORTED], ["stop"], "done")
    _close([move.job_id for move in over], ["run", "stop", "pause", "resume"], "over")
    _close([move.job_id for move in moves if move.new == Status.PAUSED], ["pause"], "done")
    resumed = [move for move in moves if move.old == Status.PAUSED and move.new in ACTIVE - {Status.PAUSED}]
    _close([move.job_id for move in resumed], ["resume"], "done")
    if over:
        waiting = Intent.objects.open().filter(job_id__in=[move.job_id for move in over], action="delete")
        waiting.update(next_try=now)


def _close(job_ids: Sequence[int], actions: Sequence[str], outcome: str) -> None:
    for start in range(0, len(job_ids), 5000):
        standing = Intent.objects.open().filter(job_id__in=job_ids[start : start + 5000], action__in=actions)
        standing.update(closed=clock.now(), outcome=outcome, claim="")


def _write_events(moves: Sequence[Move], source: str) -> None:
    now = clock.now()
    JobEvent.objects.bulk_create(
        (
            JobEvent(
                job_id=move.job_id,
                attempt=move.attempt,
                time=now,
                old_status=move.old,
                new_status=move.new,
                label=move.label,
                message=move.message,
                source=source,
            )
            for move in moves
        ),
        batch_size=2000,
    )
