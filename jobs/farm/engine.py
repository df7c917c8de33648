"""The engine of farm runs: tasks are rows, workers pull them over HTTP; here is how a run as a whole is."""

import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from jobs import clock
from jobs.engine import Engine, EngineRefused, Handle, LogFile, Outcome, Poll, Report, Supports, Watched
from jobs.farm import tending
from jobs.farm.inputs import NoInput
from jobs.farm.models import DiscardedTasks, FarmAttempt, FarmTask, Phase, TaskState
from jobs.farm.restarting import next_generation, put_back
from jobs.farm.totals import Totals, fold, totals_of
from jobs.farm.turns import my_turn
from jobs.models import Scheduler
from jobs.status import Status
from jobs.workspaces import make_workspace

NAME = "farm"
SHARE = 10
"""Looks take at most this part of the time: where many runs make one long, the next one comes later."""
STOPPED = "Stopped."


class FarmEngine(Engine):
    """Runs tasks in workers that come for them."""

    name = NAME
    supports = Supports(pause=True, progress=True, in_database=True)
    poll_interval = 1.0

    def prepare(self) -> None:
        Scheduler.of_engine(NAME)

    def choose_scheduler(self, job):
        return Scheduler.of_engine(NAME)

    def submit(self, job) -> str:
        try:
            job.inputs.check(job.num_tasks)
        except NoInput as error:
            raise EngineRefused(f"inputs: {error}") from error
        row = FarmAttempt(tag=job.tag, run_id=job.pk, attempt=job.attempt, started=clock.now())
        before = FarmAttempt.objects.filter(run=job.pk).order_by("-attempt").exclude(attempt=job.attempt).first()
        goes_on = job.continues is not None and before is not None and before.attempt == job.continues
        if goes_on:
            row.generation, row.next_block = before.generation, before.next_block
        else:
            row.generation = next_generation(job.pk)
        make_workspace(job)
        known = FarmAttempt.objects.filter(tag=job.tag).exists()
        if not known:
            FarmAttempt.objects.bulk_create([row], ignore_conflicts=True)
            if goes_on:
                put_back(row)
            elif before is not None:
                DiscardedTasks.objects.get_or_create(run_id=job.pk, generation=before.generation)
        return job.tag

    def recover(self, scheduler, tag: str) -> str | None:
        return tag if FarmAttempt.objects.filter(tag=tag).exists() else None

    # --- watching

    def poll(self, scheduler, cursor, watched: Sequence[Watched]) -> Poll:
        began = time.monotonic()
        reports = [_look(attempt) for attempt in _attempts(watched)]
        return Poll(reports, None, True, pause=(time.monotonic() - began) * SHARE)

    def resolve(self, scheduler, handles: Sequence[Handle]) -> list[Report]:
        return [_look(attempt) for attempt in _attempts(handles)]

    def tick(self, scheduler) -> None:
        tending.take_back()
        tending.remove_discarded()

    # --- acting

    def stop(self, handles: Sequence[Handle], *, force: bool = False) -> dict[str, Outcome]:
        return {handle.tag: _stop(handle.tag) for handle in handles}

    def pause(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return _turn(handles, Phase.OPEN, Phase.PAUSED)

    def resume(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return _turn(handles, Phase.PAUSED, Phase.OPEN)

    def forget(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return {handle.tag: _forget(handle.tag) for handle in handles}

    def logs(self, handle: Handle) -> list[LogFile]:
        return []


def _attempts(asked: Sequence[Watched | Handle]) -> list[FarmAttempt]:
    return list(FarmAttempt.objects.filter(tag__in=[one.tag for one in asked]).select_related("run"))


def _look(attempt: FarmAttempt) -> Report:
    """How an attempt is; one whose tasks have all ended has ended from now on."""
    num_tasks = attempt.run.num_tasks
    if attempt.phase in (Phase.OPEN, Phase.PAUSED):
        totals = fold(attempt, num_tasks)
        if totals.all_ended:
            totals = _end(attempt)
    else:
        totals = Totals(num_tasks, attempt.done, attempt.failed, attempt.computing, attempt.percent * num_tasks)
    return report_of(attempt, totals)


def _end(attempt: FarmAttempt) -> Totals:
    with my_turn(), transaction.atomic():
        locked = FarmAttempt.objects.select_for_update().get(pk=attempt.pk)
        # Counted anew: nobody puts a task back now without this lock.
        totals = totals_of(locked, attempt.run.num_tasks)
        if totals.all_ended and locked.phase in (Phase.OPEN, Phase.PAUSED):
            locked.phase, locked.finished = Phase.ENDED, clock.now()
            locked.done, locked.failed, locked.computing = totals.done, totals.failed, 0
            locked.percent, locked.folded = totals.percent_done, locked.finished
            locked.save()
        attempt.phase, attempt.finished = locked.phase, locked.finished
    return totals


def report_of(attempt: FarmAttempt, totals: Totals) -> Report:
    """What the engine says of an attempt."""
    status = {Phase.OPEN: Status.RUNNING, Phase.PAUSED: Status.PAUSED, Phase.STOPPED: Status.ABORTED}.get(attempt.phase)
    message = STOPPED if attempt.phase == Phase.STOPPED else None
    if status is None:
        status, message = _outcome(attempt, totals)
    counts = {
        Status.COMPLETE: totals.done,
        Status.ERROR: totals.failed,
        Status.RUNNING: totals.computing,
        Status.PENDING: totals.waiting,
    }
    return Report(
        attempt.tag,
        str(status),
        message,
        started=attempt.started,
        finished=attempt.finished,
        progress=100.0 if status == Status.COMPLETE else round(totals.percent_done, 1),
        counts={str(code): count for code, count in counts.items() if count},
    )


def _outcome(attempt: FarmAttempt, totals: Totals) -> tuple[str, str | None]:
    if not totals.failed:
        return Status.COMPLETE, None
    failed = FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation, state=TaskState.FAILED)
    first = failed.order_by("number").first()
    words = f"{totals.failed:,} of {totals.num_tasks:,} tasks failed."
    if first is not None and first.message:
        words += f" Task {first.number}: {first.message}"
    return (Status.VARIOUS_COMPLETE if totals.done else Status.ERROR), words


def _stop(tag: str) -> Outcome:
    with my_turn(), transaction.atomic():
        attempt = FarmAttempt.objects.select_for_update().filter(tag=tag).select_related(None).first()
        if attempt is None or attempt.phase not in (Phase.OPEN, Phase.PAUSED):
            return Outcome.OVER
        # Who has a task learns at its next word that it has it no more.
        put_back(attempt, Q(state=TaskState.COMPUTING))
        totals = totals_of(attempt, attempt.run.num_tasks)
        attempt.phase, attempt.finished = Phase.STOPPED, clock.now()
        attempt.done, attempt.failed, attempt.computing = totals.done, totals.failed, 0
        attempt.percent, attempt.folded = totals.percent_done, attempt.finished
        attempt.save()
    return Outcome.DONE


def _turn(handles: Sequence[Handle], before: str, after: str) -> dict[str, Outcome]:
    outcomes = {}
    for handle in handles:
        rows = FarmAttempt.objects.filter(tag=handle.tag)
        with my_turn():
            turned = rows.filter(phase__in=[before, after]).update(phase=after)
        outcomes[handle.tag] = Outcome.DONE if turned else Outcome.OVER
    return outcomes


def _forget(tag: str) -> Outcome:
    attempt = FarmAttempt.objects.filter(tag=tag).first()
    if attempt is None:
        return Outcome.OVER
    if attempt.phase in (Phase.OPEN, Phase.PAUSED):
        return Outcome.LATER
    discarded = DiscardedTasks.objects.filter(run=attempt.run_id).values_list("generation", flat=True)
    if not all(tending.remove_tasks(attempt.run_id, generation) for generation in discarded):
        return Outcome.LATER
    others = FarmAttempt.objects.filter(run=attempt.run_id, generation=attempt.generation).exclude(pk=attempt.pk)
    if not others.exists() and not tending.remove_tasks(attempt.run_id, attempt.generation):
        return Outcome.LATER
    attempt.delete()
    return Outcome.DONE
