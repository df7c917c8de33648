"""For tests of app code: an engine that does what the test says, a clock that the test moves, and a monitor in one call."""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from jobs import clock, scheduler_test
from jobs.engine import Engine, EngineRefused, EngineUnavailable, LogFile, Outcome, Poll, Report, Supports
from jobs.models import Action, Intent, Scheduler, job_rows
from jobs.monitor.polling import engines
from jobs.monitor.process import watch
from jobs.monitor.sweep import mark_due_looks, stop_overdue
from jobs.status import FINAL, Status
from jobs.types import JobType, registered

MOST_ROUNDS = 50
"""Rounds after which `settle` gives up waiting for something that does not come to rest."""


class FakeClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, start: datetime | None = None):
        self.time = start or timezone.now()

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.time += timedelta(seconds=seconds)


@contextmanager
def fake_clock(start: datetime | None = None) -> Iterator[FakeClock]:
    """Have all of Jobdeck in this process read a `FakeClock`."""
    fake = FakeClock(start)
    clock.use(fake)
    try:
        yield fake
    finally:
        clock.use(None)


@dataclass
class FakeAttempt:
    """What the fake engine knows of one attempt; tests read it and set it."""

    external_id: str
    report: Report
    submissions: int = 1
    known: bool = True
    logs: dict[str, Path] = field(default_factory=dict)


class FakeEngine(Engine):
    """An engine whose jobs do what the test says.

    Attributes:
        attempts: by tag, all that was ever submitted and not forgotten.
        away: while true the engine cannot be reached.
        refuses: with a text, every submission is refused with it.
        logs_folder: where `write` keeps the logs; a test that uses it sets it.
    """

    name = "fake"
    supports = Supports(pause=True, live_logs=True)
    poll_interval = 0.0

    def __init__(self):
        self.attempts: dict[str, FakeAttempt] = {}
        self.away = False
        self.refuses = ""
        self.logs_folder: Path | None = None
        self.polls = 0
        self._ids = itertools.count(1)

    # --- what a test says

    def start(self, job) -> None:
        """Have the job's attempt run."""
        self._say(job, Status.RUNNING, started=clock.now())

    def finish(self, job, exit_code: int = 0) -> None:
        """Have the job's attempt end."""
        status = Status.COMPLETE if exit_code == 0 else Status.ERROR
        self._say(job, status, exit_code=exit_code, finished=clock.now())

    def write(self, job, text: str, name: str = "stdout") -> None:
        """Have the job's attempt write to a log.

        Raises:
            ValueError: the test has not set `logs_folder`.
        """
        if self.logs_folder is None:
            raise ValueError("logs_folder: set it to a folder of the test, for example tmp_path")
        path = self.attempts[job.tag].logs.setdefault(name, self.logs_folder / f"{job.tag}.{name}")
        with path.open("a") as file:
            file.write(text)

    def lose(self, job) -> None:
        """Have the engine know nothing more of the job's attempt."""
        self.attempts[job.tag].known = False

    def _say(self, job, status: str, **facts) -> None:
        attempt = self.attempts[job.tag]
        attempt.report = replace(attempt.report, status=status, **facts)

    # --- what the core asks

    def _reach(self) -> None:
        if self.away:
            raise EngineUnavailable("the fake engine is away")

    def _find(self, tag: str) -> FakeAttempt | None:
        attempt = self.attempts.get(tag)
        return attempt if attempt is not None and attempt.known else None

    def _reports(self, tags: Iterable[str]) -> list[Report]:
        return [attempt.report for attempt in map(self._find, tags) if attempt is not None]

    def prepare(self) -> None:
        Scheduler.objects.get_or_create(name="fake", defaults={"type": self.name, "least_interval": 0.0})

    def choose_scheduler(self, job):
        self.prepare()
        return Scheduler.objects.get(name="fake")

    def submit(self, job) -> str:
        self._reach()
        if self.refuses:
            raise EngineRefused(self.refuses)
        known = self.attempts.get(job.tag)
        if known is not None:
            known.submissions += 1
            return known.external_id
        external_id = f"fake-{next(self._ids)}"
        self.attempts[job.tag] = FakeAttempt(external_id, Report(job.tag, Status.SUBMITTED))
        return external_id

    def recover(self, scheduler, tag: str) -> str | None:
        self._reach()
        attempt = self._find(tag)
        return attempt.external_id if attempt is not None else None

    def poll(self, scheduler, cursor, watched) -> Poll:
        self._reach()
        self.polls += 1
        return Poll(self._reports(watch.tag for watch in watched), self.polls, True)

    def resolve(self, scheduler, handles) -> list[Report]:
        self._reach()
        return self._reports(handle.tag for handle in handles)

    def stop(self, handles, *, force: bool = False) -> dict[str, Outcome]:
        return self._act(handles, Status.ABORTED, finished=clock.now())

    def pause(self, handles) -> dict[str, Outcome]:
        return self._act(handles, Status.PAUSED)

    def resume(self, handles) -> dict[str, Outcome]:
        return self._act(handles, Status.RUNNING)

    def _act(self, handles, status: str, **facts) -> dict[str, Outcome]:
        self._reach()
        outcomes = {}
        for handle in handles:
            attempt = self._find(handle.tag)
            if attempt is None or attempt.report.status in FINAL:
                outcomes[handle.tag] = Outcome.OVER
            else:
                attempt.report = replace(attempt.report, status=status, **facts)
                outcomes[handle.tag] = Outcome.DONE
        return outcomes

    def forget(self, handles) -> dict[str, Outcome]:
        self._reach()
        return {handle.tag: self._forget(handle.tag) for handle in handles}

    def _forget(self, tag: str) -> Outcome:
        known = self._find(tag)
        if known is not None and known.report.status not in FINAL:
            return Outcome.LATER
        attempt = self.attempts.pop(tag, None)
        for path in attempt.logs.values() if attempt is not None else ():
            path.unlink(missing_ok=True)
        return Outcome.OVER if attempt is None else Outcome.DONE

    def logs(self, handle) -> list[LogFile]:
        attempt = self._find(handle.tag)
        files = attempt.logs if attempt is not None else {}
        return [LogFile(name, path.stat().st_size, path) for name, path in files.items()]


@contextmanager
def fake_engine(model: type, name: str) -> Iterator[FakeEngine]:
    """Have a fake engine run the jobs of `model`, a subclass of Job, under the type name `name`."""
    engine = FakeEngine()
    with registered(JobType(name=name, label=name.title(), model=model, engine=engine)):
        yield engine


def settle(rounds: int = 1) -> None:
    """Do in this process what workers and monitor would do, until nothing is left to do at once, `rounds` times.

    No broker and no other process is needed. Results are processed in a child process, as always, which needs a database
    that other processes see.

    Raises:
        AssertionError: it does not come to rest.
    """
    for _ in range(rounds):
        for _ in range(MOST_ROUNDS):
            if not _work() | _look():
                break
        else:
            raise AssertionError(f"Jobdeck does not come to rest: open intents {list(Intent.objects.open())}")


def _work() -> bool:
    from jobs.worker import fetching
    from jobs.worker.bulk import carry_out_bulk
    from jobs.worker.bulk import due as due_bulk
    from jobs.worker.carry_out import carry_out
    from jobs.worker.results import process

    now = clock.now()
    free = Q(claim="") | Q(claim_expires__lt=now)
    due = Intent.objects.open().exclude(action=Action.REFRESH).filter(free, next_try__lte=now)
    ids = list(due.values_list("pk", flat=True))
    for intent_id in ids:
        carry_out(intent_id)
    ready = list(job_rows().filter(free, status_code=Status.RESULTS_READY).values_list("pk", flat=True))
    for job_id in ready:
        process(job_id)
    several = due_bulk()
    for bulk_id in several:
        carry_out_bulk(bulk_id)
    ended = list(fetching.due())
    for job_id in ended:
        fetching.fetch(job_id)
    for scheduler_id in fetching.to_tidy():
        fetching.tidy_up(scheduler_id)
    tests = scheduler_test.due()
    for scheduler_id in tests:
        scheduler_test.run_test(scheduler_id)
    return bool(ids or ready or several or ended or tests)


def _look() -> bool:
    before = _fingerprint()
    mark_due_looks()
    stop_overdue()
    for scheduler in Scheduler.objects.all():
        engine = engines().get(scheduler.type)
        if engine is not None:
            watch(scheduler, engine, at_once=True)
    return _fingerprint() != before


def _fingerprint() -> list:
    jobs = job_rows().order_by("pk").values_list("pk", "status_code", "attempt", "missed", "ending")
    return [*jobs, *Intent.objects.open().order_by("pk").values_list("pk")]
