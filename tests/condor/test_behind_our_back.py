"""What others do to our jobs with HTCondor's own commands, and what becomes of them here."""

import pytest

from tests.condor.live import Live
from tests.condor.pool import in_pool

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_STARTS = "echo started >> starts; sleep 600"


@pytest.fixture
def live(pool, ann):
    """The pool, as a site uses it; a pool of our own making, where others' commands can be run too."""
    if not pool.folder:
        pytest.skip("the pool of JOBDECK_POOL_ADDRESS is not ours to give commands to")
    live = Live(pool, ann)
    yield live
    live.close()


def running(live):
    """A job that runs until it is ended."""
    return live.until_status(live.submitted(live.shell(COUNT_STARTS)), "Running")


def test_a_job_that_somebody_removes_is_aborted_with_their_reason(live):
    job = running(live)
    in_pool("condor_rm", job.cluster_id, "-reason", "the pool is being moved")
    live.until_status(job, "Aborted")
    assert "the pool is being moved" in job.status_message


def test_a_job_that_somebody_takes_out_of_the_queue_by_force_is_found_in_the_history(live):
    job = running(live)
    in_pool("condor_rm", job.cluster_id)
    in_pool("condor_rm", "-forcex", job.cluster_id)
    live.until_status(job, "Aborted")


def test_a_job_that_somebody_holds_and_releases_is_paused_and_goes_on(live):
    job = running(live)
    in_pool("condor_hold", job.cluster_id, "-reason", "disk quota exceeded")
    live.until_status(job, "Paused")
    assert "disk quota exceeded" in job.status_message
    in_pool("condor_release", job.cluster_id)
    live.until_status(job, "Running")
    assert job.status_message == ""


def test_a_job_that_is_evicted_waits_and_runs_again(live):
    job = running(live)
    in_pool("condor_vacate_job", "-fast", job.cluster_id)

    def runs_again():
        return (
            job.cached_status == "Running" and in_pool("condor_q", job.cluster_id, "-af", "NumJobStarts").strip() == "2"
        )

    # How long it waits in between is the pool's affair; it may be too short to be seen.
    live.until(runs_again, "it runs again", job)
    codes = list(job.events.order_by("pk").values_list("new_status", flat=True))
    assert codes[:2] == ["SUB", "RUN"]
    assert set(codes) == {"SUB", "RUN"}


def test_processes_that_somebody_removes_are_counted_as_aborted(live):
    job = live.submitted(live.shell("sleep 600", num_jobs=3))
    in_pool("condor_rm", f"{job.cluster_id}.1")
    live.until(
        lambda: job.cached_status == "Various" and (job.resources["counts"].get("ABT") == 1), "one is aborted", job
    )
    assert "1 of 3 removed" in job.status_message
    job.stop()
    live.until_status(job, "Aborted")


def test_a_process_that_somebody_takes_out_by_force_is_found_in_the_history(live):
    job = live.submitted(live.shell("sleep 600", num_jobs=2))
    in_pool("condor_rm", f"{job.cluster_id}.1")
    in_pool("condor_rm", "-forcex", f"{job.cluster_id}.1")
    live.until(lambda: job.cached_status == "Various", "one is aborted", job)
    job.stop()
    live.until_status(job, "Aborted")


def test_jobs_of_others_are_never_touched(live):
    ours, theirs = running(live), running(live)
    for name in ("JobdeckInstance", "JobdeckTag"):
        in_pool("condor_qedit", theirs.cluster_id, name, '"somebody.else.1"')
    ours.stop()
    theirs.stop()
    live.until_status(ours, "Aborted")
    assert in_pool("condor_q", theirs.cluster_id, "-af", "JobStatus").split() == ["2"]
    in_pool("condor_rm", theirs.cluster_id)
    in_pool("condor_rm", "-forcex", theirs.cluster_id)
