"""A job that calls a function, from its making to its result; run in the test's own process."""

import json

import pytest

from jobs import clock
from jobs.engine import handle_of
from jobs.errors import InvalidAttribute
from jobs.functions import current_job
from jobs.functions.models import FunctionJob
from jobs.functions.strict_json import NotJson, to_json
from jobs.functions.testing import run_functions
from jobs.workspaces import workspace_path
from tests.exampleapp import functions
from tests.functions.test_signatures import ALL


def test_a_function_is_called_with_the_arguments_and_its_result_kept(ran):
    job = ran("typed", **ALL)
    assert job.status_display == "Complete"
    assert job.result == {**{name: ALL[name] for name in ALL if name != "point"}, "x": 1.0, "more": None}


def test_the_function_itself_can_be_given(calling):
    assert calling(functions.succeed, outside="/tmp").function == "succeed"


def test_a_function_that_is_not_registered_cannot_be_given(calling):
    with pytest.raises(InvalidAttribute, match="put @job_function on it"):
        calling(functions.note)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("nothing", {}, "function: there is no function 'nothing'"),
        ("fail", {"outside": "/tmp"}, "arguments: code: is missing"),
        ("fail", {"outside": "/tmp", "code": "1"}, "arguments: code: "),
        ("fail", {"outside": "/tmp", "code": 1, "more": 1}, "arguments: more: is no parameter"),
    ],
)
def test_a_job_that_cannot_be_run_is_not_made(calling, function, arguments, message):
    with pytest.raises(InvalidAttribute, match=message):
        calling(function, **arguments)
    assert not FunctionJob.objects.exists()


def test_arguments_must_be_by_parameter(manager, ann):
    with pytest.raises(InvalidAttribute, match="arguments: must be a dictionary"):
        manager.create_job("job", ann, "FUNCTION", function="succeed", arguments=["/tmp"])


def test_there_is_no_result_before_the_function_returned(calling, tmp_path):
    job = calling("succeed", outside=str(tmp_path))
    assert (job.call, job.result) == (None, None)
    job.execute()
    assert job.cached_status == "Submitted"
    assert job.result is None
    run_functions()
    assert (job.cached_status, job.result) == ("Complete", "well")


def test_a_function_that_fails_is_an_error_in_its_words_with_the_traceback_in_its_log(ran, tmp_path):
    job = ran("fail", outside=str(tmp_path), code=3)
    assert (job.status_display, job.status_message) == ("Error", "RuntimeError: failed with 3")
    [log] = job.type.engine.logs(handle_of(job))
    text = log.read().decode()
    assert "raise RuntimeError" in text
    assert "calling.py" not in text


def test_a_failing_function_is_tried_again_while_retries_are_left(calling, tmp_path):
    job = calling("third_time", outside=str(tmp_path))
    job.execute()
    job.calls.update(backoff=60)
    run_functions()
    job.read_row()
    assert job.status_display == "Submitted"
    assert job.status_message == "Try 1 of 3 failed, tried again in 60 s: RuntimeError: try 1"
    assert job.call.backoff == 120
    job.calls.update(due=clock.now(), backoff=0)
    run_functions()
    assert (job.cached_status, job.result, job.call.tries) == ("Complete", 3, 3)


def test_a_job_whose_retries_are_used_up_is_an_error(calling, tmp_path, monkeypatch):
    job = calling("third_time", outside=str(tmp_path))
    job.execute()
    job.calls.update(retries_left=1, backoff=0)
    run_functions()
    assert job.cached_status == "Error"
    assert job.status_message == "RuntimeError: try 2"


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("a set", r"result['r'][1] is a set"),
        ("not a number", "result['t'][1] is the number nan"),
        ("bad key", "result['a'] is a dictionary with the key (1, 2)"),
    ],
)
def test_what_json_cannot_hold_is_an_error_that_names_the_place(ran, what, where):
    job = ran("returning", what=what)
    assert job.status_display == "Error"
    assert where in job.status_message


def test_a_result_that_holds_itself_is_refused():
    ring: list = [1]
    ring.append(ring)
    with pytest.raises(NotJson, match=r"result\[1\] is inside itself"):
        to_json(ring)


def test_an_array_is_refused_with_what_to_do():
    class Array:
        def tolist(self): ...

    with pytest.raises(NotJson, match=r"result\['r'\] is a .*Array \(return its \.tolist\(\)\)"):
        to_json({"r": Array()})


def test_a_long_result_is_a_file_in_the_workspace(ran):
    job = ran("returning", what="long")
    path = workspace_path(job) / "result.json"
    assert json.loads(path.read_text()) == job.result == "x" * 200_000
    assert job.call.result == ""


def test_texts_that_no_database_takes_come_back_as_they_were(ran):
    text = "NUL \0 and half a pair \ud800"
    assert ran("typed", **{**ALL, "more": {"text": "ok"}}).status_display == "Complete"
    assert json.loads(to_json(text)) == text


def test_each_attempt_has_a_result_of_its_own(ran, tmp_path):
    job = ran("succeed", outside=str(tmp_path))
    job.resubmit()
    assert job.result is None
    run_functions()
    job.read_row()
    assert [call.read_result() for call in job.calls.order_by("attempt")] == ["well", "well"]


def test_a_function_says_how_far_it_is_prints_logs_and_leaves_files(ran):
    job = ran("talking", percent=50)
    assert (job.status_display, job.progress, job.status_message) == ("Complete", 100.0, "nearly done")
    assert (workspace_path(job) / "out.txt").read_text() == "a file"
    [log] = job.type.engine.logs(handle_of(job))
    assert "INFO logged" in log.read().decode()


@pytest.mark.parametrize("percent", [-1, 101, float("nan"), "50", True])
def test_progress_is_a_number_from_0_to_100(percent):
    with pytest.raises(ValueError, match="progress: must be a number from 0 to 100"):
        current_job().progress(percent)


def test_outside_of_a_job_the_same_calls_write_nothing_down():
    job = current_job()
    job.progress(50, "half")
    job.message("well")
    assert not job.should_stop
    assert job.workspace.is_dir()
    assert functions.talking(10) == "said"
