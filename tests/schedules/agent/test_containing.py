"""Whatever a command does, it is over when it is over, and the agent stays small."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from jobs.processes.table import all_rows
from tests.schedules.agent.at_work import is_there
from tests.schedules.agent.patience import eventually

STAY = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
HIDE = f"""
import os, sys, time
# In a session of its own, without its parents, and without anything in its environment.
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("hidden", "w").write(str(os.getpid()) + "\\n")
        os.execve({sys.executable!r}, ["python", "-c", {STAY!r}], {{}})
    os._exit(0)
while not os.path.exists("hidden") or not open("hidden").read():
    time.sleep(0.01)
"""


def hidden(agent) -> int:
    [pid] = eventually(lambda: agent.lines("hidden"))
    return int(pid)


@pytest.mark.parametrize("ends", [False, True], ids=["it runs on", "it ends"])
def test_what_hides_is_ended_with_the_command(site, agent, ends):
    program = HIDE + ("" if ends else "time.sleep(600)")
    schedule = site.once(sys.executable, "-c", program, timeout=1.0)
    agent.start()
    pid = hidden(agent)
    [one] = eventually(lambda: site.of(schedule))
    assert not is_there(pid)
    if ends:
        assert (one["exit_code"], one["reason"]) == (0, "processes that it left behind were ended: 1")
        assert one["completed"] - one["started"] < 3_000_000
    else:
        assert (one["exit_code"], one["reason"]) == (None, "took longer than its timeout of 1 s, and was ended")


def test_what_a_killed_supervisor_leaves_is_ended_and_its_outcome_unknown(site, agent):
    schedule = site.once(sys.executable, "-c", HIDE + "time.sleep(600)")
    agent.start()
    pid = hidden(agent)
    parents = {row.pid: row.parent for row in all_rows()}
    supervisor = parents[pid]
    assert supervisor in agent.family()
    os.kill(supervisor, signal.SIGKILL)
    [one] = eventually(lambda: site.of(schedule))
    assert (one["state"], one["exit_code"]) == ("ran", None)
    assert one["reason"].startswith("outcome unknown")
    eventually(lambda: not is_there(pid))


def test_a_gigabyte_of_output_is_counted_and_cut_and_takes_no_memory(site, agent, record_property):
    schedule = site.once(shell="echo begins; yes | head -c 1000000000; echo ends", timeout=120.0)
    site.output_limit = 10_000
    agent.start()
    most, begun = 0, time.monotonic()
    while not site.of(schedule):
        assert time.monotonic() < begun + 60
        most = max(most, *map(resident, agent.family()))
        time.sleep(0.02)
    record_property("figures", f"1 GB of output: {time.monotonic() - begun:.1f} s, at most {most // 1024} MB a process")
    [one] = site.of(schedule)
    assert (one["exit_code"], one["stdout_size"]) == (0, 1_000_000_012)
    assert one["stdout"].startswith("begins\ny\ny\n")
    assert one["stdout"].endswith("y\ny\nends\n")
    assert "\n[… 999990012 bytes left out …]\n" in one["stdout"]
    assert len(one["stdout"]) < 10_100
    assert most < 60 * 1024
    assert sum(path.stat().st_size for path in agent.data.rglob("*")) < 2_000_000


def resident(pid: int) -> int:
    """In kB; what a process shares with its siblings counts too."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def test_a_child_in_the_background_does_not_hold_an_execution_open(site, agent):
    schedule = site.once(shell="sleep 300 & echo done")
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert (one["exit_code"], one["stdout"]) == (0, "done\n")
