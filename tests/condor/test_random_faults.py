"""Whatever happens in a pool, and to whoever watches it, in whatever order: jobs end as their work did, none twice."""

from contextlib import suppress

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.condor.answers import HELD, IDLE, RUNNING, SUSPENDED
from jobs.engine import EngineUnavailable
from jobs.errors import ActionNotAllowed
from jobs.monitor import polling
from jobs.status import ACTIVE, Status
from tests.condor.scripted import Killed, scripted_site

pytestmark = pytest.mark.django_db

JOBS = 3
TRUTH = {"exit_0": Status.COMPLETE, "exit_7": Status.ERROR, "signal_9": Status.ERROR, "removed": Status.ABORTED}
"""By the recorded answer with which a process ended, what its job must be in the end."""

FROM = {
    IDLE: ["running", "held_by_user", "removed"],
    RUNNING: ["suspended", "held_by_user", "evicted", "exit_0", "exit_7", "signal_9", "removed"],
    SUSPENDED: ["running", "removed"],
    HELD: ["released", "removed"],
}
"""What a process may come to, by its JobStatus; the names are those of recorded answers."""

which = st.integers(0, JOBS - 1)
steps = st.one_of(
    st.tuples(st.just("happens"), which, st.integers(0, 6)),
    st.tuples(st.just("happens"), which, st.integers(0, 6)),
    st.tuples(st.just("taken_out_by_force"), which),
    st.tuples(st.just("stop"), which),
    st.tuples(st.just("pause"), which),
    st.tuples(st.just("away"), st.booleans()),
    st.tuples(st.just("cut_off"), st.integers(1, 4)),
    st.tuples(st.just("killed"), st.integers(1, 6)),
    st.tuples(st.just("breaks_off"), st.sampled_from(["before", "spooling", "after", "unnoted"]), st.booleans()),
    st.tuples(st.just("clock_is_set"), st.sampled_from([-3600, -5, 0, 3600])),
    st.tuples(st.just("watch_is_lost")),
    st.tuples(st.just("database_fails")),
    st.tuples(st.just("time_passes"), st.sampled_from([0, 1, 3, 20, 70, 200])),
    st.tuples(st.just("time_passes"), st.sampled_from([0, 1, 3, 20, 70, 200])),
)


class Story:
    """One run of random steps against a site."""

    def __init__(self, site):
        self.site = site
        self.schedd = site.schedd
        self.jobs = [site.job() for _ in range(JOBS)]
        for job in self.jobs:
            job.execute()

    def _alive(self, number: int) -> tuple | None:
        """The process of a job that is in the queue and not over."""
        job = self.jobs[number]
        found = [key for key, ad in self.schedd.queue.items() if ad["JobdeckTag"] == job.tag and "StageInFinish" in ad]
        alive = [key for key in found if self.schedd.queue[key]["JobStatus"] in FROM]
        return alive[0] if alive and job.tag not in self.schedd.ends else None

    def happens(self, number: int, choice: int) -> None:
        key = self._alive(number)
        if key:
            possible = FROM[self.schedd.queue[key]["JobStatus"]]
            self.schedd.move(key, possible[choice % len(possible)])

    def taken_out_by_force(self, number: int) -> None:
        key = self._alive(number)
        if key:
            self.schedd.move(key, "removed")
            self.schedd.leave_queue([key])

    def stop(self, number: int) -> None:
        with suppress(ActionNotAllowed):
            self.site.read(self.jobs[number]).stop()

    def pause(self, number: int) -> None:
        with suppress(ActionNotAllowed):
            self.site.read(self.jobs[number]).pause()

    def away(self, is_away: bool) -> None:
        self.schedd.away = "no route to host" if is_away else ""

    def cut_off(self, answers: int) -> None:
        self.schedd.cut_off = answers

    def killed(self, answers: int) -> None:
        self.schedd.kill_at = answers

    def breaks_off(self, where: str, by_death: bool) -> None:
        self.schedd.breaks_at, self.schedd.breaks_by = where, Killed if by_death else EngineUnavailable

    def clock_is_set(self, ahead: int) -> None:
        self.schedd.ahead = ahead

    def watch_is_lost(self) -> None:
        self.site.restart()

    def database_fails(self) -> None:
        real = polling.still_leads

        def fails(*_, **__):
            polling.still_leads = real
            raise DatabaseError("the connection to the server was lost")

        polling.still_leads = fails
        try:
            self.time_passes(3)
        finally:
            polling.still_leads = real

    def time_passes(self, seconds: int) -> None:
        self.site.clock.move(seconds)
        try:
            self.site.settle()
        except (Killed, DatabaseError):
            self.site.restart()

    # --- the end

    def all_is_well_again(self) -> None:
        self.schedd.away, self.schedd.cut_off, self.schedd.kill_at, self.schedd.breaks_at = "", 0, 0, ""
        self.site.rest(130, step=65)
        for number in range(JOBS):
            for choice in ("running", "exit_0"):
                if key := self._alive(number):
                    self.schedd.move(key, choice)
        self.site.rest(600, step=30)

    def check(self) -> None:
        for job in self.jobs:
            self.site.read(job)
            known = f"{job.status_code} {job.status_message!r} {self.schedd.ends.get(job.tag)} {list(job.events.all())}"
            assert job.status_code not in ACTIVE | {Status.PENDING}, known
            assert self.schedd.starts[job.tag] <= 1, known
            # What never came to the pool was stopped before.
            truth = TRUTH[self.schedd.ends[job.tag]] if job.tag in self.schedd.ends else Status.ABORTED
            assert job.status_code == truth, known
            assert (job.leftover, self.schedd.has(job)) == (False, False), known


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=25))
def test_jobs_end_as_their_work_did_whatever_happens_in_whatever_order(ann, happenings):
    with transaction.atomic():
        with scripted_site(ann) as site:
            story = Story(site)
            for name, *arguments in happenings:
                getattr(story, name)(*arguments)
            story.all_is_well_again()
            story.check()
        transaction.set_rollback(True)
