"""A run from its first task to its end: handed out, counted, ended, stopped, paused, restarted."""

import fcntl
from uuid import uuid4

import pytest
from django.db import connection, transaction

from jobs.engine import Watched, handle_of
from jobs.errors import ActionNotAllowed, InvalidAttribute
from jobs.farm.access import place_of
from jobs.farm.handout import check_out
from jobs.farm.models import FarmBlock, FarmTask, TaskState
from jobs.farm.puts import put
from jobs.farm.restarting import ALL, FAILED, UNFINISHED, restart
from jobs.farm.tending import remove_discarded
from jobs.farm.turns import LOCK
from jobs.manager import JobManager
from jobs.testing import settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_tasks_come_in_the_order_of_their_numbers_each_once(farm):
    run = farm(1203)
    seen = []
    while tasks := run.take(100):
        seen += [task.number for task in tasks]
    assert seen == list(range(1203))
    assert run.counts == (0, 1203, 0, 0)


def test_rows_are_made_as_tasks_are_handed_out(farm):
    run = farm(1_000_000)
    assert FarmTask.objects.count() == 0
    run.take()
    assert FarmTask.objects.count() == FarmBlock.SIZE
    assert run.counts == (999_999, 1, 0, 0)


def test_a_run_whose_tasks_are_all_done_is_complete(farm):
    run = farm(3)
    assert run.status == "Running"
    run.do(2)
    assert run.status == "Running"
    assert run.run.progress == 66.7
    run.do()
    assert run.status == "Complete"
    assert (run.run.progress, run.run.resources["counts"]) == (100, {"COM": 3})


def test_a_run_with_failed_tasks_is_various_complete_and_says_which(farm):
    run = farm(3)
    run.do()
    run.fail(message="no wind")
    run.do()
    assert run.status == "Various-Complete"
    assert run.run.status_message == "1 of 3 tasks failed. Task 1: no wind"


def test_a_run_of_which_all_failed_is_an_error(farm):
    run = farm(2)
    run.fail(2)
    assert run.status == "Error"
    assert run.run.status_message == "2 of 2 tasks failed. Task 0: it broke"


def test_blocks_that_are_over_are_closed_and_counted_as_before(farm):
    run = farm(1200)
    run.do(500)
    run.fail(3)
    settle()
    assert list(FarmBlock.objects.filter(closed=True).values_list("number", "done", "failed")) == [(0, 500, 0)]
    assert run.counts == (697, 0, 500, 3)
    run.do(600)
    settle()
    assert FarmBlock.objects.filter(closed=True).count() == 2
    assert run.counts == (97, 0, 1100, 3)
    assert run.totals.percent == 110_000


def test_percentages_count_for_the_run_as_they_come(farm):
    run = farm(4)
    run.say(run.take(2), percent=50)
    assert run.totals.percent_done == 25
    settle()
    run.run.read_row()
    assert run.run.progress == 25


def test_a_paused_run_hands_nothing_out_and_takes_what_workers_say(farm):
    run = farm(3)
    tasks = run.take()
    run.run.pause()
    assert run.status == "Paused"
    assert run.take() == []
    assert run.say(tasks, TaskState.DONE) == ([0], [])
    run.run.resume()
    assert run.status == "Running"
    assert run.do(5) == [1, 2]
    assert run.status == "Complete"


def test_a_stopped_run_hands_nothing_out_and_takes_nothing(farm):
    run = farm(3)
    run.do()
    tasks = run.take()
    run.run.stop()
    assert run.status == "Aborted"
    assert run.take() == []
    assert run.say(tasks, TaskState.DONE) == ([], [1])
    assert run.counts == (2, 0, 1, 0)


def test_a_stopped_run_goes_on_from_where_it_was(farm):
    run = farm(3)
    run.do()
    run.run.stop()
    settle()
    run.run.restart("unfinished")
    assert run.status == "Running"
    assert (run.run.attempt, run.counts) == (2, (2, 0, 1, 0))
    assert run.do(5) == [1, 2]
    assert run.status == "Complete"


def test_a_new_attempt_begins_from_the_start_and_the_old_rows_go(farm):
    run = farm(600)
    run.do(600)
    assert run.status == "Complete"
    run.run.resubmit()
    assert run.status == "Running"
    assert (run.run.attempt, run.counts) == (2, (600, 0, 0, 0))
    while FarmTask.objects.exists() or FarmBlock.objects.exists():
        remove_discarded()
    assert run.do(1000) == list(range(600))
    assert run.status == "Complete"


def test_a_restart_of_all_while_it_runs_takes_every_task_from_its_worker(farm):
    run = farm(5)
    run.do(2)
    tasks = run.take(2)
    run.run.restart()
    assert run.counts == (5, 0, 0, 0)
    assert run.say(tasks, TaskState.DONE) == ([], [2, 3])
    assert run.do(10) == list(range(5))
    assert (run.status, run.run.attempt) == ("Complete", 1)


@pytest.mark.parametrize(
    ("what", "counts"),
    [(UNFINISHED, (4, 0, 2, 0)), (FAILED, (2, 2, 2, 0))],
)
def test_a_restart_puts_back_what_is_asked_for(farm, what, counts):
    run = farm(6)
    run.do(2)
    run.fail(2)
    run.take(2)
    run.run.restart(what)
    assert run.counts == counts


def test_failed_tasks_of_a_run_that_is_over_are_computed_in_a_new_attempt(farm):
    run = farm(510)
    run.do(3)
    run.fail(2)
    run.do(505)
    assert run.status == "Various-Complete"
    run.run.restart("failed")
    assert run.status == "Running"
    assert (run.run.attempt, run.counts) == (2, (2, 0, 508, 0))
    assert run.do(10) == [3, 4]
    assert run.status == "Complete"
    assert run.totals.percent_done == 100


def test_nothing_is_restarted_where_nothing_failed(farm):
    run = farm(2)
    run.do(2)
    assert run.status == "Complete"
    run.run.restart("failed")
    assert (run.status, run.run.attempt) == ("Complete", 1)


def test_a_run_that_was_not_started_cannot_be_restarted(ann):
    run = JobManager("farm").create_job("new", ann, "FARM", num_tasks=2)
    with pytest.raises(ActionNotAllowed, match="is Pending"):
        restart(place_of(ann, run.uuid), ALL)


def test_a_deleted_run_leaves_nothing(farm):
    run = farm(5)
    run.do(2)
    run.run.delete()
    settle()
    assert not FarmTask.objects.exists()
    assert not FarmBlock.objects.exists()


def test_a_run_of_a_million_is_made_counted_and_looked_at_with_as_many_queries_as_one_of_ten(farm):
    def queries(num_tasks: int) -> int:
        with connection.execute_wrapper(count):
            run = farm(num_tasks)
            run.do(3)
            run.run.type.engine.poll(None, None, [Watched(run.run.tag, run.run.tag, "RUN")])
            assert run.totals.done == 3
        made, counted[:] = len(counted), []
        return made

    counted: list[str] = []

    def count(execute, sql, params, many, context):
        counted.append(sql)
        return execute(sql, params, many, context)

    queries(10)  # the first one makes the scheduler's row
    assert queries(10) == queries(1_000_000)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"num_tasks": 0}, "num_tasks: Ensure this value is greater than or equal to 1"),
        ({"num_tasks": 1_000_001}, "num_tasks: Ensure this value is less than or equal to 1000000"),
        ({}, "num_tasks: This field cannot be null"),
        ({"num_tasks": 2, "lease_seconds": 0}, "lease_seconds: Ensure this value is greater"),
        ({"num_tasks": 2, "inputs": [1]}, "inputs: there are 1 for 2 tasks"),
        ({"inputs": [object()]}, "inputs: must be a list of JSON values"),
    ],
)
def test_what_cannot_be_a_run_is_refused_by_name(ann, attributes, message):
    with pytest.raises(InvalidAttribute, match=message):
        JobManager("farm").create_job("x", ann, "FARM", **attributes)


def test_each_task_has_its_input(farm):
    run = farm(inputs=[{"wind": number, "name": "é\n"} for number in range(700)])
    assert run.run.num_tasks == 700
    assert run.run.inputs[699] == {"wind": 699, "name": "é\n"}
    assert [value["wind"] for value in run.run.inputs] == list(range(700))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("action", ["pause", "stop", "restart"])
def test_who_looked_before_a_run_was_paused_stopped_or_restarted_gets_what_is_right_now(farm, action):
    run = farm(600)
    run.do(3)
    before = run.place
    getattr(run.run, action)()
    settle()
    numbers = [task.number for task in check_out(before, run.worker, 5, uuid4().hex)]
    assert numbers == ([] if action != "restart" else [0, 1, 2, 3, 4])


def test_of_a_run_that_was_restarted_in_between_no_old_task_is_handed_out_or_changed(farm):
    run = farm(600)
    run.take(3)
    before = run.place
    run.run.restart("all")
    put(before, 7, percent=50)
    assert FarmTask.objects.get(number=7, percent=50).generation == run.place.generation
    tasks = check_out(before, run.worker, 2, uuid4().hex)
    assert run.say(tasks, TaskState.DONE) == ([0, 1], [])


def test_a_run_that_is_deleted_right_after_a_restart_leaves_nothing_of_either(farm):
    run = farm(5)
    run.take()
    run.run.restart("all")
    run.take()
    engine, handle = run.run.type.engine, handle_of(run.run)
    engine.stop([handle])
    assert engine.forget([handle]) == {handle.tag: "done"}
    assert not FarmTask.objects.exists()
    assert not FarmBlock.objects.exists()


@pytest.mark.on_sqlite
@pytest.mark.timeout(30)
def test_who_writes_in_a_transaction_waits_for_no_turn(farm, data_dir):
    run = farm(5)
    run.do(2)
    with (data_dir / LOCK).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with transaction.atomic():
            run.run.restart("all")
    assert run.counts == (5, 0, 0, 0)
