"""Real workers: what a pool of processes can do, and what a pool of threads can."""

import time

import psutil
import pytest
from django.core.management import CommandError, call_command

from jobs.engine import handle_of
from jobs.functions.models import FunctionWorker
from jobs.functions.worker import watch
from jobs.testing import settle
from tests.contract.worlds.functions import FunctionsWorld

# The database has no part in it.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120), pytest.mark.on_sqlite]
PATIENCE = 30.0


@pytest.fixture
def worker(request, tmp_path):
    """A worker of the pool that the test names, and a function that waits while the monitor does its part."""
    process = FunctionsWorld.start_workers(tmp_path, pool=request.param)
    yield process
    process.kill()
    process.wait()


in_processes = pytest.mark.parametrize("worker", ["prefork"], indirect=True)
in_threads = pytest.mark.parametrize("worker", ["threads"], indirect=True)
in_both = pytest.mark.parametrize("worker", ["prefork", "threads"], indirect=True)


def until(job, *words: str, while_waiting=lambda: None):
    """Wait until the job's status is one of the words."""
    deadline = time.monotonic() + PATIENCE
    while job.cached_status not in words:
        assert time.monotonic() < deadline, f"{job.status_display}: {job.status_message}, wanted {words}"
        while_waiting()
        settle()
        time.sleep(0.05)


@in_both
def test_a_worker_says_what_it_is_and_what_it_has(worker):
    row = FunctionWorker.objects.get(pid=worker.pid)
    assert row.is_alive
    assert (row.queues, row.concurrency, row.leaving) == (["tests"], 4, False)
    assert any(route.startswith("succeed:") for route in row.routes)
    assert row.pool in ("prefork", "threads")


@in_both
def test_what_a_function_prints_and_logs_is_in_the_log_of_its_own_job(worker, calling):
    jobs = [calling("talking", percent=percent) for percent in (10, 20)]
    for job in jobs:
        job.execute()
    for job in jobs:
        until(job, "Complete")
        [log] = job.type.engine.logs(handle_of(job))
        lines = log.read().decode().splitlines()
        assert sum("printed" in line for line in lines) == 1
        assert sum("INFO logged" in line for line in lines) == 1
        # Another program writes to the descriptors of the process, which only a process of its own has to itself.
        by_another = sum("by another program" in line for line in lines)
        assert by_another == (1 if FunctionWorker.objects.get(pid=worker.pid).pool == "prefork" else 0)


@in_processes
def test_in_a_process_a_function_that_takes_too_long_is_ended(worker, calling, tmp_path):
    job = calling("slow", outside=str(tmp_path))
    job.execute()
    until(job, "Error")
    assert job.status_message == "It ran longer than its 1 seconds."


@in_processes
def test_the_shorter_of_the_limits_of_job_and_function_holds(worker, calling, tmp_path):
    job = calling("last", outside=str(tmp_path))
    job.timeout = 1
    job.execute()
    until(job, "Error")
    assert job.status_message == "It ran longer than its 1 seconds."


@in_threads
def test_in_a_thread_a_function_is_asked_to_stop(worker, calling, tmp_path):
    job = calling("ask", outside=str(tmp_path))
    job.execute()
    until(job, "Running")
    job.stop()
    until(job, "Aborted")
    assert job.status_message == "Stopped."


@in_threads
def test_in_a_thread_a_function_is_asked_when_its_time_is_over(worker, calling, tmp_path):
    job = calling("ask", outside=str(tmp_path))
    job.timeout = 1
    job.execute()
    until(job, "Error")
    assert job.status_message == "It ran longer than its 1 seconds."


@in_threads
def test_a_thread_that_never_asks_is_given_up_and_what_it_says_later_is_refused(worker, calling, tmp_path):
    job = calling("once", outside=str(tmp_path), seconds=6.0)
    job.execute()
    until(job, "Running")
    job.stop()
    # As after its deadline: the engine is asked with force.
    assert job.type.engine.stop([handle_of(job)], force=True)[job.tag] == "done"
    until(job, "Aborted")
    assert "cannot be ended" in job.status_message
    time.sleep(6)
    settle()
    assert job.cached_status == "Aborted"
    assert job.result is None


@in_processes
def test_a_worker_that_does_not_hear_its_broker_ends(worker, calling, tmp_path, monkeypatch):
    # A queue's messages that nobody sends: the job is written down as it would be by a site whose broker is deaf.
    monkeypatch.setattr("jobs.functions.engine.wake", lambda queue: None)
    monkeypatch.setattr("jobs.functions.tending.wake", lambda *args: None)
    job = calling("succeed", outside=str(tmp_path))
    job.execute()
    deadline = time.monotonic() + watch.DEAF_AFTER * 2 + watch.LEAVE_WITHIN + 10
    while worker.poll() is None:
        assert time.monotonic() < deadline, "it listens on"
        time.sleep(0.2)
    assert job.cached_status == "Submitted"


@in_processes
def test_an_idle_process_that_is_killed_keeps_no_other_from_its_calls(worker, calling, tmp_path):
    # More often than there are processes, so that it was also the one whose turn it was.
    for _ in range(2):
        for child in psutil.Process(worker.pid).children():
            child.kill()
            child.wait(10)
            job = calling("succeed", outside=str(tmp_path))
            job.execute()
            until(job, "Complete")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queues": "no name"}, "'no name' is no name for a queue"),
        ({"queues": "tests", "concurrency": 0}, "--concurrency: must be at least 1"),
    ],
)
def test_a_worker_that_cannot_be_is_refused(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("worker", **options)


def test_without_an_app_that_has_queues_the_command_says_so(monkeypatch):
    monkeypatch.setattr("jobs.management.commands.worker.plugins", list)
    with pytest.raises(CommandError, match=r"add 'jobs\.functions'"):
        call_command("worker", queues="default")
