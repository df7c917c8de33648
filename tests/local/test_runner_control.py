"""Stopping, pausing and limiting a command reaches everything it started."""

import signal
import time
from pathlib import Path

import pytest

from jobs.processes.identity import descendants
from tests.local.conftest import PYTHON, eventually

# Two processes beside the main one: one in a session of its own, one that in addition lost its parent.
FAMILY = "setsid sh -c 'while :; do :; done' & (setsid sh -c 'while :; do :; done' &) ; wait; sleep 60"
# What starts the next itself and ends, so that no look at the process table finds it twice.
HOPPER = (
    "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\n"
    "if os.fork() == 0:\n    while True:\n        if os.fork(): os._exit(0)\ntime.sleep(60)"
)


def ticks_used(attempt) -> int:
    """CPU time that the living processes of the attempt have used, in clock ticks."""
    total = 0
    for process in descendants(attempt.owner().pid):
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        total += int(fields[11]) + int(fields[12])
    return total


def test_stop_ends_children_that_left_session_and_parent(new_attempt):
    attempt = new_attempt(shell=FAMILY)
    attempt.start()
    eventually(lambda: len(attempt.living()) >= 3)
    assert attempt.want("stop")
    outcome = attempt.result()
    assert (outcome["reason"], outcome["exit_code"], outcome["signal"]) == ("stopped", None, signal.SIGTERM)
    assert attempt.living() == []


def test_a_command_may_tidy_up_when_it_is_stopped(new_attempt):
    attempt = new_attempt(shell="trap 'echo tidy; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    attempt.start()
    eventually(lambda: attempt.text("stdout"))
    attempt.want("stop")
    outcome = attempt.result()
    assert (outcome["reason"], outcome["exit_code"]) == ("stopped", 7)
    assert attempt.text("stdout") == "ready\ntidy\n"


def test_what_ignores_sigterm_is_killed_after_the_grace(new_attempt):
    attempt = new_attempt(shell="trap '' TERM; echo ready; setsid sleep 60 & sleep 60", grace=0.3)
    attempt.start()
    eventually(lambda: attempt.text("stdout") and len(attempt.living()) >= 3)
    begun = time.monotonic()
    attempt.want("stop")
    assert attempt.result()["signal"] == signal.SIGKILL
    assert 0.3 <= time.monotonic() - begun < 3
    assert attempt.living() == []


def test_what_forks_on_and_on_is_killed_as_well(new_attempt):
    attempt = new_attempt(argv=[*PYTHON, HOPPER], grace=0.1)
    attempt.start()
    eventually(lambda: attempt.text("stdout"))
    attempt.want("stop")
    assert attempt.result()["reason"] == "stopped"
    assert attempt.living() == []


def test_what_the_command_leaves_running_is_ended(new_attempt):
    attempt = new_attempt(shell="setsid sleep 60 & (setsid sleep 60 &) ; exit 3")
    begun = time.monotonic()
    attempt.start()
    outcome = attempt.result()
    assert (outcome["reason"], outcome["exit_code"]) == ("exited", 3)
    assert "2 processes that it left running had to be ended" in outcome["message"]
    assert time.monotonic() - begun < 3
    assert attempt.living() == []


def test_what_is_left_running_and_ignores_sigterm_is_killed(ran):
    attempt = ran(shell="trap '' TERM; setsid sleep 60 & exit 0", grace=0.2)
    assert attempt.outcome()["exit_code"] == 0
    assert attempt.living() == []


def test_stop_before_the_start_runs_nothing(new_attempt):
    attempt = new_attempt(shell="echo ran >> runs")
    assert not attempt.want("stop")
    attempt.start()
    outcome = attempt.result()
    assert (outcome["reason"], outcome["exit_code"], outcome["started"]) == ("stopped", None, None)
    assert attempt.text("runs") == ""


def test_pause_before_the_start_holds_it_back(new_attempt):
    attempt = new_attempt(shell="echo ran >> runs", timeout=0.5)
    attempt.want("pause")
    attempt.start()
    state = eventually(attempt.state)
    assert (state["paused"], state["started"], state["command_pid"]) == (True, None, None)
    time.sleep(0.6)
    assert attempt.text("runs") == ""
    assert attempt.want("run")
    assert attempt.result()["exit_code"] == 0
    assert attempt.text("runs") == "ran\n"


def test_pause_stops_the_whole_tree_and_resume_continues_it(new_attempt):
    attempt = new_attempt(shell=FAMILY)
    attempt.start()
    eventually(lambda: len(attempt.living()) >= 3 and ticks_used(attempt) > 2)
    assert attempt.want("pause")
    eventually(lambda: attempt.state()["paused"])
    used = ticks_used(attempt)
    time.sleep(0.3)
    assert ticks_used(attempt) == used
    attempt.want("run")
    eventually(lambda: not attempt.state()["paused"])
    eventually(lambda: ticks_used(attempt) > used + 5)


def test_what_forks_on_and_on_is_paused_as_well(new_attempt):
    attempt = new_attempt(argv=[*PYTHON, HOPPER], grace=0)
    attempt.start()
    eventually(lambda: attempt.text("stdout"))
    attempt.want("pause")
    eventually(lambda: attempt.state()["paused"])
    before = attempt.living()
    time.sleep(0.1)
    assert attempt.living() == before


def test_a_paused_command_takes_a_stop(new_attempt):
    attempt = new_attempt(shell="trap 'echo tidy; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    attempt.start()
    eventually(lambda: attempt.text("stdout"))
    attempt.want("pause")
    eventually(lambda: attempt.state()["paused"])
    attempt.want("stop")
    assert attempt.result()["exit_code"] == 7


def test_stop_and_pause_are_seen_without_a_signal(new_attempt):
    attempt = new_attempt(argv=["sleep", "60"])
    attempt.start()
    eventually(lambda: (attempt.state() or {}).get("started"))
    Path(attempt.file("control.json")).write_text('{"want": "pause"}')
    eventually(lambda: attempt.state()["paused"], within=2)
    Path(attempt.file("control.json")).write_text('{"want": "stop"}')
    assert attempt.result()["reason"] == "stopped"


def test_damaged_control_and_state_are_as_if_they_were_not_there(new_attempt):
    attempt = new_attempt(shell="sleep 0.2; exit 4")
    Path(attempt.file("control.json")).write_text('{"want": "st')
    Path(attempt.file("state.json")).write_text("{")
    assert attempt.state() is None
    attempt.start()
    assert attempt.result()["exit_code"] == 4


def test_nobody_can_want_what_there_is_not(new_attempt):
    with pytest.raises(ValueError, match="run, pause, stop"):
        new_attempt(argv=["true"]).want("explode")


def test_the_timeout_ends_the_tree(new_attempt):
    attempt = new_attempt(shell=FAMILY, timeout=0.4)
    begun = time.monotonic()
    attempt.start()
    outcome = attempt.result()
    assert (outcome["reason"], outcome["signal"]) == ("timed out", signal.SIGTERM)
    assert "timeout of 0.4 s" in outcome["message"]
    assert 0.4 <= time.monotonic() - begun < 3
    assert attempt.living() == []


def test_time_spent_paused_does_not_count_towards_the_timeout(new_attempt):
    attempt = new_attempt(argv=["sleep", "60"], timeout=0.8)
    attempt.start()
    eventually(lambda: (attempt.state() or {}).get("started"))
    attempt.want("pause")
    eventually(lambda: attempt.state()["paused"])
    time.sleep(1.2)
    assert attempt.outcome() is None
    attempt.want("run")
    assert attempt.result()["reason"] == "timed out"


def test_a_runner_that_is_told_to_end_ends_the_tree_and_says_so(new_attempt):
    attempt = new_attempt(shell=FAMILY)
    runner = attempt.start()
    eventually(lambda: len(attempt.living()) >= 3)
    runner.terminate()
    assert attempt.result()["reason"] == "runner terminated"
    assert attempt.living() == []


def test_a_runner_that_is_told_to_end_while_it_holds_the_start_back_runs_nothing(new_attempt):
    attempt = new_attempt(shell="echo ran >> runs")
    attempt.want("pause")
    runner = attempt.start()
    eventually(attempt.state)
    runner.terminate()
    assert attempt.result()["reason"] == "runner terminated"
    assert attempt.text("runs") == ""
