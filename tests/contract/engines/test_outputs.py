"""Outputs that an engine has elsewhere, and brings in."""

import pytest

from jobs.engine import Outcome, handle_of
from jobs.workspaces import make_workspace

pytestmark = pytest.mark.needs("fetch")


def test_what_a_job_left_is_brought_in(world, desk):
    job = desk.ended(world.leaving("wind speed é.txt", "3 m/s"))
    folder = make_workspace(job)
    world.engine.fetch(handle_of(job), folder)
    assert (folder / "wind speed é.txt").read_text() == "3 m/s"


def test_fetching_twice_comes_to_the_same(world, desk):
    job = desk.ended(world.leaving("wind.txt", "3 m/s"))
    folder = make_workspace(job)
    for _ in range(2):
        world.engine.fetch(handle_of(job), folder)
        assert (folder / "wind.txt").read_text() == "3 m/s"


def test_what_was_fetched_stays_when_the_attempt_is_forgotten(world, desk):
    job = desk.ended(world.leaving("wind.txt", "3 m/s"))
    folder = make_workspace(job)
    world.engine.fetch(handle_of(job), folder)
    assert desk.act("forget", job) is Outcome.DONE
    assert (folder / "wind.txt").read_text() == "3 m/s"


def test_of_a_job_that_was_stopped_before_it_started_nothing_is_brought_in_and_nothing_goes_wrong(world, desk):
    job = desk.submit(world.leaving("wind.txt", "3 m/s"))
    desk.act("stop", job)
    desk.until(job, "ABT", "COM")
    world.engine.fetch(handle_of(job), make_workspace(job))


def test_the_logs_of_a_job_are_there_once_its_outputs_are(world, desk):
    job = desk.ended(world.failing(3))
    world.engine.fetch(handle_of(job), make_workspace(job))
    names = [log.name for log in world.engine.logs(handle_of(job))]
    assert names
    assert len(names) == len(set(names))
