"""What a schedd may do to us while time passes: on recorded answers, with a clock that the test moves."""

import pytest
from django.db import DatabaseError

from jobs.conf import conf
from jobs.engine import EngineUnavailable
from jobs.models import Scheduler
from jobs.monitor import polling
from jobs.status import Status
from tests.condor.scripted import Killed, scripted_site

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600
MINUTE = 60


@pytest.fixture
def site(ann):
    """A site whose pool is a stand-in that plays recorded answers."""
    with scripted_site(ann) as site:
        yield site


@pytest.fixture
def schedd(site):
    """The stand-in."""
    return site.schedd


def whole_looks(schedd, since: int = 0) -> int:
    """How many of the queries were about the whole queue."""
    return schedd.constraints[since:].count(f'JobdeckInstance == "{conf.INSTANCE}"')


def test_a_job_goes_through_its_life(site, schedd):
    job = site.submitted()
    assert (job.status_code, job.external_id) == (Status.SUBMITTED, "101")
    schedd.say(job, "running")
    site.watch(4)
    assert site.read(job).status_code == Status.RUNNING
    schedd.say(job, "exit_0")
    site.watch(4)
    assert site.read(job).status_code == Status.RUNNING, "it is over when its outputs are here"
    site.settle()
    assert site.is_complete(job)


# --- away


def test_a_pool_that_is_away_for_an_hour_is_asked_once_a_minute_and_all_is_true_soon_after(site, schedd):
    ended, runs, stays = site.submitted(), site.submitted(), site.submitted()
    schedd.say(ended, "running")
    site.watch(4)
    schedd.away = "the collector at nowhere.example does not answer"
    before = schedd.calls["query"]
    schedd.say(ended, "exit_0")
    schedd.say(runs, "running")
    site.watch(HOUR, step=1)
    asked = schedd.calls["query"] - before
    assert 60 <= asked <= 70
    codes = [site.read(job).status_code for job in (ended, runs, stays)]
    assert codes == [Status.RUNNING, Status.SUBMITTED, Status.SUBMITTED], "what stood there stands"
    row = Scheduler.objects.get(pk=site.scheduler.pk)
    assert not row.reachable
    assert "does not answer" in row.last_error
    schedd.away = ""
    site.watch(61, step=1)
    assert site.read(runs).status_code == Status.RUNNING
    assert Scheduler.objects.get(pk=site.scheduler.pk).reachable
    site.settle()
    assert site.is_complete(ended)


def test_a_job_that_is_wanted_while_the_pool_is_away_is_submitted_once_when_it_is_back(site, schedd):
    schedd.away = "no route to host"
    job = site.submitted()
    site.rest(HOUR, step=60)
    assert site.read(job).status_code == Status.PENDING
    assert schedd.starts[job.tag] == 0
    schedd.away = ""
    site.rest(2 * MINUTE)
    assert site.read(job).status_code == Status.SUBMITTED
    assert schedd.starts[job.tag] == 1


# --- changes that a delta does not show


def test_a_change_that_bears_an_earlier_time_because_the_clock_was_set_back_is_seen_by_the_whole_look(site, schedd):
    job = site.submitted()
    site.watch(4)
    schedd.ahead = -HOUR
    asked = len(schedd.constraints)
    schedd.say(job, "running")
    site.watch(20)
    assert site.read(job).status_code == Status.SUBMITTED, "the delta misses it: else this test shows nothing"
    assert not whole_looks(schedd, asked)
    site.watch(MINUTE)
    assert site.read(job).status_code == Status.RUNNING
    schedd.say(job, "exit_0")
    site.watch(4)
    assert site.read(job).ending, "from now on deltas go by the new time"


def test_a_pool_is_asked_for_all_once_a_minute_and_in_between_for_what_changed(site, schedd):
    site.submitted()
    site.watch(4)
    asked = len(schedd.constraints)
    site.watch(10 * MINUTE, step=1)
    assert 280 <= len(schedd.constraints) - asked <= 310
    assert 9 <= whole_looks(schedd, asked) <= 11


# --- gone


def test_a_job_that_left_the_queue_is_missed_twice_and_then_found_in_the_history(site, schedd):
    job = site.submitted()
    schedd.say(job, "exit_7")
    schedd.leave(job)
    site.watch(MINUTE)
    assert schedd.calls["history"] == 0
    site.watch(6)
    assert schedd.calls["history"] == 1
    site.rest(MINUTE)
    assert (site.read(job).status_code, job.exit_code) == (Status.ERROR, 7)
    assert "outputs are lost" in job.status_message


def test_a_job_is_found_in_the_history_behind_others_that_were_submitted_long_before_it(site, schedd):
    job = site.submitted()
    schedd.say(job, "exit_7")
    schedd.leave(job)
    long_ago = schedd.now() - 9 * 24 * HOUR
    ended_long_ago = {"ClusterId": 3, "ProcId": 0, "JobStatus": 4, "EnteredCurrentStatus": long_ago, "QDate": long_ago}
    schedd.past.insert(0, ended_long_ago)
    site.rest(3 * MINUTE)
    assert (site.read(job).status_code, job.exit_code) == (Status.ERROR, 7)


def test_the_history_is_read_no_further_back_than_it_must_be(site, schedd):
    job = site.submitted()
    schedd.say(job, "exit_7")
    schedd.leave(job)
    months_ago = schedd.now() - 90 * 24 * HOUR
    schedd.past.insert(0, {"ClusterId": 3, "ProcId": 0, "JobStatus": 4, "EnteredCurrentStatus": months_ago})
    site.rest(3 * MINUTE)
    assert "does not know this job" in site.read(job).status_message, "what lies behind it is not read"


def test_a_job_that_neither_queue_nor_history_knows_is_an_error_that_says_so(site, schedd):
    job = site.submitted()
    schedd.leave(job, history=False)
    site.watch(2 * MINUTE)
    assert site.read(job).status_code == Status.ERROR
    assert "does not know this job any more" in job.status_message


def test_a_schedd_that_was_set_up_anew_knows_no_job_and_all_of_them_are_errors(site, schedd):
    jobs = [site.submitted() for _ in range(3)]
    schedd.set_up_anew()
    site.watch(3 * MINUTE)
    assert {site.read(job).status_code for job in jobs} == {Status.ERROR}
    again = site.submitted()
    schedd.say(again, "exit_0")
    site.rest(MINUTE)
    assert site.is_complete(again)


def test_an_answer_that_was_cut_off_counts_as_missing_for_nobody(site, schedd):
    job = site.submitted()
    schedd.cut_off = 10_000
    site.watch(10 * MINUTE)
    schedd.cut_off = 0
    assert (site.read(job).status_code, job.missed) == (Status.SUBMITTED, 0)
    assert schedd.calls["history"] == 0
    schedd.say(job, "running")
    site.watch(MINUTE)
    assert site.read(job).status_code == Status.RUNNING


def test_a_history_that_does_not_answer_says_nothing_and_is_asked_again(site, schedd, monkeypatch):
    def away(*_, **__):
        raise EngineUnavailable("it did not answer within 60 s")

    job = site.submitted()
    schedd.say(job, "exit_0")
    schedd.leave(job)
    monkeypatch.setattr(schedd, "history", away)
    site.watch(3 * MINUTE)
    assert site.read(job).status_code == Status.SUBMITTED
    monkeypatch.undo()
    site.rest(5 * MINUTE)
    assert (site.read(job).status_code, job.exit_code) == (Status.ERROR, 0), job.status_message
    assert "outputs are lost" in job.status_message


# --- what we forget


def test_a_monitor_that_starts_anew_asks_for_the_whole_queue_first(site, schedd):
    job = site.submitted()
    site.watch(4)
    schedd.say(job, "running")
    schedd.ahead = -HOUR
    site.restart()
    asked = len(schedd.constraints)
    site.watch(2)
    assert whole_looks(schedd, asked) == 1
    assert site.read(job).status_code == Status.RUNNING


def test_an_answer_that_could_not_be_written_down_is_said_again(site, schedd, monkeypatch):
    job = site.submitted()
    site.watch(4)

    def broken(*_, **__):
        monkeypatch.undo()
        raise DatabaseError("the connection to the server was lost")

    schedd.say(job, "running")
    real = polling.still_leads
    monkeypatch.setattr(polling, "still_leads", broken)
    with pytest.raises(DatabaseError):
        site.watch(2)
    assert polling.still_leads is real
    assert site.read(job).status_code == Status.SUBMITTED
    site.clock.move(10)
    asked = len(schedd.constraints)
    site.watch(2)
    assert not whole_looks(schedd, asked)
    assert site.read(job).status_code == Status.RUNNING


# --- the end


@pytest.mark.parametrize("answer", [1, 2, 3, 4, 5])
def test_a_worker_that_dies_while_outputs_come_or_the_queue_is_tidied_loses_nothing(site, schedd, answer):
    job = site.submitted()
    schedd.say(job, "exit_0")
    site.watch(4)
    schedd.kill_at = answer
    with pytest.raises(Killed):
        site.settle()
    site.rest(2 * MINUTE)
    assert site.is_complete(job)


def test_what_a_crash_left_half_removed_on_this_host_is_removed_with_the_job(site, schedd):
    job = site.submitted()
    schedd.say(job, "exit_0")
    site.rest(MINUTE)
    folder = conf.data_dir / "condor" / job.uuid.hex
    folder.mkdir(parents=True)  # as if the folder of the attempt had gone, and the one above it not yet
    job.delete()
    site.rest(2 * MINUTE)
    assert not folder.exists()


def test_outputs_come_also_of_a_job_whose_start_the_schedd_has_forgotten(site, schedd):
    job = site.submitted()
    schedd.say(job, "exit_0")
    schedd.queue[job.cluster_id, 0]["NumJobStarts"] = 0  # as after its schedd was killed while it ran
    site.rest(MINUTE)
    assert site.is_complete(job)
