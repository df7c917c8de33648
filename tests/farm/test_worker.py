"""The worker for commands: the file that the site serves, run as people run it, against a site that really answers."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from jobs.access.tokens import make_token
from jobs.farm import tending
from jobs.testing import settle
from jobs.workspaces import workspace_path
from tests.condor.proxy import Proxy
from tests.farm.at_work import site, tasks_of
from tests.local.conftest import eventually

__all__ = ["site"]

pytestmark = pytest.mark.django_db(transaction=True)


NOTE = "import os; open('ran', 'a').write(os.environ['JOBDECK_TASK'] + '\\n')"
"""Each task writes its number."""
WAIT_FOR_LEAVE = f"""{NOTE}
import pathlib, time
while not pathlib.Path('leave').exists(): time.sleep(0.02)
open('finished', 'a').write(os.environ['JOBDECK_TASK'] + '\\n')
"""
"""Each task waits for a file."""


def test_two_workers_at_a_time_do_every_task_once(site, farm):
    run = farm(30)
    workers = [site.start(site.api(run), "--jobs", "2", program=NOTE) for _ in range(2)]
    for worker in workers:
        site.end(worker)
    assert sorted(map(int, site.lines("ran"))) == list(range(30))
    assert run.status == "Complete"
    assert [task.tries for task in tasks_of(run)] == [1] * 30


def test_a_task_has_its_number_its_input_and_its_files_and_leaves_a_result_files_and_its_progress(site, farm):
    run = farm(inputs=[{"x": 2}, {"x": 5}])
    inputs = workspace_path(run.run) / "inputs" / "1"
    for name, text in {"more.txt": "seven", "north/more.txt": "of nine"}.items():
        (inputs / name).parent.mkdir(parents=True, exist_ok=True)
        (inputs / name).write_text(text)
    program = """
import json, os, pathlib, sys
number, input, inputs, results = sys.argv[1:]
assert [input, inputs, results, number] == [os.environ["JOBDECK_" + n] for n in ("INPUT", "INPUTS", "RESULTS", "TASK")]
assert "JOBDECK_TOKEN" not in os.environ
more = [path.read_text() for path in sorted(pathlib.Path(inputs).rglob("*.txt"))]
print("42%", flush=True)
value = json.loads(pathlib.Path(input).read_text())["x"] ** 2
pathlib.Path(results, "result.json").write_text(json.dumps({"square": value, "more": more}))
pathlib.Path(results, "plots").mkdir()
pathlib.Path(results, "plots", "a curve.txt").write_text("of " + number)
"""
    command = [sys.executable, "-c", program, "{task}", "{input}", "{inputs}", "{results}"]
    site.work(run, "--jobs", "2", command=command)
    assert run.status == "Complete"
    results = [json.loads(task.result) for task in tasks_of(run)]
    assert results == [{"square": 4, "more": []}, {"square": 25, "more": ["seven", "of nine"]}]
    for number in range(2):
        path = workspace_path(run.run) / "results" / str(number) / "plots" / "a curve.txt"
        assert path.read_text() == f"of {number}"
    assert [path.name for path in site.folder.iterdir()] == ["jobdeck-worker.pyz"], "the tasks' folders are left"


def test_how_far_a_task_is_can_be_seen_while_it_runs(site, farm):
    run = farm(1)
    program = "import sys, time; print('begins'); print('12.5%', flush=True); time.sleep(60)"
    worker = site.start(site.api(run), "--jobs", "1", program=program)
    eventually(lambda: [task.percent for task in tasks_of(run)] == [12.5])
    worker.kill()


@pytest.mark.parametrize(
    ("program", "words", "message"),
    [
        (
            "import sys; sys.stderr.write('reading\\nno such river: Styx\\n'); sys.exit(3)",
            [],
            "The command ended with exit code 3.\nreading\nno such river: Styx",
        ),
        ("import os; os.kill(os.getpid(), 11)", [], "The command was ended by signal SIGSEGV."),
        ("import time; time.sleep(60)", ["--timeout", "0.3"], "It ran longer than 0.3 s and was ended."),
        (
            "import os; open(os.environ['JOBDECK_RESULTS'] + '/result.json', 'w').write('{')",
            [],
            "The command ended well, but its result.json is no JSON: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)",
        ),
        (
            "import os; open(os.environ['JOBDECK_RESULTS'] + '/result.json', 'w').write('\"' + 'x' * 100_001 + '\"')",
            [],
            "Its result was not taken: ",
        ),
    ],
    ids=["exit code", "signal", "timeout", "no JSON", "too long"],
)
def test_a_command_that_fails_says_why(site, farm, program, words, message):
    run = farm(1)
    site.work(run, *words, program=program)
    assert run.status == "Error"
    [task] = tasks_of(run)
    assert task.message.startswith(message)


def test_the_last_of_a_long_complaint_is_kept(site, farm):
    run = farm(1)
    site.work(run, program="import sys; sys.stderr.write('x' * 300_000 + '\\nthe reason'); sys.exit(1)")
    [task] = tasks_of(run)
    assert task.message.endswith("the reason")
    assert len(task.message) < 10_000


def test_sigterm_finishes_what_runs_and_takes_no_more(site, farm):
    run = farm(5)
    worker = site.start(site.api(run), "--jobs", "2", program=WAIT_FOR_LEAVE)
    eventually(lambda: len(site.lines("ran")) == 2)
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert worker.poll() is None
    (site.folder / "leave").touch()
    site.end(worker)
    assert sorted(site.lines("finished")) == ["0", "1"]
    assert run.counts == (3, 0, 2, 0)


def test_a_second_sigterm_ends_the_commands_and_gives_their_tasks_back(site, farm):
    run = farm(3)
    worker = site.start(site.api(run), "--jobs", "2", program=WAIT_FOR_LEAVE)
    eventually(lambda: len(site.lines("ran")) == 2)
    for _ in range(2):
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    site.end(worker)
    (site.folder / "leave").touch()
    assert run.counts == (3, 0, 0, 0)
    assert [task.tries for task in tasks_of(run)] == [0, 0, 0], "giving back is no try"
    site.work(run, program=NOTE)
    assert run.status == "Complete"
    assert site.lines("finished") == []


def test_short_tasks_are_taken_many_at_once_and_none_of_them_is_kept_at_the_end(site, farm):
    run = farm(3000)
    worker = site.start(site.api(run), "--jobs", "2", command=["true"])
    eventually(lambda: run.totals.done > 100)
    worker.send_signal(signal.SIGTERM)
    site.end(worker)
    assert run.totals.computing == 0
    assert 100 < run.totals.done < 3000


def test_a_site_that_is_away_in_the_middle_loses_and_doubles_nothing(site, farm, live_server):
    run = farm(40, lease_seconds=60)
    with Proxy(live_server.thread.host, live_server.thread.port) as proxy:
        url = site.api(run, f"http://127.0.0.1:{proxy.port}")
        worker = site.start(url, "--jobs", "3", program=f"{NOTE}; import time; time.sleep(0.05)")
        for _ in range(3):
            before = len(site.lines("ran"))
            eventually(lambda before=before: len(site.lines("ran")) >= min(before + 5, 40))
            proxy.break_off()
        proxy.refuse()
        time.sleep(1)
        proxy.listen()
        said = site.end(worker, within=30)
    assert "does not answer" in said
    assert "answers again" in said
    assert sorted(map(int, site.lines("ran"))) == list(range(40))
    assert run.status == "Complete"
    assert {task.tries for task in tasks_of(run)} == {1}


def takes(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def test_a_worker_of_a_site_that_is_away_ends_when_it_is_told_to(site):
    worker = site.start("http://127.0.0.1:9/api/jobs/1/farm/")
    eventually(lambda: takes(worker.pid, signal.SIGTERM))
    worker.send_signal(signal.SIGTERM)
    assert "127.0.0.1 does not answer (Connection refused)" in site.end(worker)


def test_a_worker_that_cannot_give_back_says_what_it_had(site, farm, live_server):
    run = farm(1)
    with Proxy(live_server.thread.host, live_server.thread.port) as proxy:
        worker = site.start(site.api(run, f"http://127.0.0.1:{proxy.port}"), program=WAIT_FOR_LEAVE)
        eventually(lambda: site.lines("ran"))
        proxy.refuse()
        for _ in range(3):
            worker.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        assert "the site could not be told of tasks 0" in site.end(worker, 1)


def test_answers_that_are_lost_lose_and_double_nothing(site, farm, live_server):
    run = farm(12)
    with Proxy(live_server.thread.host, live_server.thread.port) as proxy:
        proxy.cut_after = 40
        url = site.api(run, f"http://127.0.0.1:{proxy.port}")
        worker = site.start(url, "--jobs", "3", program=NOTE)
        # The site has given tasks, and the worker does not know.
        eventually(lambda: run.totals.computing == 3)
        time.sleep(1)
        proxy.cut_after = None
        site.end(worker)
    assert sorted(map(int, site.lines("ran"))) == list(range(12))
    assert {task.tries for task in tasks_of(run)} == {1}


def test_leases_are_renewed_while_a_command_runs(site, farm):
    run = farm(1, lease_seconds=1)
    site.work(run, program=f"{NOTE}; import time; time.sleep(1.8)")
    assert run.status == "Complete"
    assert site.lines("ran") == ["0"]


WITH_A_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)
open('pids.draft', 'w').write(f'{os.getpid()} {child.pid}')
os.rename('pids.draft', 'pids')
time.sleep(60)
"""


def test_a_task_that_was_lost_has_its_command_ended_with_all_that_it_started(site, farm):
    run = farm(2, lease_seconds=2)
    run.do()
    worker = site.start(site.api(run), program=WITH_A_CHILD)
    pids = list(map(int, site.wait_for("pids").read_text().split()))
    run.run.restart("unfinished")
    assert run.do() == [1], "another worker computes it"
    assert "task 1 is not this worker's any more" in site.end(worker)
    eventually(lambda: not any(map(is_alive, pids)))
    assert run.status == "Complete"


def test_a_worker_that_cannot_renew_its_lease_ends_its_command_before_another_one_begins(site, farm, live_server):
    run = farm(1, lease_seconds=1)
    with Proxy(live_server.thread.host, live_server.thread.port) as proxy:
        worker = site.start(site.api(run, f"http://127.0.0.1:{proxy.port}"), program=WITH_A_CHILD)
        pids = list(map(int, site.wait_for("pids").read_text().split()))
        proxy.refuse()
        eventually(lambda: not any(map(is_alive, pids)))

        def is_free() -> bool:
            tending.take_back()
            return run.counts == (1, 0, 0, 0)

        eventually(is_free)
        assert run.do() == [0], "another worker computes it"
        proxy.listen()
        said = site.end(worker)
    assert "task 0: its lease has ended, and the site does not answer" in said
    assert run.status == "Complete"
    assert [task.tries for task in tasks_of(run)] == [2]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_that_is_stopped_ends_the_commands_and_the_worker(site, farm):
    run = farm(4, lease_seconds=2)
    worker = site.start(site.api(run), "--jobs", "2", program=f"{NOTE}; import time; time.sleep(60)")
    eventually(lambda: len(site.lines("ran")) == 2)
    run.run.stop()
    site.end(worker)
    assert run.status == "Aborted"


def test_a_worker_that_is_killed_takes_its_commands_along(site, farm):
    run = farm(1)
    program = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    worker = site.start(site.api(run), program=program)
    pid = int(eventually(lambda: "".join(site.lines("pid"))))
    worker.kill()
    eventually(lambda: not is_alive(pid))


def test_a_worker_waits_while_the_run_is_paused(site, farm):
    run = farm(2)
    run.run.pause()
    settle()
    worker = site.start(site.api(run), program=NOTE)
    time.sleep(0.5)
    assert site.lines("ran") == []
    run.run.resume()
    site.end(worker)
    assert sorted(site.lines("ran")) == ["0", "1"]


def test_a_login_that_is_wrong_is_said_and_ends_with_1(site, farm):
    run = farm(1)
    worker = site.start(site.api(run), JOBDECK_TOKEN="jobdeck_" + "x" * 43)
    assert "(401)" in site.end(worker, 1)
    assert run.totals.waiting == 1


def test_name_and_password_do_as_well_as_a_token(site, farm):
    run = farm(1)
    site.work(run, program=NOTE, JOBDECK_TOKEN="", JOBDECK_USER="ann", JOBDECK_PASSWORD="ann")
    assert run.status == "Complete"


def test_a_token_that_may_only_read_is_refused(site, farm, ann):
    run = farm(1)
    worker = site.start(site.api(run), JOBDECK_TOKEN=make_token(ann, "reads", ["read"])[1])
    assert "(403)" in site.end(worker, 1)


def test_somebody_elses_run_is_as_one_that_is_not_there(site, farm, bob):
    run = farm(1)
    worker = site.start(site.api(run), JOBDECK_TOKEN=make_token(bob, "worker", ["write"])[1])
    assert "No such run. (404)" in site.end(worker, 1)


@pytest.mark.parametrize("path", ["/api/jobs/4c7fdbb3-1f0f-4d2e-9b3b-0d5c3f2f1a11/farm/", "/nothing/"])
def test_an_address_that_is_wrong_is_said_and_ends_with_1(site, path):
    assert "(404)" in site.end(site.start(site.url + path), 1)


def test_a_host_that_is_not_there_is_said(site):
    said = site.end(site.start("http://no-such-host.invalid/api/jobs/1/farm/"), 1)
    assert "there is no host called no-such-host.invalid" in said


def test_a_uuid_will_do_with_the_site(site, farm):
    run = farm(1)
    site.end(site.start(str(run.run.uuid), program=NOTE, JOBDECK_URL=site.url))
    assert run.status == "Complete"


def test_a_command_that_cannot_be_started_here_fails_no_task(site, farm):
    run = farm(3)
    script = site.folder / "script"
    script.write_text("echo this has no first line that names an interpreter\n")
    script.chmod(0o755)
    worker = site.start(site.api(run), command=[str(script)])
    assert "the command cannot be run here" in site.end(worker, 1)
    assert run.counts == (3, 0, 0, 0)
