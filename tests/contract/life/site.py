"""One engine on one site, as a test of whole jobs sees it."""

from dataclasses import dataclass

from jobs.models import Intent, Job, job_rows
from jobs.status import FINAL, MOVES, Status
from tests.contract.life.drivers import PATIENCE, Driver
from tests.contract.worlds import World


@dataclass
class Site:
    """What a test works with: the jobs of a world, and a driver that carries out what it wants of them."""

    world: World
    driver: Driver

    def until(self, condition, what: str) -> None:
        """Wait until the condition holds."""

        def holds():
            self.world.turn()
            return condition()

        self.driver.until(holds, what, max(PATIENCE, self.world.patience))

    def until_status(self, job: Job, *words: str) -> Job:
        """Wait until the job's status is shown with one of the words."""
        try:
            self.until(lambda: job.cached_status in words, f"{job} is {' or '.join(words)}")
        except AssertionError as error:
            intents = list(job.intents.values("action", "outcome", "tries", "sends", "last_error"))
            raise AssertionError(f"{error}\n{job} is {job.status_display}: {job.status_message}; {intents}") from error
        return job

    def until_over(self, *jobs: Job) -> None:
        """Wait until all of the jobs are over."""
        ids = [job.pk for job in jobs]
        going_on = job_rows().filter(pk__in=ids).exclude(status_code__in=FINAL)
        self.until(lambda: not going_on.exists(), f"{len(jobs)} jobs are over")
        for job in jobs:
            job.read_row()

    def until_working(self, job: Job) -> Job:
        """Wait until the job works, and Jobdeck knows it."""
        self.until_status(job, "Running")
        self.until(lambda: self.world.work_done(job) > 1, f"{job} works")
        return job

    def until_gone(self, job: Job) -> None:
        """Wait until the job is deleted."""
        self.until(lambda: not job_rows().filter(pk=job.pk).exists(), f"{job} is gone")


def history(job: Job, attempt: int | None = None) -> list[str]:
    """The statuses that an attempt (the current one) went through, checked to be one chain of allowed moves."""
    events = list(job.events.filter(attempt=attempt or job.attempt))
    for event in events:
        resubmitted = event.new_status == Status.PENDING
        assert resubmitted or event.new_status in MOVES[event.old_status], event
    chain = [event for event in events if event.new_status != Status.PENDING]
    assert [event.old_status for event in chain[1:]] == [event.new_status for event in chain[:-1]]
    times = [event.time for event in events]
    assert times == sorted(times)
    return [Status(chain[0].old_status).label, *(Status(event.new_status).label for event in chain)]


def no_open_wishes(job: Job) -> bool:
    """Whether all that was wanted of the job is settled."""
    return not Intent.objects.open().filter(job=job).exists()
