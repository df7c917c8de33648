"""Whole jobs: what somebody wants of them, and what becomes of it."""

import pytest

from jobs.engine import handle_of
from jobs.models import Job, job_rows
from jobs.workspaces import workspace_path
from tests.contract.life.site import history, no_open_wishes
from tests.exampleapp import results
from tests.exampleapp.models import Counted

AT_ONCE = 20


def test_a_job_that_goes_well_becomes_complete(site):
    job = site.world.succeeding()
    job.execute()
    site.until_status(job, "Complete")
    assert history(job)[:2] == ["Pending", "Submitted"]
    assert history(job)[-1] == "Complete"
    assert site.world.starts(job) == 1
    assert job.exit_code in ((0,) if site.world.exit_codes else (0, None))
    assert job.execute_time <= job.start_time <= job.completion_time
    assert no_open_wishes(job)


def test_a_job_that_fails_becomes_an_error_with_its_exit_code(site):
    job = site.world.failing(7)
    job.execute()
    site.until_status(job, "Error")
    assert history(job)[-1] == "Error"
    assert job.exit_code in ((7,) if site.world.exit_codes else (7, None))
    assert site.world.starts(job) == 1


def test_a_job_that_cannot_run_becomes_an_error_that_says_why(site):
    job = site.world.impossible()
    job.execute()
    site.until_status(job, "Error")
    assert job.status_message
    assert history(job) == ["Pending", "Error"]
    assert site.world.traces(job) == []
    assert no_open_wishes(job)


def test_a_job_that_is_stopped_becomes_aborted_and_nothing_of_it_works_on(site):
    job = site.world.lasting()
    job.execute()
    site.until_working(job)
    job.stop()
    site.until_status(job, "Aborted")
    assert not site.world.works(job)
    assert no_open_wishes(job)


def test_a_job_that_is_stopped_at_once_becomes_aborted(site):
    job = site.world.lasting()
    job.execute()
    job.stop()
    site.until_status(job, "Aborted")
    site.until(lambda: no_open_wishes(job), "nothing is wanted any more")
    assert not site.world.works(job)


@pytest.mark.needs("pause")
def test_a_job_that_is_paused_rests_until_it_is_resumed(site):
    job = site.world.lasting()
    job.execute()
    site.until_working(job)
    job.pause()
    site.until_status(job, "Paused")
    done = site.world.work_done(job)
    job.resume()
    site.until_status(job, "Running")
    site.until(lambda: site.world.work_done(job) > done, "it works again")
    job.stop()
    site.until_status(job, "Aborted")
    interrupts = site.world.pause_interrupts
    again = [status for status in history(job)[-5:] if not (interrupts and status == "Submitted")]
    assert again[-4:] == ["Running", "Paused", "Running", "Aborted"]
    assert site.world.starts(job) == (2 if interrupts else 1)


def test_a_job_that_is_resubmitted_runs_once_more_as_a_new_attempt(site):
    job = site.world.failing(7)
    job.execute()
    site.until_status(job, "Error")
    first = job.external_id
    job.resubmit()
    assert (job.attempt, job.exit_code) == (2, None)
    site.until_status(job, "Error")
    assert job.external_id != first
    assert site.world.starts(job, 1) == site.world.starts(job, 2) == 1
    for attempt in (1, 2):
        assert history(job, attempt)[-1] == "Error"


def test_results_are_processed_exactly_once(site):
    jobs = [site.world.succeeding(process_results_function=results.count) for _ in range(2)]
    jobs.append(site.world.failing(7, process_results_function=results.count))
    for job in jobs:
        job.execute()
    site.until_over(*jobs)
    assert [job.status_display for job in jobs] == ["Complete", "Complete", "Error"]
    assert [Counted.objects.filter(job_id=job.pk).count() for job in jobs] == [1, 1, 0]
    for job in jobs[:2]:
        assert history(job)[-2:] == ["Results-Ready", "Complete"]


def test_of_a_job_that_is_deleted_while_it_works_nothing_is_left(site):
    job = site.world.lasting()
    job.execute()
    site.until_working(job)
    folder = workspace_path(job)
    assert folder.is_dir()
    job.delete()
    assert not Job.objects.shown().filter(pk=job.pk).exists()
    site.until_gone(job)
    assert site.world.traces(job) == []
    assert not folder.exists()


def test_of_a_job_that_is_deleted_after_two_attempts_nothing_is_left(site):
    job = site.world.succeeding()
    job.execute()
    site.until_status(job, "Complete")
    job.resubmit()
    site.until_status(job, "Complete")
    job.delete()
    site.until_gone(job)
    assert site.world.traces(job) == []
    assert not workspace_path(job).exists()


def test_many_jobs_at_once_all_become_complete_once(site):
    jobs = [site.world.succeeding() for _ in range(AT_ONCE)]
    for job in jobs:
        job.execute()
    site.until_over(*jobs)
    assert [job.status_display for job in jobs] == ["Complete"] * AT_ONCE
    assert [site.world.starts(job) for job in jobs] == [1] * AT_ONCE
    assert all(history(job).count("Complete") == 1 for job in jobs)


@pytest.mark.once
def test_a_job_that_runs_longer_than_its_timeout_is_ended(site):
    job = site.world.lasting(timeout=1)
    job.execute()
    site.until_status(job, "Error", "Aborted")
    assert job.status_message
    site.until(lambda: not site.world.works(job), "nothing of it works on")


@pytest.mark.once
def test_saving_an_object_from_before_the_submission_takes_no_job_from_its_engine(site):
    job = site.world.lasting()
    stale = Job.objects.get(pk=job.pk)
    job.execute()
    site.until_working(job)
    for late in (stale, job):
        late.description = "about the weather"
        late.save()
    job.stop()
    site.until_status(job, "Aborted")
    assert not site.world.works(job)


@pytest.mark.once
@pytest.mark.needs("fetch")
def test_the_outputs_of_a_job_that_is_over_are_in_its_workspace_and_nothing_is_left_elsewhere(site):
    job = site.world.leaving("wind speed.txt", "3 m/s")
    job.execute()
    site.until_status(job, "Complete")
    assert (workspace_path(job) / "wind speed.txt").read_text() == "3 m/s"
    site.until(lambda: site.world.traces(job) == [], "its engine has forgotten it")


@pytest.mark.once
@pytest.mark.needs("live_logs")
def test_the_log_of_a_job_that_works_can_be_read(site):
    job = site.world.writing("so far so good")
    job.execute()
    site.until_status(job, "Running")
    logs = site.world.engine.logs
    site.until(lambda: any(log.size for log in logs(handle_of(job))), "it wrote")
    assert b"".join(log.read() for log in logs(handle_of(job))) == b"so far so good"


@pytest.mark.once
@pytest.mark.needs("processes")
def test_app_code_can_wait_for_the_submission_and_for_a_fresh_look(site):
    job = site.world.lasting()
    job.execute(timeout=20)
    assert job.status_display != "Pending"
    assert job.update_status(timeout=20) in ("Submitted", "Running")


@pytest.mark.needs("processes", "has_messages")
def test_messages_that_the_broker_lost_are_made_up_for(site):
    jobs = [site.world.succeeding() for _ in range(3)]
    with site.driver.without_worker(site.world.takes_work):
        for job in jobs:
            job.execute()
        broker = site.driver.broker
        site.until(lambda: all(site.world.has_message(job, broker) for job in jobs), "messages are sent")
        site.until(site.driver.lose_messages, "messages are lost")
    site.until_over(*jobs)
    assert [job.status_display for job in jobs] == ["Complete"] * 3
    assert [site.world.starts(job) for job in jobs] == [1] * 3


def test_a_stop_that_is_wanted_while_no_worker_is_there_is_carried_out_when_one_is_back(site):
    job = site.world.lasting()
    job.execute()
    site.until_working(job)
    with site.driver.without_worker():
        job.stop()
        assert job.cached_status == "Running"
        assert site.world.works(job)
    site.until_status(job, "Aborted")
    assert not site.world.works(job)


@pytest.mark.once
@pytest.mark.needs("full_answers")
def test_a_job_that_its_engine_lost_becomes_an_error_that_says_so(site):
    job = site.world.lasting()
    job.execute()
    site.until_working(job)
    site.world.lose(job)
    site.until_status(job, "Error")
    assert "outcome unknown" in job.status_message


@pytest.mark.needs("can_be_away")
def test_an_engine_out_of_reach_is_no_failed_job(site):
    works, waits = site.world.lasting(), site.world.succeeding()
    works.execute()
    site.until_working(works)
    scheduler = job_rows().get(pk=works.pk).scheduler
    with site.world.away():
        waits.execute()
        site.until(lambda: waits.intents.get().last_error, "it was tried")
        assert (works.cached_status, waits.cached_status) == ("Running", "Pending")
        scheduler.refresh_from_db()
        assert not scheduler.reachable
        assert scheduler.last_error
    site.until_status(waits, "Complete")
    assert works.cached_status == "Running"
    scheduler.refresh_from_db()
    assert scheduler.reachable
    assert site.world.starts(works) == site.world.starts(waits) == 1
