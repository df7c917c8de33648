"""A worker that does not hear its broker ends; one that has something to do, or nothing to hear, does not."""

import os
import signal

import pytest

from jobs.models import Intent
from jobs.worker import hearing
from jobs.worker.hearing import Hearing

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch) -> list[int]:
    """The signals that the process was to get."""
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append(number))
    monkeypatch.setattr(hearing.threading, "Timer", lambda *_: type("Never", (), {"start": lambda self: None})())
    return signals


@pytest.fixture
def passing(monkeypatch):
    """Lets seconds pass."""
    now = [1000.0]
    monkeypatch.setattr(hearing.time, "monotonic", lambda: now[0])

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


@pytest.fixture
def waiting(fake_job):
    """A wish that several messages told of."""
    fake_job(submitted=False).execute()
    Intent.objects.update(sends=hearing.SENDS)


def test_a_worker_that_has_not_heard_for_long_is_told_to_end_once(waiting, told, passing):
    ears = Hearing()
    assert ears.is_well(), "it may have been started just now"
    passing(hearing.DEAF_AFTER + 1)
    assert not ears.is_well()
    assert not ears.is_well()
    assert told == [signal.SIGTERM]


@pytest.mark.parametrize("values", [{"sends": 1}, {"tries": 1}, {"claim": "somebody"}])
def test_what_was_just_sent_or_was_taken_up_does_not_count(waiting, told, passing, values):
    Intent.objects.update(**values)
    ears = Hearing()
    for _ in range(3):
        assert ears.is_well()
        passing(hearing.DEAF_AFTER)
    assert told == []


def test_a_worker_that_does_something_hears(waiting, told, passing, monkeypatch):
    monkeypatch.setattr(hearing, "active_requests", {"a task"})
    ears = Hearing()
    for _ in range(3):
        assert ears.is_well()
        passing(hearing.DEAF_AFTER)
    assert told == []


def test_what_it_hears_at_last_counts_from_there(waiting, told, passing):
    ears = Hearing()
    assert ears.is_well()
    passing(hearing.DEAF_AFTER - 1)
    Intent.objects.update(claim="me")
    assert ears.is_well()
    Intent.objects.update(claim="")
    passing(2)
    assert ears.is_well()
    assert told == []
