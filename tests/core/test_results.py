"""Results are processed exactly once, by a child that may hang, fail or be killed."""

import threading

import pytest
from django.db import connection

from jobs import clock
from jobs.conf import conf
from jobs.models import Job, Status, job_rows
from jobs.testing import settle
from jobs.worker.claims import claim_job
from jobs.worker.results import process
from jobs.workspaces import make_workspace
from tests.core.test_monitor import eventually
from tests.exampleapp.models import Counted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(new_job):
    """A function that makes a job whose results a function of `tests.core.outcomes` is to process."""

    def make(function: str, module="tests.core.outcomes"):
        job = new_job(process_results_function=f"{module}.{function}")
        job.execute()
        job.update_status("Complete")
        assert job.cached_status == "Results-Ready"
        return job

    return make


def test_results_are_processed_and_the_job_is_complete(ready, row, history):
    job = ready("count", "tests.exampleapp.results")
    settle()
    assert row(job)["status_code"] == Status.COMPLETE
    assert row(job)["completion_time"] is not None
    assert Counted.objects.filter(job_id=job.pk).count() == 1
    assert Job.objects.get(pk=job.pk).extended_properties == {"counted": 1}
    assert history(job)[-2:] == [("SUB", "RES"), ("RES", "COM")]


def test_a_function_that_fails_makes_an_error_that_names_it_and_keeps_none_of_its_changes(ready, row):
    job = ready("fail", "tests.exampleapp.results")
    settle()
    now = row(job)
    assert (now["status_code"], now["results_failed"]) == (Status.ERROR, True)
    assert "ValueError: the results are not what they should be" in now["status_message"]
    assert "exampleapp/results.py, line" in now["status_message"]
    assert Counted.objects.count() == 0
    assert now["extended_properties"] == {}


def test_failed_results_can_be_processed_again(ready, row, history):
    job = ready("fail", "tests.exampleapp.results")
    settle()
    job.process_results_function = "tests.exampleapp.results.count"
    job.save()
    job.process_again()
    settle()
    assert row(job)["status_code"] == Status.COMPLETE
    assert Counted.objects.count() == 1
    assert history(job)[-3:] == [("RES", "ERR"), ("ERR", "RES"), ("RES", "COM")]


def test_a_child_that_was_killed_is_followed_by_another_and_its_changes_are_not_kept_twice(ready, row):
    job = ready("killed_once")
    process(job.pk)
    assert row(job)["status_code"] == Status.RESULTS_READY
    process(job.pk)
    assert row(job)["status_code"] == Status.COMPLETE
    assert Counted.objects.count() == 1


def test_a_child_that_is_killed_each_time_is_given_up(ready, row):
    job = ready("killed_always")
    for _ in range(conf.RESULTS_TRIES):
        process(job.pk)
    assert row(job)["status_code"] == Status.ERROR
    assert "its process was ended by signal 9" in row(job)["status_message"]


@pytest.mark.parametrize("function", ["leaves", "vanishes"])
def test_a_function_that_ends_its_process_is_an_error_and_not_tried_for_ever(ready, row, function):
    job = ready(function)
    process(job.pk)
    assert row(job)["status_code"] == Status.ERROR
    assert Counted.objects.count() == 0


def test_a_function_that_hangs_is_ended_at_its_deadline(ready, row, settings):
    settings.JOBS = {**settings.JOBS, "RESULTS_TIMEOUT": 2.0}
    job = ready("hangs")
    process(job.pk)
    assert row(job)["status_code"] == Status.ERROR
    assert row(job)["status_message"] == "Processing the results failed: it took longer than 2 seconds and was ended"


def test_two_workers_woken_for_the_same_results_process_them_once(ready, row, at_once):
    job = ready("count", "tests.exampleapp.results")
    at_once(lambda: process(job.pk), lambda: process(job.pk))
    assert row(job)["status_code"] == Status.COMPLETE
    assert row(job)["tries"] == 1
    assert Counted.objects.count() == 1


def test_results_that_a_dead_worker_began_are_processed_when_its_claim_has_run_out(ready, row):
    job = ready("count", "tests.exampleapp.results")
    claim_job(job.pk, 1, [Status.RESULTS_READY])
    process(job.pk)
    assert row(job)["status_code"] == Status.RESULTS_READY
    job_rows().filter(pk=job.pk).update(claim_expires=clock.now())
    process(job.pk)
    assert row(job)["status_code"] == Status.COMPLETE


def test_the_child_of_a_dead_worker_that_comes_late_changes_nothing_any_more(ready, row):
    from jobs import hooks

    job = ready("count", "tests.exampleapp.results")
    settle()
    with pytest.raises(hooks.ResultsNotWanted):
        hooks.call(job.pk, "process_results")
    assert Counted.objects.count() == 1


@pytest.mark.parametrize("function", ["thinks", "reads_and_thinks"])
def test_a_function_that_takes_long_keeps_no_other_writer_waiting(ready, row, new_job, function):
    job, other = ready(function), new_job()

    def work():
        try:
            process(job.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    folder = make_workspace(job)
    eventually((folder / "thinking").exists)
    before = clock.now()
    other.description = "written meanwhile"
    other.save()
    assert (clock.now() - before).total_seconds() < 2
    (folder / "go on").touch()
    worker.join(30)
    assert row(job)["status_code"] == Status.COMPLETE, row(job)["status_message"]
    assert Counted.objects.count() == 1


def test_a_job_that_is_deleted_while_its_results_are_processed_is_gone(ready):
    job = ready("thinks")

    def work():
        try:
            process(job.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    folder = make_workspace(job)
    eventually((folder / "thinking").exists)
    job.delete()
    settle()
    worker.join(30)
    assert not job_rows().filter(pk=job.pk).exists()
    assert Counted.objects.count() == 0
