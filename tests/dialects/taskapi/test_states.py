"""How a job's row is shown as a task, and what is to be done about it."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.condor.taskapi.states import Facts
from jobs.status import Status

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PEN", 0),
        ("SUB", 1),
        ("RUN", 1),
        ("PAS", 1),
        ("VAR", 1),
        ("OTH", 1),
        ("RES", 1),
        ("COM", 2),
        ("ERR", 3),
        ("VCP", 3),
        ("ABT", -1),
    ],
)
def test_every_status_has_a_state(status, state):
    assert Facts(status, 1, 1).state(NOW) == state
    assert status in Status.values


@pytest.mark.parametrize(
    ("status", "attempt", "submissions", "left"),
    [("PEN", 1, 2, 2), ("SUB", 1, 2, 1), ("COM", 1, 2, 1), ("PEN", 2, 2, 1), ("RUN", 2, 2, 0), ("ERR", 3, 2, 0)],
)
def test_each_submission_takes_one_of_the_retries(status, attempt, submissions, left):
    assert Facts(status, attempt, submissions).retries_left == left


def test_one_that_failed_and_has_retries_left_is_queued_again_and_not_over():
    facts = Facts("ERR", 1, 2)
    assert (facts.state(NOW), facts.step(NOW, is_wanted=False)) == (0, "resubmit")
    assert facts.step(NOW, is_wanted=True) == ""


@pytest.mark.parametrize(
    ("facts", "state", "step"),
    [
        (Facts("PEN", 1, 2), 0, "run"),
        (Facts("PEN", 1, 0), 0, ""),
        (Facts("RUN", 1, 2), 1, ""),
        (Facts("COM", 1, 2), 2, "settle"),
        (Facts("ERR", 2, 2), 3, "settle"),
        (Facts("ABT", 1, 2), -1, "settle"),
        (Facts("ERR", 1, 2, ignored_attempt=1), -1, "settle"),
        (Facts("PEN", 1, 2, ignored_attempt=1), -1, ""),
        (Facts("PEN", 2, 2, ignored_attempt=1), 0, "run"),
        (Facts("RUN", 1, 2, expires=AFTER), 1, ""),
        (Facts("RUN", 1, 2, expires=BEFORE), 1, "expire"),
        (Facts("PEN", 1, 2, expires=NOW), 0, "expire"),
        (Facts("RUN", 1, 2, expires=BEFORE, expired_attempt=1), 1, ""),
        (Facts("ABT", 1, 2, expires=BEFORE, expired_attempt=1), 4, "settle"),
        (Facts("PEN", 1, 2, expires=BEFORE, expired_attempt=1), 4, ""),
        (Facts("ERR", 1, 2, expires=BEFORE), 3, "settle"),
        (Facts("COM", 1, 2, expires=BEFORE), 2, "settle"),
    ],
)
def test_what_is_done_about_a_task(facts, state, step):
    assert (facts.state(NOW), facts.step(NOW, is_wanted=False)) == (state, step)
