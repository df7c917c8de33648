"""Reading logs, in ranges of bytes."""

import pytest

from jobs.engine import handle_of
from jobs.status import FINAL

TEXT = "0123456789 sunny ☀ and windy"
BYTES = TEXT.encode()


def the_log(world, job):
    """The log that holds something."""
    [log] = [log for log in world.engine.logs(handle_of(job)) if log.size]
    return log


@pytest.fixture
def job(world, desk):
    """A job that has written the text and works on."""
    job = desk.running(world.writing(TEXT))
    desk.wait(lambda: sum(log.size for log in world.engine.logs(handle_of(job))) >= len(BYTES), "it wrote", job)
    return job


@pytest.mark.needs("live_logs")
def test_a_log_can_be_read_while_the_job_works(world, desk, job):
    log = the_log(world, job)
    assert world.works(job)
    assert log.name
    assert (log.read(), log.size) == (BYTES, len(BYTES))


@pytest.mark.needs("live_logs")
@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 4, BYTES[:4]),
        (11, 5, b"sunny"),
        (11, 1000, BYTES[11:]),
        (-5, 1000, b"windy"),
        (-5, 3, b"win"),
        (-1000, 4, BYTES[:4]),
        (len(BYTES), 10, b""),
        (10_000, 10, b""),
        (3, 0, b""),
    ],
)
def test_any_range_of_a_log_can_be_read(world, job, offset, length, expected):
    assert the_log(world, job).read(offset, length) == expected


@pytest.mark.needs("live_logs")
def test_a_log_is_there_when_the_job_is_over(world, desk, job):
    desk.act("stop", job)
    desk.until(job, *FINAL)
    assert the_log(world, job).read() == BYTES


@pytest.mark.needs("live_logs")
def test_each_log_of_an_attempt_has_a_name_of_its_own(world, job):
    names = [log.name for log in world.engine.logs(handle_of(job))]
    assert len(names) == len(set(names))


def test_an_attempt_that_the_engine_never_had_has_no_logs(world, desk):
    assert world.engine.logs(handle_of(desk.ready(world.succeeding()))) == []
