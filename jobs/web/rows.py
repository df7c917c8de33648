"""The rows of a table of jobs: one query for a page, and a signature of each row that tells when it has changed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from jobs.intents import allowed_actions
from jobs.models import Action, Intent, Job, job_rows
from jobs.permissions import may_act, may_act_on_own, sees_all_in_sql
from jobs.status import ACTIVE, FINAL, Status
from jobs.web.wording import WORDING

MOST_KNOWN = 500
"""Rows that a browser may say it has; more than any page holds."""

_NOT_IN_A_ROW = ("extended_properties", "description", "workspace", "token_hash", "claim", "external_id")

_PARTS_ORDER = ("COM", "VCP", "RES", "ERR", "ABT", "RUN", "VAR", "OTH", "PAS", "SUB", "PEN")
"""Parts of a job as its bar shows them: what is done, what failed, what goes on, what waits."""


def table_jobs(user, *, with_fields: Iterable[str] = ()) -> QuerySet[Job]:
    """What a table shows to `user`: base rows with their owner and `open_action`, the action under way.

    Args:
        user: who looks.
        with_fields: what a table shows of a job beyond what all tables do; other fields of much text are not read.
    """
    under_way = Intent.objects.open().exclude(action=Action.REFRESH).filter(job=OuterRef("pk"))
    unread = [name for name in _NOT_IN_A_ROW if name not in set(with_fields)]
    jobs = job_rows().shown().visible_to(user).select_related("user").defer(*unread)
    jobs = jobs.annotate(open_action=Subquery(under_way.values("action")[:1]), anybodys=sees_all_in_sql(user))
    return jobs.order_by("-pk")


@dataclass(frozen=True)
class Row:
    """A job as a table or the head of its page shows it."""

    job: Job
    actions: Sequence[Action]
    open_action: str

    @property
    def type_label(self) -> str:
        """The type for people; empty where its room is not installed."""
        return self.job.type.label if self.job.type else ""

    @property
    def is_active(self) -> bool:
        """Whether it may change soon without anybody doing something."""
        return bool(self.open_action) or self.job.status_code in ACTIVE or self.job.status_code == Status.RESULTS_READY

    @property
    def under_way(self) -> str:
        """What is being done to it, as a word beside the status."""
        return WORDING[self.open_action].under_way if self.open_action else ""

    @property
    def shows_progress(self) -> bool:
        return self.job.progress is not None and self.job.status_code in ACTIVE

    @property
    def parts(self) -> list[tuple[Status, int]]:
        """Of a job of many parts: how many are in which status; empty for other jobs."""
        counts = self.job.resources.get("counts")
        if not isinstance(counts, dict):
            return []
        return [(Status(code), counts[code]) for code in _PARTS_ORDER if counts.get(code)]

    @property
    def parts_over(self) -> int:
        """How many of its parts are over."""
        return sum(count for status, count in self.parts if status in FINAL)

    @property
    def parts_in_all(self) -> int:
        return sum(count for _, count in self.parts)

    @property
    def shows_parts(self) -> bool:
        """Whether its parts say more than its status."""
        return bool(self.parts) and (self.job.status_code in ACTIVE or len(self.parts) > 1)

    @property
    def counts_up(self) -> bool:
        """Whether its duration grows while we look."""
        job = self.job
        return job.start_time is not None and job.completion_time is None and not job.is_over

    @property
    def prominent(self) -> list[Action]:
        return [action for action in self.actions if WORDING[action].prominent]

    @property
    def others(self) -> list[Action]:
        return [action for action in self.actions if not WORDING[action].prominent]

    @property
    def shown(self) -> tuple:
        """All that the row shows."""
        job = self.job
        return (
            job.name,
            job.user_id,
            job.status_code,
            job.status_label,
            job.status_message,
            job.progress,
            self.parts,
            job.attempt,
            job.start_time,
            job.completion_time,
            self.type_label,
            self.open_action,
            *self.actions,
        )

    @property
    def signature(self) -> str:
        """Differs as soon as something that the row shows does."""
        return hashlib.blake2b(repr(self.shown).encode(errors="replace"), digest_size=6).hexdigest()


def row_of(job, user) -> Row:
    """The row of a job that was read through `table_jobs`."""
    open_action = job.open_action or ""
    actions = allowed_actions(job, open_action) if acts_on(job, user) else []
    return Row(job, tuple(action for action in actions if action in WORDING), open_action)


def acts_on(job, user) -> bool:
    """Whether `user` may act on a job that was read through `table_jobs`; no query, unlike `may_act`."""
    return job.anybodys or may_act_on_own(user, job) if hasattr(job, "anybodys") else may_act(user, job)


def rows_of(jobs: Iterable[Job], user) -> list[Row]:
    """The rows of a page."""
    return [row_of(job, user) for job in jobs]


@dataclass(frozen=True)
class Arrival:
    """A row that the browser does not have, and the primary key of the job whose row it follows (None: it is first)."""

    row: Row
    follows: int | None


@dataclass(frozen=True)
class Differences:
    """What turns the rows that a browser has into those that are true now."""

    changed: Sequence[Row]
    new: Sequence[Arrival]
    gone: Sequence[int]
    moved: bool = False
    """Rows that the browser has stand in another order now; then all are to be sent."""

    def __bool__(self) -> bool:
        return bool(self.changed or self.new or self.gone or self.moved)


def differences(rows: Sequence[Row], known: Mapping[int, str]) -> Differences:
    """Compare a page with what a browser has of it.

    Args:
        rows: as they are now.
        known: primary key to signature, as the browser has them.
    """
    changed = [row for row in rows if known.get(row.job.pk, row.signature) != row.signature]
    before = [None, *(row.job.pk for row in rows)]
    new = [Arrival(row, follows) for row, follows in zip(rows, before, strict=False) if row.job.pk not in known]
    now = [row.job.pk for row in rows]
    gone = sorted(set(known) - set(now))
    stayed = [key for key in known if key in set(now)]
    return Differences(changed, new, gone, moved=stayed != [key for key in now if key in known])


def parse_known(text: str) -> dict[int, str]:
    """What a browser says it has: `12.ab34cd,11.9f00aa`; what cannot be read is left out, and so sent again."""
    known = {}
    for word in text.split(",")[:MOST_KNOWN]:
        key, _, signature = word.partition(".")
        if key.isascii() and key.isdigit() and len(key) < 19:
            known[int(key)] = signature
    return known
