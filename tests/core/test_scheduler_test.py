"""'Test connection': somebody asks, a worker looks, the row says what works."""

from datetime import timedelta

import pytest

from jobs import scheduler_test
from jobs.engine import Check, EngineRefused, Supports
from jobs.models import Scheduler
from jobs.testing import settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def tested(fake):
    """The fake engine as one that can say what works; the checks that it answers with can be changed."""
    fake.supports = Supports(test=True)
    fake.checks = [Check("Reach", True, "in 3 ms"), Check("Login", False, "the token has expired")]
    fake.tests = 0

    def test(scheduler):
        fake.tests += 1
        if isinstance(fake.checks, Exception):
            raise fake.checks
        return fake.checks

    fake.test = test
    fake.prepare()
    return fake


def scheduler() -> Scheduler:
    return Scheduler.objects.get(name="fake")


def test_a_test_that_is_wanted_is_made_once_and_its_answer_kept(tested, clock):
    scheduler_test.want_test(scheduler())
    assert scheduler().test_wanted == clock()
    settle()
    assert scheduler().test_wanted is None
    assert tested.tests == 1
    assert scheduler().last_test == {
        "time": clock().isoformat(),
        "ok": False,
        "checks": [
            {"name": "Reach", "ok": True, "detail": "in 3 ms"},
            {"name": "Login", "ok": False, "detail": "the token has expired"},
        ],
    }
    settle()
    assert tested.tests == 1


def test_an_engine_that_raises_is_a_test_that_failed_in_its_words(tested, clock):
    tested.checks = EngineRefused("no such pool")
    scheduler_test.want_test(scheduler())
    settle()
    assert scheduler().last_test["checks"] == [{"name": "Test", "ok": False, "detail": "no such pool"}]


def test_a_test_whose_worker_died_is_made_again(tested, clock, monkeypatch):
    class PowerCut(BaseException):
        pass

    def dies(scheduler):
        raise PowerCut

    scheduler_test.want_test(scheduler())
    with monkeypatch.context() as patched:
        patched.setattr(tested, "test", dies)
        with pytest.raises(PowerCut):
            settle()
    settle()
    assert tested.tests == 0
    clock.move(60)
    settle()
    assert tested.tests == 1
    assert scheduler().test_wanted is None


def test_a_test_asked_for_while_one_is_made_is_made_too(tested, clock):
    test = tested.test

    def test_and_ask_again(row):
        found = test(row)
        if tested.tests == 1:
            clock.move(1)
            scheduler_test.want_test(row)
        return found

    tested.test = test_and_ask_again
    scheduler_test.want_test(scheduler())
    settle()
    assert tested.tests == 2
    assert scheduler().last_test["time"] == clock().isoformat()


def test_two_workers_do_not_make_one_test_twice(tested, clock):
    scheduler_test.want_test(scheduler())
    test = tested.test
    tested.test = lambda row: (scheduler_test.run_test(row.pk), test(row))[1]
    settle()
    assert tested.tests == 1


def test_an_engine_without_a_test_cannot_be_asked_for_one(fake):
    fake.prepare()
    assert not scheduler_test.is_testable(scheduler())
    with pytest.raises(scheduler_test.NotTestable, match="no connection that could be tested"):
        scheduler_test.want_test(scheduler())


def test_a_test_that_is_due_is_found_by_the_sweep(tested, clock):
    scheduler_test.want_test(scheduler())
    assert scheduler_test.due() == [scheduler().pk]
    clock.move(-timedelta(seconds=5).total_seconds())
    assert scheduler_test.due() == []
