"""The fake engine for tests of app code: it must keep the contract too, or those tests would show nothing."""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager

from jobs.engine import make_tag
from jobs.models import Job
from jobs.status import FINAL, Status
from jobs.testing import FakeEngine, fake_engine
from tests.contract.worlds.base import World
from tests.exampleapp.models import FakeJob


class FakeWorld(World):
    """The outside is this object: with each turn it has jobs start, work and end as they were made to."""

    name = "fake"
    model = FakeJob
    supports = FakeEngine.supports
    drivers = ("settle",)
    can_be_away = True

    def __init__(self, user, outside, engine):
        super().__init__(user, outside, engine)
        self.engine.logs_folder = outside
        self._started: Counter[str] = Counter()
        self._worked: Counter[str] = Counter()
        self._while_it_works: dict[int, Callable[[Job], None]] = {}

    @classmethod
    def running_engine(cls):
        return fake_engine(FakeJob, "FAKE")

    def _doing(self, what: Callable[[Job], None], **attributes) -> Job:
        job = self.job(**attributes)
        self._while_it_works[job.pk] = what
        return job

    def succeeding(self, **attributes):
        return self._doing(lambda job: self.engine.finish(job), **attributes)

    def failing(self, exit_code, **attributes):
        return self._doing(lambda job: self.engine.finish(job, exit_code), **attributes)

    def lasting(self, **attributes):
        return self._doing(lambda job: None, **attributes)

    def writing(self, text, **attributes):
        def write_once(job):
            if self._worked[job.tag] == 1:
                self.engine.write(job, text)

        return self._doing(write_once, **attributes)

    def impossible(self, **attributes):
        self.engine.refuses = "there is no such program"
        return self.job(**attributes)

    def turn(self):
        for job in FakeJob.objects.filter(pk__in=self._while_it_works):
            attempt = self.engine.attempts.get(job.tag)
            if attempt is None or not attempt.known:
                continue
            if attempt.report.status == Status.SUBMITTED:
                self.engine.start(job)
            elif attempt.report.status == Status.RUNNING:
                if not self._worked[job.tag]:
                    self._started[job.tag] += 1
                self._worked[job.tag] += 1
                self._while_it_works[job.pk](job)

    def starts(self, job, attempt=None):
        return self._started[make_tag(job.uuid, attempt or job.attempt)]

    def work_done(self, job):
        return self._worked[job.tag]

    def works(self, job):
        attempt = self.engine.attempts.get(job.tag)
        return attempt is not None and attempt.known and attempt.report.status not in FINAL

    def traces(self, job):
        tags = [tag for tag in self.engine.attempts if job.uuid.hex in tag]
        return tags + [path.name for path in self.outside.glob(f"*{job.uuid.hex}*")]

    def lose(self, job):
        self.engine.lose(job)

    @contextmanager
    def away(self):
        self.engine.away = True
        try:
            yield
        finally:
            self.engine.away = False

    def close(self):
        self.engine.refuses = ""
        self.engine.attempts.clear()
