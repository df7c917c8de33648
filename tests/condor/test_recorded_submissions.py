"""Submissions that break off, at every step: on recorded answers, with a clock that the test moves."""

from contextlib import nullcontext

import pytest

from jobs.condor.answers import REMOVED
from jobs.condor.bindings.failures import NOT_ARRIVED
from jobs.condor.queue import STAGING_FAILED
from jobs.engine import EngineUnavailable
from jobs.status import Status
from tests.condor.scripted import Killed, scripted_site

pytestmark = pytest.mark.django_db(transaction=True)

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


@pytest.mark.parametrize("breaks_by", [EngineUnavailable, Killed])
@pytest.mark.parametrize("where", ["before", "spooling", "after"])
def test_a_submission_that_breaks_off_is_made_once_wherever_it_broke(site, schedd, where, breaks_by):
    schedd.breaks_at, schedd.breaks_by = where, breaks_by
    job = site.job()
    job.execute()
    with pytest.raises(Killed) if breaks_by is Killed else nullcontext():
        site.settle()
    assert site.read(job).status_code == Status.PENDING
    site.rest(MINUTE)
    assert site.read(job).status_code == Status.SUBMITTED
    assert schedd.starts[job.tag] == 1
    assert schedd.calls["submit"] == (1 if where == "after" else 2)
    assert {cluster for cluster, _ in schedd.queue} == {job.cluster_id}, "nothing of the one that broke off is left"
    schedd.say(job, "exit_0")
    site.rest(MINUTE)
    assert site.is_complete(job)


def test_a_job_whose_schedd_dies_before_it_has_noted_that_all_files_came_is_submitted_again(site, schedd):
    schedd.breaks_at = "unnoted"
    job = site.submitted()
    assert job.status_code == Status.PENDING
    site.rest(MINUTE)
    assert (site.read(job).status_code, schedd.starts[job.tag]) == (Status.SUBMITTED, 1)
    assert {cluster for cluster, _ in schedd.queue} == {job.cluster_id}


def test_a_cluster_whose_input_comes_after_all_in_the_moment_of_its_removal_is_kept(site, schedd):
    schedd.breaks_at, schedd.breaks_by = "spooling", Killed
    job = site.job()
    job.execute()
    with pytest.raises(Killed):
        site.settle()
    schedd.comes_late = True
    site.rest(2 * MINUTE)
    assert site.read(job).status_code == Status.SUBMITTED
    assert (schedd.starts[job.tag], schedd.calls["submit"]) == (1, 1)


def test_a_job_that_is_stopped_after_its_submission_broke_off_is_ended_in_the_pool_too(site, schedd):
    schedd.breaks_at = "after"
    job = site.submitted()
    assert (job.status_code, schedd.has(job)) == (Status.PENDING, True)
    job.stop()
    site.rest(2 * MINUTE)
    assert site.read(job).status_code == Status.ABORTED
    assert not schedd.has(job)


@pytest.mark.parametrize("reason", [f"{NOT_ARRIVED} (by user jobs)", STAGING_FAILED], ids=["by us", "by the schedd"])
def test_what_a_crash_left_of_a_submission_that_was_given_up_is_not_taken_for_the_job(site, schedd, reason):
    schedd.breaks_at, schedd.breaks_by = "spooling", Killed
    job = site.job()
    job.execute()
    with pytest.raises(Killed):
        site.settle()
    # The next worker gave it up, and died before it was out of the queue; or the schedd did.
    [given_up] = schedd.queue
    schedd.move(given_up, "removed", RemoveReason=reason)
    site.rest(MINUTE)
    assert (site.read(job).status_code, schedd.starts[job.tag]) == (Status.SUBMITTED, 1)
    assert {cluster for cluster, _ in schedd.queue} == {job.cluster_id}


def test_of_two_clusters_of_one_attempt_one_is_kept_and_the_other_goes_with_the_job(site, schedd):
    schedd.breaks_at = "after"
    job = site.submitted()
    schedd.submit_again(99)
    site.rest(MINUTE)
    assert site.read(job).external_id == "99"
    assert [cluster for (cluster, _), one in schedd.queue.items() if one["JobStatus"] != REMOVED] == [99]
    schedd.say(job, "exit_0")
    site.rest(MINUTE)
    assert site.is_complete(job)
    assert not schedd.queue
