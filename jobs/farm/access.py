"""Who may see a run, work on it, and act on it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q
from django.http import Http404

from jobs.farm.models import FarmAttempt, FarmRun, Phase
from jobs.models import Job
from jobs.permissions import sees_all, visible_jobs

NO_RUN = "No such run."
KNOWN_FOR = 2.0
"""Seconds for which `place_of_lately` does not look again."""
MOST_KNOWN = 1000

_known: dict[tuple, tuple[float, "Place"]] = {}


@dataclass(slots=True)
class Place:
    """A run as those need it who work on it; read in one query.

    Attributes:
        attempt_id: of the engine's attempt; None before the run was submitted.
        is_own: of the caller's.
        may_work: the caller may take its tasks.
    """

    run_id: int
    uuid: UUID
    num_tasks: int
    lease_seconds: int | None
    max_tries: int
    attempt_id: int | None
    generation: int
    phase: str
    is_own: bool
    may_work: bool

    @property
    def is_open(self) -> bool:
        """Tasks are handed out."""
        return self.phase == Phase.OPEN

    @property
    def goes_on(self) -> bool:
        """Its attempt has not ended: what workers say about their tasks is taken."""
        return self.phase in (Phase.OPEN, Phase.PAUSED)

    @property
    def attempt(self) -> FarmAttempt:
        """The attempt, as far as it is known here, to name its rows by."""
        return FarmAttempt(pk=self.attempt_id, run_id=self.run_id, generation=self.generation)


def place_of(user, uuid: UUID) -> Place:
    """The run of that UUID, if the caller may see it or work on it.

    Raises:
        Http404: there is none, or it is somebody else's; both answers are the same.
    """
    with connection.cursor() as cursor:
        cursor.execute(_sql(), [user.pk, uuid if connection.vendor == "postgresql" else uuid.hex])
        row = cursor.fetchone()
    if row is None:
        raise Http404(NO_RUN)
    run_id, owner_id, num_tasks, lease, tries, attempt_id, generation, phase, participates = row
    is_own = owner_id == user.pk
    may_work = is_own or bool(participates) or sees_all(user)
    if not may_work and not visible_jobs(Job.objects.non_polymorphic().filter(pk=run_id), user).exists():
        raise Http404(NO_RUN)
    return Place(
        run_id, uuid, num_tasks, lease, tries, attempt_id, generation or 0, phase or "", is_own, bool(may_work)
    )


def place_of_lately(user, uuid: UUID) -> Place:
    """`place_of` as it was at most `KNOWN_FOR` seconds ago, for what is said many times a second.

    Who may work on it, and its lease, may be another by now; attempt, generation and phase must not be relied on.

    Raises:
        Http404: see `place_of`.
    """
    now = time.monotonic()
    found = _known.get((user.pk, uuid))
    if found is not None and found[0] > now:
        return found[1]
    place = place_of(user, uuid)
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[user.pk, uuid] = (now + KNOWN_FOR, place)
    return place


def _sql() -> str:
    quote = connection.ops.quote_name
    job, run, attempt, people = (
        quote(model._meta.db_table) for model in (Job, FarmRun, FarmAttempt, FarmRun.participants.through)
    )
    return (
        "SELECT j.id, j.user_id, r.num_tasks, r.lease_seconds, r.max_tries, a.id, a.generation, a.phase, "  # noqa: S608
        f"EXISTS (SELECT 1 FROM {people} p WHERE p.farmrun_id = j.id AND p.user_id = %s) "
        f"FROM {job} j JOIN {run} r ON r.job_ptr_id = j.id "
        f"LEFT JOIN {attempt} a ON a.run_id = j.id AND a.attempt = j.attempt "
        "WHERE j.uuid = %s AND NOT j.hidden"
    )


def runs_of(user):
    """The runs that somebody may work on: their own, and those whose owner named them; newest last."""
    mine = FarmRun.objects.non_polymorphic().filter(hidden=False)
    named = FarmRun.participants.through.objects.filter(user=user.pk).values("farmrun_id")
    return mine.filter(Q(user=user.pk) | Q(pk__in=named)).order_by("pk")


def accounts_called(names: Iterable[str]) -> tuple[list, list[str]]:
    """The active accounts of these names, and the names that are of none."""
    wanted = set(names)
    model = get_user_model()
    found = list(model._default_manager.filter(**{f"{model.USERNAME_FIELD}__in": wanted}, is_active=True))
    return found, sorted(wanted - {person.get_username() for person in found})


def may_act(user, place: Place) -> bool:
    """Whether somebody may restart, stop, change or delete the run: its owner, and who may act on all jobs."""
    return place.is_own or sees_all(user)
