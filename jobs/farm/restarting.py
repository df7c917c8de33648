"""Tasks that are to be computed again: in the attempt that goes on, or in a new one."""

from django.db import transaction
from django.db.models import Q, QuerySet

from jobs import clock
from jobs.farm.access import Place
from jobs.farm.blocks import reopen
from jobs.farm.models import DiscardedTasks, FarmAttempt, FarmRun, FarmTask, Phase, TaskState
from jobs.farm.turns import my_turn
from jobs.faultpoints import FaultPoint
from jobs.intents import want
from jobs.models import Action
from jobs.status import Status
from jobs.transitions import Change, transition

RESTART = FaultPoint("farm.restart")

ALL, UNFINISHED, FAILED = "all", "unfinished", "failed"
WHAT = (ALL, UNFINISHED, FAILED)

_WHICH = {
    # Those whose worker said done, and did not say that it came to 100 percent, are no more finished than in taskfarm.
    UNFINISHED: Q(state__in=[TaskState.COMPUTING, TaskState.FAILED]) | Q(percent__lt=100),
    FAILED: Q(state=TaskState.FAILED),
}


def restart(place: Place, what: str, *, user=None, below_100_only: bool = False) -> None:
    """Have tasks wait again, from wherever they are.

    In an attempt that goes on they are put back, and who has one of them has lost it. Of a run that is over it begins a new
    attempt: for 'all' from the start, else with what was done kept.

    Args:
        place: the run; the caller may act on it.
        what: 'all', with nothing kept; 'unfinished', those that somebody has or that failed; 'failed'.
        user: who asks, for the history.
        below_100_only: leave those alone that somebody has and that have come to 100 percent.

    Raises:
        ValueError: there is no such `what`.
        ActionNotAllowed: the run was not started, or something else is being done with it.
    """
    if what not in WHAT:
        raise ValueError(f"what: must be one of {', '.join(WHAT)}, not {what!r}")
    with my_turn(), RESTART, transaction.atomic():
        attempt = FarmAttempt.objects.select_for_update().filter(pk=place.attempt_id).first()
        if attempt is not None and attempt.phase in (Phase.OPEN, Phase.PAUSED):
            if what == ALL:
                begin_anew(attempt)
            else:
                which = _WHICH[what]
                if below_100_only:
                    which = which & (Q(percent__lt=100) | Q(state=TaskState.FAILED))
                put_back(attempt, which)
            return
    run = FarmRun.objects.non_polymorphic().get(pk=place.run_id)
    run.read_row()
    if what == ALL:
        want(run, Action.RESUBMIT, user=user)
    elif run.status_code != Status.COMPLETE:
        want(run, Action.RESCUE, user=user)
    elif attempt is not None and _tasks_of(attempt).filter(_WHICH[what]).exists():
        _go_on(run, user)


def _go_on(run: FarmRun, user) -> None:
    """A new attempt of a complete run, some of whose tasks are said to be done without having come to 100 percent."""
    source = f"user {user.get_username()}" if user else "app"
    with transaction.atomic():
        transition([Change(run.pk, run.attempt, resubmit=True, continues=run.attempt)], source=source)
        want(run, Action.RUN, user=user)


def _tasks_of(attempt: FarmAttempt) -> QuerySet:
    return FarmTask.objects.filter(run=attempt.run_id, generation=attempt.generation)


def begin_anew(attempt: FarmAttempt) -> None:
    """Begin with a new generation, in which all tasks wait; the rows of the old one go in the background."""
    DiscardedTasks.objects.create(run_id=attempt.run_id, generation=attempt.generation)
    attempt.generation = next_generation(attempt.run_id)
    attempt.next_block = attempt.done = attempt.failed = attempt.computing = 0
    attempt.percent = attempt.rate = 0.0
    attempt.started, attempt.folded = clock.now(), None
    attempt.save()


def next_generation(run_id: int) -> int:
    """A number that no tasks of the run have had."""
    known = FarmAttempt.objects.filter(run=run_id).order_by("-generation").values_list("generation", flat=True)
    return (known.first() or 0) + 1


def put_back(attempt: FarmAttempt, which: Q = _WHICH[UNFINISHED]) -> None:
    """Have tasks wait that do not; what was computed of them stays written. Inside the caller's transaction."""
    tasks = _tasks_of(attempt).filter(which).exclude(state=TaskState.WAITING)
    ended = _ended(tasks)
    tasks.update(
        state=TaskState.WAITING,
        worker=None,
        fence="",
        lease_expires=None,
        tries=0,
        updated=clock.now(),
        finished=None,
    )
    reopen(attempt, ended)


def _ended(tasks: QuerySet) -> list[int]:
    rows = tasks.filter(state__in=[TaskState.DONE, TaskState.FAILED])
    return list(rows.values_list("number", flat=True))
