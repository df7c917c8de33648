"""Outputs that are elsewhere when a job ends: fetched before it is over here, forgotten there only afterwards."""

import pytest

from jobs.engine import EngineRefused, EngineUnavailable, Supports
from jobs.models import Scheduler, job_rows
from jobs.status import Status
from jobs.testing import settle
from jobs.worker import fetching
from jobs.workspaces import workspace_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(fake):
    """The fake engine as one whose jobs leave their outputs elsewhere; `elsewhere.fetched` lists who fetched them."""
    fake.supports = Supports(pause=True, fetch=True)
    fake.fetched = []
    fake.trouble = None

    def fetch(handle, into):
        if fake.trouble is not None:
            raise fake.trouble
        fake.fetched.append(handle.tag)
        (into / "output.txt").write_text("42")

    fake.fetch = fetch
    return fake


def test_a_job_is_over_when_its_outputs_are_here(elsewhere, fake_job, row):
    job = fake_job()
    tag = job.tag
    elsewhere.finish(job)
    settle()
    assert row(job)["status_code"] == Status.COMPLETE
    assert (row(job)["ending"], row(job)["exit_code"]) == (None, 0)
    assert (workspace_path(job) / "output.txt").read_text() == "42"
    assert elsewhere.fetched == [tag]


def test_the_engine_forgets_an_attempt_once_its_end_is_written_down(elsewhere, fake_job, row):
    job = fake_job()
    elsewhere.finish(job)
    settle()
    assert elsewhere.attempts == {}
    assert row(job)["leftover"] is False


def test_results_are_processed_with_the_outputs_at_hand(elsewhere, fake_job, row, history):
    job = fake_job(process_results_function="tests.exampleapp.results.count")
    elsewhere.finish(job)
    fetching_only(job)
    assert row(job)["status_code"] == Status.RESULTS_READY
    assert (workspace_path(job) / "output.txt").exists()
    assert history(job)[-1] == ("SUB", "RES")


def fetching_only(job):
    """What monitor and worker do until the outputs are here, and nothing after it."""
    from jobs.monitor.polling import poll_once

    scheduler = Scheduler.objects.get(name="fake")
    poll_once(locked(scheduler), job.type.engine)
    fetching.fetch(job.pk)


def locked(scheduler):
    from jobs.monitor.leadership import lead

    lead(scheduler.pk)
    return Scheduler.objects.get(pk=scheduler.pk)


def test_while_the_engine_is_away_the_end_waits_for_the_outputs(elsewhere, fake_job, row, clock):
    job = fake_job()
    elsewhere.finish(job)
    elsewhere.trouble = EngineUnavailable("the pool is away")
    settle()
    assert row(job)["status_code"] != Status.COMPLETE
    assert row(job)["ending"]["status"] == "COM"
    assert "the pool is away" in Scheduler.objects.get(name="fake").last_error
    elsewhere.trouble = None
    clock.move(120)
    settle()
    assert row(job)["status_code"] == Status.COMPLETE


def test_the_pauses_between_two_tries_to_fetch_grow_up_to_a_minute(elsewhere, fake_job, row, clock):
    job = fake_job()
    elsewhere.finish(job)
    elsewhere.trouble = EngineUnavailable("the pool is away")
    pauses = []
    for _ in range(8):
        settle()
        pauses.append((row(job)["claim_expires"] - clock()).total_seconds())
        clock.move(pauses[-1] + 0.001)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 60)


def test_outputs_that_cannot_be_fetched_make_a_good_end_an_error_and_stay_at_the_engine(elsewhere, fake_job, row):
    job = fake_job()
    tag = job.tag
    elsewhere.finish(job)
    elsewhere.trouble = EngineRefused("a name has a comma in it")
    settle()
    assert row(job)["status_code"] == Status.ERROR
    assert "a name has a comma in it" in row(job)["status_message"]
    assert (row(job)["leftover"], row(job)["exit_code"]) == (False, 0)
    assert tag in elsewhere.attempts


def test_a_worker_that_died_after_fetching_lets_the_next_one_fetch_again(elsewhere, fake_job, row, clock, monkeypatch):
    job = fake_job()
    tag = job.tag
    elsewhere.finish(job)

    class PowerCut(BaseException):
        pass

    def dies(*args):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "_end", dies)
        with pytest.raises(PowerCut):
            settle()
    assert (row(job)["status_code"], elsewhere.fetched) == ("SUB", [tag])
    assert tag in elsewhere.attempts, "nothing is forgotten before the end is written down"
    clock.move(60)
    settle()
    assert (row(job)["status_code"], elsewhere.fetched) == ("COM", [tag, tag])


def test_two_workers_do_not_fetch_the_same_outputs_at_once(elsewhere, fake_job, row):
    job = fake_job()
    elsewhere.finish(job)
    fetched = elsewhere.fetch
    elsewhere.fetch = lambda handle, into: (fetching.fetch(job.pk), fetched(handle, into))[1]
    settle()
    assert len(elsewhere.fetched) == 1


def test_a_stopped_job_brings_what_there_is_and_is_aborted(elsewhere, fake_job, row, clock):
    job = fake_job()
    elsewhere.start(job)
    settle()
    job.stop()
    settle()
    assert row(job)["status_code"] == Status.ABORTED
    assert (workspace_path(job) / "output.txt").exists()


def test_what_an_earlier_attempt_left_is_forgotten_while_the_next_one_runs(elsewhere, fake_job, row, clock):
    job = fake_job()
    first = job.tag
    elsewhere.finish(job, 1)
    forget, elsewhere.forget = elsewhere.forget, lambda handles: (_ for _ in ()).throw(EngineUnavailable("away"))
    settle()
    assert row(job)["leftover"] is True
    job.resubmit()
    settle()
    elsewhere.forget = forget
    clock.move(60)
    settle()
    assert first not in elsewhere.attempts
    assert job.tag in elsewhere.attempts
    assert row(job)["leftover"] is False


def test_an_end_is_written_down_once_however_often_it_is_reported(elsewhere, fake_job, row, django_assert_num_queries):
    job = fake_job()
    elsewhere.finish(job)
    elsewhere.trouble = EngineUnavailable("away")
    settle()
    before = row(job)["ending"]
    settle(3)
    assert row(job)["ending"] == before


def test_a_job_that_the_engine_lost_is_an_error_at_once(elsewhere, fake_job, row):
    job = fake_job()
    elsewhere.lose(job)
    settle(3)
    assert row(job)["status_code"] == Status.ERROR
    assert "does not know this job any more" in row(job)["status_message"]
    assert job_rows().filter(ending__isnull=False).count() == 0


def test_jobs_that_found_all_places_taken_are_fetched_by_who_has_one(elsewhere, fake_job, row):
    jobs = [fake_job() for _ in range(6)]
    for job in jobs:
        elsewhere.finish(job)
    from jobs.monitor.polling import poll_once

    poll_once(locked(Scheduler.objects.get(name="fake")), jobs[0].type.engine)
    fetching.fetch(jobs[3].pk)
    assert [row(job)["status_code"] for job in jobs] == ["COM"] * 6


def test_an_end_that_is_known_is_not_lost_when_the_engine_forgets_the_job(elsewhere, fake_job, row, clock):
    job = fake_job()
    elsewhere.finish(job)
    elsewhere.trouble = EngineUnavailable("away")
    settle()
    elsewhere.lose(job)
    settle(3)
    assert row(job)["ending"]["status"] == "COM"
    elsewhere.trouble = EngineRefused("Its outputs are lost.")
    clock.move(120)
    settle()
    assert (row(job)["status_code"], row(job)["exit_code"]) == ("ERR", 0)
