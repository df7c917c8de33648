"""Schedules, agents that speak to the site, and a clock that the test moves."""

import itertools

import pytest
from django.contrib.auth.models import User

from jobs.schedules.due import assume_missed, forget_old, write_all_due
from jobs.schedules.editing import create_schedule
from jobs.schedules.models import Schedule
from jobs.schedules.starting import start_jobs
from jobs.testing import FakeClock, fake_clock
from tests.schedules.spoken import Spoken

_numbers = itertools.count(1)


@pytest.fixture
def time() -> FakeClock:
    """The clock of the site; it stands until it is moved."""
    with fake_clock() as clock:
        clock.time = clock.time.replace(microsecond=0)
        yield clock


@pytest.fixture
def agent(db) -> Spoken:
    """An agent that was let in, called node1."""
    return Spoken("node1")


@pytest.fixture
def every(ann: User):
    """Makes a schedule of a command; by default `echo hello world` on all agents."""

    def make(frequency: str = "every 30 seconds", user: User = ann, **values) -> Schedule:
        values = {"name": f"schedule {next(_numbers)}", "argv": ["echo", "hello world"], "on_all": True} | values
        if "job_type" in values:
            del values["argv"], values["on_all"]
        return create_schedule(user, frequency=frequency, **values)

    return make


@pytest.fixture
def monitor():
    """One round of what the monitor does for schedules."""

    def once() -> None:
        write_all_due()
        start_jobs()
        assume_missed()
        forget_old()

    return once
