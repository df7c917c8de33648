"""Leases: a silent worker loses its task, and what it says later is refused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from jobs.farm.models import FarmTask, FarmWorker, TaskState
from jobs.farm.reports import report
from jobs.farm.tending import take_back
from jobs.testing import settle

pytestmark = pytest.mark.django_db(transaction=True)


def silent_for(seconds: float) -> None:
    """Have all workers be silent for so long."""
    FarmTask.objects.exclude(lease_expires=None).update(lease_expires=F("lease_expires") - timedelta(seconds=seconds))


def test_the_task_of_a_silent_worker_is_handed_out_again(farm):
    run = farm(2, lease_seconds=10)
    [late] = run.take()
    silent_for(11)
    settle()
    [again] = run.take()
    assert (again.number, again.tries) == (0, 2)
    assert again.fence != late.fence
    assert run.say([late], TaskState.DONE) == ([], [0])
    assert run.say([again], TaskState.DONE) == ([0], [])


def test_a_worker_that_is_heard_of_keeps_its_task(farm):
    run = farm(1, lease_seconds=10)
    tasks = run.take()
    for _ in range(3):
        silent_for(8)
        assert run.say(tasks, percent=10) == ([0], [])
        take_back()
    assert run.say(tasks, TaskState.DONE) == ([0], [])


def test_a_task_that_was_lost_as_often_as_it_may_has_failed_and_says_so(farm):
    run = farm(2, lease_seconds=10, max_tries=2)
    run.do()
    for _ in range(2):
        assert run.take()
        silent_for(11)
        take_back()
    assert run.take() == []
    assert run.status == "Various-Complete"
    assert run.run.status_message == (
        "1 of 2 tasks failed. Task 1: It was handed out 2 times; in the end node1:7 was not heard of for 10 s."
    )


def test_a_task_that_is_given_back_has_had_no_try(farm):
    run = farm(1, lease_seconds=10)
    tasks = run.take()
    assert run.say(tasks, TaskState.WAITING) == ([0], [])
    [again] = run.take()
    assert (again.number, again.tries) == (0, 1)
    assert run.say(tasks, TaskState.DONE) == ([], [0])


def test_without_a_lease_a_task_is_waited_for(farm):
    run = farm(1)
    tasks = run.take()
    assert tasks[0].expires is None
    take_back()
    assert run.say(tasks, TaskState.DONE) == ([0], [])


def test_an_end_that_is_said_twice_because_the_answer_was_lost_is_taken_once(farm):
    run = farm(2)
    tasks = run.take()
    assert run.say(tasks, TaskState.DONE, result='{"a": 1}') == ([0], [])
    assert run.say(tasks, TaskState.DONE, result='{"a": 1}') == ([0], [])
    run.worker.refresh_from_db()
    assert (run.counts, run.worker.done) == ((1, 0, 1, 0), 1)


def test_a_token_opens_its_own_task_only(farm):
    run = farm(2)
    first, second = run.take(), run.take()
    swapped = {"number": second[0].number, "fence": first[0].fence}
    assert report(run.place, [swapped], state=TaskState.DONE) == ([], [1])


def test_a_worker_that_says_how_far_it_is_or_asks_in_vain_is_alive(farm):
    run = farm(1)
    tasks = run.take()

    def seen_again(act) -> bool:
        FarmWorker.objects.update(seen=F("seen") - timedelta(minutes=5))
        before = FarmWorker.objects.get().seen
        act()
        return FarmWorker.objects.get().seen > before

    assert seen_again(lambda: run.say(tasks, percent=50))
    assert seen_again(run.take)


def test_many_tasks_are_taken_back_with_as_many_queries_as_one(farm):
    def queries(count: int) -> int:
        run = farm(count, lease_seconds=10)
        run.take(count)
        silent_for(11)
        with CaptureQueriesContext(connection) as captured:
            take_back()
        assert run.counts == (count, 0, 0, 0)
        return len(captured)

    assert queries(1) == queries(50)
