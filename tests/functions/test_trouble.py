"""Calls whose worker meets trouble: no disk, a database that answers too late, another worker that has the call by now."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs.conf import conf
from jobs.functions import calls, tending
from jobs.functions.current import current_job
from jobs.functions.models import CallState, FunctionCall
from jobs.functions.testing import run_functions
from jobs.workspaces import workspace_path

pytestmark = pytest.mark.django_db
LONG = "x" * 200_000


def test_where_there_is_no_place_for_its_log_the_job_is_an_error_that_says_so(calling, monkeypatch, tmp_path):
    (tmp_path / "functions").touch()
    job = calling("returning", what="long")
    job.execute()
    monkeypatch.setattr(conf, "DATA_DIR", str(tmp_path))
    run_functions()
    job.read_row()
    assert job.status_display == "Error"
    assert job.status_message == "Its worker could not make its log or its workspace: Not a directory."


@pytest.mark.django_db(transaction=True)
def test_a_call_that_was_taken_although_the_answer_was_lost_is_run(calling, monkeypatch):
    claim = calls.claim

    def breaks_off(*args):
        claim(*args)
        monkeypatch.setattr(calls, "claim", claim)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(calls, "claim", breaks_off)
    job = calling("returning", what="long")
    job.execute()
    run_functions()
    job.read_row()
    assert (job.status_display, job.call.tries) == ("Complete", 1)


def test_an_end_that_the_database_refuses_is_an_error_and_not_a_call_that_runs_for_ever(calling, monkeypatch):
    def refuses(*args):
        raise ValueError("no such value")

    monkeypatch.setattr("jobs.functions.worker.calling._write_down", refuses)
    job = calling("returning", what="long")
    job.execute()
    run_functions()
    job.read_row()
    assert job.status_display == "Error"
    assert job.status_message.startswith("How it ended could not be written down: ValueError.")


def test_a_late_worker_leaves_the_result_of_the_one_that_has_the_call_now(calling, new_function):
    def late() -> str:
        call = FunctionCall.objects.select_related("job").get()
        assert calls.take_over(call)
        (workspace_path(call.job) / call.result_file).write_text('"theirs"')
        return LONG

    new_function(late)
    job = calling("late")
    job.execute()
    run_functions()
    assert job.call.state == CallState.RUNNING
    assert [path.name for path in workspace_path(job).iterdir()] == ["result.json"]
    assert (workspace_path(job) / "result.json").read_text() == '"theirs"'


def test_each_attempt_has_a_file_of_its_own_for_a_long_result(calling, new_function):
    def numbered() -> str:
        return f"{current_job().attempt} {LONG}"

    new_function(numbered)
    job = calling("numbered")
    job.execute()
    run_functions()
    job.read_row()
    job.resubmit()
    run_functions()
    first, second = job.calls.order_by("attempt")
    assert (first.read_result(), second.read_result()) == (f"1 {LONG}", f"2 {LONG}")
    assert json.loads((workspace_path(job) / "result-2.json").read_text()).startswith("2 ")


def test_what_a_function_says_is_written_down_also_where_no_database_takes_it(calling, new_function):
    def says() -> str:
        current_job().message("with a \0 in it")
        return FunctionCall.objects.get().message

    new_function(says)
    job = calling("says")
    job.execute()
    run_functions()
    job.read_row()
    assert (job.status_display, job.result) == ("Complete", "with a  in it")


@pytest.fixture
def running(calling):
    """A call that a worker has, with the time its lease has left."""

    def make(seconds: float) -> FunctionCall:
        job = calling("repeatable", outside="/tmp", seconds=0)
        job.execute()
        expires = timezone.now() + timedelta(seconds=seconds)
        FunctionCall.objects.update(state=CallState.RUNNING, worker="a:1:b", fence="f", lease_expires=expires)
        return FunctionCall.objects.select_related("job").get()

    return make


def test_the_call_of_a_silent_worker_is_taken_back(running):
    call = running(-1)
    tending.take_back()
    call.refresh_from_db()
    assert call.state == CallState.QUEUED
    assert call.message == "Its worker a:1 died; it is run again, because it is idempotent."


def test_a_worker_that_was_heard_of_in_the_last_moment_keeps_its_call(running):
    call = running(10)
    assert not calls.died(call, "Its worker", guard=calls.lapsed)
    call.refresh_from_db()
    assert call.state == CallState.RUNNING
