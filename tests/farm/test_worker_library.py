"""The worker as a library: programs that compute tasks themselves."""

import json
import re
import signal
import sys
import textwrap
import time

import pytest

from jobs.access.tokens import make_token
from jobs.farm import tending
from jobs.workspaces import workspace_path
from tests.docs.blocks import typed
from tests.farm.at_work import Site, site, tasks_of
from tests.local.conftest import eventually

__all__ = ["site"]

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = """
import logging, os, pathlib, sys, time
sys.path.insert(0, "jobdeck-worker.pyz")
from jobdeck_worker import Refused, TaskLost, Worker
url, token = sys.argv[1:]
"""


def start(site: Site, farmed, program: str, token: str = ""):
    """Start a program that has an address and a token."""
    words = [sys.executable, "-I", "-S", "-c", HEAD + textwrap.dedent(program), site.api(farmed), token or site.token]
    return site.start_program(words)


def run_program(site: Site, farmed, program: str, exit_code: int = 0, token: str = "") -> str:
    return site.end(start(site, farmed, program, token), exit_code)


def words_of(farmed) -> list[tuple[str, str]]:
    """State and message of each task."""
    return [(task.get_state_display(), task.message) for task in tasks_of(farmed)]


def test_a_loop_computes_all_tasks(site, farm):
    run = farm(inputs=[3, 4])
    folder = workspace_path(run.run) / "inputs" / "0"
    folder.mkdir(parents=True)
    (folder / "more.txt").write_text("seven")
    run_program(
        site,
        run,
        """
        for task in Worker(url, token):
            task.progress(50, "half")
            files = [task.input_file(name).read_text() for name in task.input_files]
            task.put_file("curve.txt", b"0 1")
            task.done(result={"square": task.input**2, "files": files}, message="fine")
        """,
    )
    assert run.status == "Complete"
    assert [json.loads(task.result) for task in tasks_of(run)] == [
        {"square": 9, "files": ["seven"]},
        {"square": 16, "files": []},
    ]
    assert words_of(run) == [("done", "fine")] * 2
    assert (workspace_path(run.run) / "results" / "1" / "curve.txt").read_text() == "0 1"


def test_short_tasks_are_taken_several_at_once(site, farm):
    run = farm(1000)
    run_program(site, run, "for task in Worker(url, token): task.done()")
    assert run.status == "Complete"
    tasks = tasks_of(run)
    assert {task.tries for task in tasks} == {1}
    assert len({task.fence for task in tasks}) < 100, "a checkout has a token"


def test_an_exception_that_ends_the_program_fails_its_task_and_gives_the_others_back(site, farm):
    run = farm(500)
    said = run_program(
        site,
        run,
        """
        for task in Worker(url, token):
            if task.number == 100:
                raise ValueError("no such river: Styx")
            task.done()
        """,
        1,
    )
    assert "no such river" in said
    assert run.counts == (399, 0, 100, 1)
    assert words_of(run)[100] == ("failed", "ValueError: no such river: Styx")


def test_an_exception_that_leaves_the_block_of_the_worker_fails_its_task(site, farm):
    run = farm(2)
    run_program(
        site,
        run,
        """
        try:
            with Worker(url, token) as worker:
                for task in worker:
                    1 / 0
        except ZeroDivisionError:
            print("caught")
        """,
    )
    assert run.counts == (1, 0, 0, 1)
    assert words_of(run)[0] == ("failed", "ZeroDivisionError: division by zero")


def test_in_a_block_of_its_own_a_task_fails_and_the_loop_goes_on(site, farm):
    run = farm(3)
    run_program(
        site,
        run,
        """
        for task in Worker(url, token):
            with task:
                1 / (task.number - 1)
        """,
    )
    assert words_of(run) == [("done", ""), ("failed", "ZeroDivisionError: division by zero"), ("done", "")]
    assert run.status == "Various-Complete"


@pytest.mark.parametrize("ending", ["break", "sys.exit()", "raise KeyboardInterrupt"])
def test_who_leaves_the_loop_gives_its_task_back(site, farm, ending):
    run = farm(3)
    worker = start(site, run, f"for task in Worker(url, token):\n    {ending}")
    worker.wait(20)
    assert run.counts == (3, 0, 0, 0)
    assert [task.tries for task in tasks_of(run)] == [0, 0, 0]


def test_a_task_that_is_left_without_a_word_has_failed(site, farm):
    run = farm(1)
    run_program(site, run, "for task in Worker(url, token): pass")
    assert words_of(run) == [("failed", "The worker's program went on without saying how the task ended.")]


def test_a_result_that_is_no_json_is_refused_where_it_is_given(site, farm):
    run = farm(1)
    run_program(
        site,
        run,
        """
        for task in Worker(url, token):
            try:
                task.done(result=float("nan"))
            except ValueError as error:
                task.fail(str(error))
        """,
    )
    assert words_of(run)[0][1].startswith("the result is no JSON value: ")


def test_a_task_that_is_lost_says_so(site, farm):
    run = farm(1, lease_seconds=1)
    worker = start(
        site,
        run,
        """
        for task in Worker(url, token):
            pathlib.Path("begun").touch()
            try:
                while True:
                    task.progress(10)
                    time.sleep(0.05)
            except TaskLost as error:
                print(error, file=sys.stderr)
        """,
    )
    site.wait_for("begun")
    worker.send_signal(signal.SIGSTOP)
    time.sleep(1.2)

    def is_free() -> bool:
        tending.take_back()
        return run.counts == (1, 0, 0, 0)

    eventually(is_free)
    assert run.do() == [0]
    worker.send_signal(signal.SIGCONT)
    assert "task 0 is not this worker's any more" in site.end(worker)
    assert run.status == "Complete"


def test_a_worker_that_is_told_to_stop_finishes_its_task(site, farm):
    run = farm(3)
    worker = start(
        site,
        run,
        """
        import signal
        worker = Worker(url, token)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        for task in worker:
            pathlib.Path("begun").touch()
            while not worker.is_stopped:
                time.sleep(0.02)
            task.done()
        """,
    )
    site.wait_for("begun")
    worker.send_signal(signal.SIGTERM)
    site.end(worker)
    assert run.counts == (2, 0, 1, 0)


def test_a_login_that_is_wrong_is_an_exception(site, farm, ann):
    run = farm(1)
    said = run_program(
        site, run, "for task in Worker(url, token): pass", 1, token=make_token(ann, "reads", ["read"])[1]
    )
    assert "jobdeck_worker.errors.Refused" in said
    assert "(403)" in said


def test_the_program_in_the_documentation_computes(site, farm):
    run = farm(3)
    program = typed("how-to/write-farm-workers.md", "python")
    (site.folder / "token").write_text(site.token)
    address = re.search(r'URL = "(.*)"', program)[1]
    site.end(site.start_program([sys.executable, "-I", "-S", "-c", program.replace(address, site.api(run))]))
    assert [json.loads(task.result) for task in tasks_of(run)] == [{"total": 4950 * number} for number in range(3)]
