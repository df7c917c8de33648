"""Jobs for the tests of the core: some that a fake engine runs, and a clock that stands still."""

import threading

import pytest
from django.db import connection

from jobs.models import JobEvent, job_rows
from jobs.testing import fake_clock, fake_engine, settle
from tests.exampleapp.models import FakeJob


@pytest.fixture
def fake():
    """An engine for `FakeJob` that does what the test says."""
    with fake_engine(FakeJob, "FAKE") as engine:
        yield engine


@pytest.fixture
def clock():
    """The clock of this process, moved by the test only."""
    with fake_clock() as moved:
        yield moved


@pytest.fixture
def new_job(manager, ann):
    """A function that makes a job of ann's: a BasicJob unless the test says otherwise."""

    def new(job_type="BASIC", *, user=ann, **attributes):
        return manager.create_job(name="job {id}", user=user, job_type=job_type, **attributes)

    return new


@pytest.fixture
def fake_job(fake, new_job):
    """A function that makes a job for the fake engine; by default it is submitted already."""

    def new(*, submitted=True, **attributes):
        job = new_job("FAKE", **attributes)
        if submitted:
            job.execute()
            settle()
        return job

    return new


@pytest.fixture
def history():
    """A function that gives a job's moves as pairs of codes, in order."""

    def of(job) -> list[tuple[str, str]]:
        events = JobEvent.objects.filter(job_id=job.pk).order_by("id")
        return [(event.old_status, event.new_status) for event in events]

    return of


@pytest.fixture
def row():
    """A function that reads a job's row, all columns, as they are now."""
    return lambda job: job_rows().filter(pk=job.pk).values().get()


@pytest.fixture
def at_once():
    """A function that runs functions in threads that start together, and gives what they returned."""

    def run(*functions) -> list:
        barrier, answers = threading.Barrier(len(functions)), [None] * len(functions)

        def call(number, function):
            try:
                barrier.wait(10)
                answers[number] = function()
            except Exception as error:  # noqa: BLE001 the test says what it thinks of it
                answers[number] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=pair) for pair in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return answers

    return run
