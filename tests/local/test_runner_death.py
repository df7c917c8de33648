"""A runner that dies leaves a folder from which can be told how far it got, and nothing that ran is run again."""

import signal

import pytest

from jobs.faultpoints import FaultPoint
from jobs.local import runner as runner_module
from jobs.processes.identity import end_tagged
from tests.local.conftest import eventually

# For each point: is the attempt claimed, is there a state, was the start noted, is there an outcome, how many runs.
LEFT_BEHIND = {
    "runner.claim.before": (False, False, False, False, {0}),
    "runner.claim.after": (True, False, False, False, {0}),
    "runner.start.before": (True, True, False, False, {0}),
    "runner.start.after": (True, True, False, False, {0, 1}),
    "runner.outcome.before": (True, True, True, False, {1}),
    "runner.outcome.after": (True, True, True, True, {1}),
}


def test_every_fault_point_of_the_runner_is_tried():
    points = [name for name in FaultPoint.registry if name.startswith("runner.")]
    assert sorted(LEFT_BEHIND) == sorted(f"{name}.{when}" for name in points for when in ("before", "after"))
    assert runner_module.RUNNER_CLAIM.name in points


@pytest.mark.parametrize("fault", LEFT_BEHIND)
def test_a_runner_killed_at_a_fault_point_leaves_what_can_be_explained(new_attempt, tmp_path, monkeypatch, fault):
    claimed, has_state, start_noted, has_outcome, runs = LEFT_BEHIND[fault]
    attempt = new_attempt(shell="echo ran >> runs")
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / fault).touch()
    monkeypatch.setenv("JOBDECK_FAULTS", str(faults))

    assert attempt.start().wait(10) == -signal.SIGKILL

    assert not (faults / fault).exists()
    assert attempt.claimed == claimed
    assert (attempt.owner() is not None) == claimed
    assert not claimed or not attempt.owner().is_alive()
    state = attempt.state()
    assert (state is not None) == has_state
    assert bool(state and state["started"]) == start_noted
    assert (attempt.outcome() is not None) == has_outcome
    eventually(lambda: not attempt.living())
    assert attempt.text("runs").count("ran") in runs

    # The engine's second try runs it where nobody had it, and never again where somebody had.
    before = attempt.text("runs")
    assert attempt.start().wait(10) == 0
    assert attempt.text("runs") == ("ran\n" if not claimed else before)
    assert (attempt.outcome() is not None) == (has_outcome or not claimed)


def test_the_command_dies_with_its_runner_and_what_is_left_is_found_by_its_tag(new_attempt):
    attempt = new_attempt(shell="setsid sleep 60 & (env -u PATH setsid sleep 60 &) ; echo ready; sleep 60")
    runner = attempt.start()
    eventually(lambda: attempt.text("stdout") and len(attempt.living()) == 4)
    main = attempt.state()["command_pid"]
    runner.kill()
    runner.wait()
    eventually(lambda: main not in [process.pid for process in attempt.living()])
    assert not attempt.owner().is_alive()
    assert not attempt.want("stop")
    assert attempt.outcome() is None
    assert end_tagged(attempt.tag) == 3
    assert attempt.living() == []
    assert end_tagged(attempt.tag) == 0


def test_a_paused_tree_is_ended_after_its_runner_was_killed(new_attempt):
    attempt = new_attempt(shell="sleep 60 & sleep 60")
    runner = attempt.start()
    eventually(lambda: len(attempt.living()) == 3)
    attempt.want("pause")
    eventually(lambda: attempt.state()["paused"])
    runner.kill()
    runner.wait()
    assert end_tagged(attempt.tag) >= 2
    assert attempt.living() == []
