"""The files of what runs: an agent that looks and a supervisor that begins are not in each other's way."""

import subprocess
import sys
import time
from uuid import uuid4

from jobs.schedules.agent.clock import steady
from jobs.schedules.agent.runs import RunFile
from tests.schedules.agent.patience import eventually

SUPERVISE = "import sys; from jobs.schedules.agent.supervisor import supervise; supervise(*sys.argv[1:])"


def described(folder) -> dict:
    return {
        "program": "/bin/echo", "argv": ["echo", "out"], "folder": str(folder), "environment": {}, "account": None,
        "tag": f"agent/{uuid4()}", "timeout": 10.0, "output_limit": 100, "offset": time.time_ns() // 1000 - steady(),
    }  # fmt: skip


def supervised(folder, execution: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SUPERVISE, str(folder), str(folder / "bell"), execution])


def test_an_execution_begins_also_where_the_agent_looks_at_that_moment_whether_it_has(tmp_path):
    execution = str(uuid4())
    run = RunFile(tmp_path, execution)
    run.write(described(tmp_path))
    looking = RunFile(tmp_path, execution)
    assert looking.lock()
    with supervised(tmp_path, execution) as process:
        time.sleep(0.5)
        looking.release()
        process.wait(30)
    assert (run.outcome()["exit_code"], run.outcome()["stdout"]) == (0, "out\n")


def test_one_that_was_called_off_meanwhile_does_not_begin(tmp_path):
    execution = str(uuid4())
    run = RunFile(tmp_path, execution)
    run.write(described(tmp_path))
    calling_off = RunFile(tmp_path, execution)
    assert calling_off.lock()
    with supervised(tmp_path, execution) as process:
        time.sleep(0.5)
        calling_off.remove()
        calling_off.release()
        process.wait(30)
    assert run.outcome() is None
    assert not run.is_there()


def test_of_two_supervisors_of_one_execution_one_runs_it(tmp_path):
    execution = str(uuid4())
    run = RunFile(tmp_path, execution)
    run.write(described(tmp_path) | {"argv": ["sh", "-c", "echo ran >> ran; sleep 0.3"], "program": "/bin/sh"})
    with supervised(tmp_path, execution) as one, supervised(tmp_path, execution) as other:
        assert (one.wait(30), other.wait(30)) == (0, 0)
    assert eventually(run.outcome)["exit_code"] == 0
    assert (tmp_path / "ran").read_text() == "ran\n"
