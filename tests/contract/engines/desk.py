"""Playing worker and monitor: what they ask of an engine, one question at a time, with the rows written as they would."""

import json
import time
from collections.abc import Callable

from jobs.engine import Outcome, Poll, Report, Watched, by_tag, handle_of
from jobs.models import Job, Scheduler
from jobs.status import FINAL, Status, resolve_status
from jobs.transitions import Change, transition
from jobs.workspaces import make_workspace
from tests.contract.worlds import World


class Desk:
    """Asks a world's engine and remembers its latest report about each attempt."""

    def __init__(self, world: World):
        self.world = world
        self.latest: dict[str, Report] = {}

    @property
    def engine(self):
        return self.world.engine

    # --- as a worker

    def ready(self, job: Job) -> Job:
        """Do what comes before a submission."""
        if job.scheduler_id is None:
            job.scheduler = self.engine.choose_scheduler(job)
            job.save(update_fields=["scheduler"])
        make_workspace(job)
        return job

    def submit(self, job: Job) -> Job:
        """Hand over the job's current attempt and write that down."""
        external_id = self.engine.submit(self.ready(job))
        transition([Change(job.pk, job.attempt, Status.SUBMITTED, external_id=external_id)], source="contract")
        job.read_row()
        return job

    def resubmit(self, job: Job) -> Job:
        """Begin a new attempt and hand it over."""
        transition([Change(job.pk, job.attempt, resubmit=True)], source="contract")
        job.read_row()
        return self.submit(job)

    def act(self, verb: str, job: Job, **options) -> Outcome:
        """Stop, pause, resume or forget one attempt."""
        handle = handle_of(job)
        outcomes = getattr(self.engine, verb)([handle], **options)
        assert outcomes.keys() == {handle.tag}, "an outcome for each tag, and no others"
        return Outcome(outcomes[handle.tag])

    def act_when_possible(self, verb: str, job: Job) -> Outcome:
        """Ask for an action again, as a worker does, while the engine says that it is not possible just now."""
        outcomes: list[Outcome] = []

        def taken() -> bool:
            outcomes.append(self.act(verb, job))
            return outcomes[-1] is not Outcome.LATER

        self.wait(taken, f"{verb} is possible", job)
        return outcomes[-1]

    def ended(self, job: Job) -> Job:
        """Hand a job over and see it to its end."""
        self.submit(job)
        self.until(job, *FINAL)
        return job

    def running(self, job: Job) -> Job:
        """Hand a job over and wait until it works."""
        self.submit(job)
        self.until(job, Status.RUNNING)
        self.wait(lambda: self.world.work_done(job), "its work has begun")
        return job

    # --- as the monitor

    def look(self, *jobs: Job) -> Poll:
        """Let the world turn and the engine do its own things, and ask one question."""
        self.world.turn()
        self.engine.tick(Scheduler.objects.get(pk=jobs[0].scheduler_id))
        return self.ask(*jobs)

    def ask(self, *jobs: Job) -> Poll:
        """Ask one question and write down the answer."""
        scheduler = Scheduler.objects.get(pk=jobs[0].scheduler_id)
        for job in jobs:
            job.read_row()
        watched = [Watched(job.tag, job.external_id, job.status_code) for job in jobs]
        poll = self.engine.poll(scheduler, scheduler.cursor, watched)
        Scheduler.objects.filter(pk=scheduler.pk).update(cursor=json.loads(json.dumps(poll.cursor)))
        self._apply(poll, jobs)
        return poll

    def _apply(self, poll: Poll, jobs: tuple[Job, ...]) -> None:
        reports = by_tag(poll.reports)
        self.latest.update(reports)
        for job in jobs:
            report = reports.get(job.tag)
            if report is not None and report.status:
                status, label = resolve_status(report.status)
                transition([Change(job.pk, job.attempt, status, label, started=report.started)], source="contract")
                job.read_row()

    def full_look(self, *jobs: Job) -> Poll:
        """Ask until an answer is full; an engine that was started anew may give that first."""
        self.world.restart()
        deadline = time.monotonic() + self.world.patience
        while not (poll := self.look(*jobs)).full:
            assert time.monotonic() < deadline, "the engine gave no full answer"
            time.sleep(self.world.step)
        return poll

    def until(self, job: Job, *statuses: str) -> Report:
        """Ask until the engine reports one of the statuses; the report."""
        self.wait(lambda: self._base(job) in statuses, f"it is {' or '.join(map(str, statuses))}", job)
        return self.latest[job.tag]

    def _base(self, job: Job) -> str | None:
        report = self.latest.get(job.tag)
        return resolve_status(report.status)[0] if report is not None and report.status else None

    def wait(self, condition: Callable[[], object], what: str, *jobs: Job) -> None:
        """Ask until the condition holds."""
        jobs = jobs or tuple(job for job in self.world.jobs if job.scheduler_id)
        deadline = time.monotonic() + self.world.patience
        while not condition():
            said = [self.latest.get(job.tag) for job in jobs]
            assert time.monotonic() < deadline, f"not within {self.world.patience:g} s: {what}; the engine said {said}"
            self.look(*jobs)
            time.sleep(self.world.step)

    def asked(self, times: int, *jobs: Job) -> None:
        """Ask so often, with pauses, to see that something does not happen."""
        for _ in range(times):
            self.look(*jobs)
            time.sleep(self.world.step)
