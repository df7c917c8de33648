"""Nothing is lost and nothing runs twice: whoever is killed, and whatever answer is lost."""

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from jobs.processes.identity import TAG_VARIABLE
from jobs.processes.table import all_rows
from tests.schedules.agent.patience import eventually
from tests.schedules.agent.site import SECOND

NOTE = "echo $JOBDECK_EXECUTION >> ran"


@pytest.fixture
def kill_at_point(agent):
    """Start the agent and see it die at that point."""

    def kill(point: str) -> None:
        agent.arm(point)
        agent.start(waits=False)
        assert agent.process.wait(60) == -signal.SIGKILL

    return kill


@pytest.mark.parametrize(
    "point",
    [
        "agent.apply.before", "agent.apply.after", "agent.decide.before", "agent.decide.after", "agent.hand_over.before",
        "agent.hand_over.after", "agent.take.before", "agent.take.after", "agent.reported.before", "agent.reported.after",
    ],
)  # fmt: skip
def test_an_agent_killed_anywhere_runs_each_due_time_once_and_reports_it(site, agent, kill_at_point, point):
    schedule = site.once(shell=f"{NOTE}; echo out")
    kill_at_point(point)
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert (one["state"], one["exit_code"], one["stdout"], one["reason"]) == ("ran", 0, "out\n", "")
    assert agent.lines("ran") == [one["id"]]
    eventually(lambda: site.last_sync()["unsent"] == 0)
    assert list((agent.data / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("point", "runs"), [("agent.start.before", 0), ("agent.start.after", None), ("agent.outcome.before", 1)]
)
def test_where_the_only_witness_died_the_outcome_is_unknown_and_nothing_runs_again(site, agent, point, runs):
    schedule = site.once(shell=f"{NOTE}; sleep 0.2")
    agent.arm(point)
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert (one["state"], one["exit_code"]) == ("ran", None)
    assert one["reason"].startswith("outcome unknown")
    if runs is not None:
        assert len(agent.lines("ran")) == runs


def test_a_command_runs_on_when_the_agent_is_killed_and_its_outcome_is_taken_later(site, agent):
    schedule = site.once(shell=f"{NOTE}; echo $$ > pid; while [ ! -e leave ]; do sleep 0.05; done; echo finished")
    agent.start()
    eventually(lambda: site.running)
    agent.kill()
    (agent.work / "leave").touch()
    eventually(lambda: any(path.name.endswith(".outcome") for path in (agent.data / "runs").iterdir()))
    assert not site.of(schedule)
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert (one["exit_code"], one["stdout"]) == (0, "finished\n")
    assert agent.lines("ran") == [one["id"]]
    assert site.taken[one["id"]] == 1
    eventually(lambda: len(agent.family()) == 2)


def test_one_that_still_runs_is_watched_and_can_be_stopped_by_the_next_agent(site, agent):
    schedule = site.once("sleep", "100")
    agent.start()
    [running] = eventually(lambda: list(site.running))
    agent.kill()
    agent.start()
    eventually(lambda: running in site.last_sync()["running"])
    site.stop.append(running)
    [one] = eventually(lambda: site.of(schedule))
    assert one["reason"] == "stopped"


def test_an_agent_that_is_told_to_end_does_so_soon_and_leaves_commands_running(site, agent):
    schedule = site.once(shell=f"{NOTE}; sleep 1; echo finished")
    agent.start()
    eventually(lambda: site.running)
    begun = time.monotonic()
    assert agent.end() == 0
    assert time.monotonic() - begun < 3
    agent.start()
    [one] = eventually(lambda: site.of(schedule))
    assert (one["stdout"], agent.lines("ran")) == ("finished\n", [one["id"]])


@pytest.mark.parametrize("words", [[], ["--user", "nobody"]])
def test_where_agent_and_keeper_and_supervisor_were_killed_what_they_left_is_ended(site, agent, words):
    if words and os.geteuid() != 0:
        pytest.skip("only root may become somebody else")
    agent.let_others_in()
    schedule = site.once("sh", "-c", "(trap '' HUP; sleep 600) & sleep 600")
    agent.start(*words)
    [running] = eventually(lambda: list(site.running))
    for pid in sorted(agent.family(), reverse=True):
        os.kill(pid, signal.SIGKILL)
    agent.process.wait(60)
    agent.start(*words)
    [one] = eventually(lambda: site.of(schedule))
    assert one["id"] == running
    assert one["reason"].startswith("outcome unknown")
    assert one["started"] is not None
    mark = f"{TAG_VARIABLE}=agent/{running}".encode()
    assert not any(mark in environment(pid) for pid in (row.pid for row in all_rows()))


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def test_a_keeper_that_was_killed_is_replaced_and_the_agent_goes_on(site, agent):
    schedule = site.schedule(shell=NOTE)
    agent.start()
    eventually(lambda: site.of(schedule))
    [keeper] = [pid for pid in agent.family() if Path(f"/proc/{pid}/comm").read_text() == "jobdeck-keeper\n"]
    os.kill(keeper, signal.SIGKILL)
    count = len(agent.lines("ran"))
    eventually(lambda: len(agent.lines("ran")) > count + 1)
    assert agent.process.poll() is None
    assert len(set(agent.lines("ran"))) == len(agent.lines("ran"))


# --- the site


def test_an_output_whose_answer_was_lost_is_sent_again_until_the_site_has_it(site, agent):
    site.lost["report"] = 3
    schedule = site.once("echo", "out")
    agent.start()
    eventually(lambda: site.last_sync()["unsent"] == 0 and site.of(schedule))
    [one] = site.of(schedule)
    assert one["stdout"] == "out\n"
    # Some of the lost answers may have been to reports that it runs: it reported until one arrived.
    assert site.lost["report"] == 0
    assert sum(purpose == "report" for purpose, _ in site.requests) >= 4
    taken, syncs = site.taken[one["id"]], site.count("sync")
    eventually(lambda: site.count("sync") > syncs + 2)
    assert site.taken[one["id"]] == taken


def test_while_the_site_is_away_all_goes_on_and_all_is_delivered_when_it_is_back(site, agent):
    schedule = site.schedule(shell=f"{NOTE}; echo out")
    agent.start()
    eventually(lambda: agent.lines("ran"))
    site.away = True
    count = len(agent.lines("ran"))
    eventually(lambda: len(agent.lines("ran")) >= count + 2)
    agent.kill()
    # Also one that begins while the site is away.
    agent.start(waits=False)
    count = len(agent.lines("ran"))
    eventually(lambda: len(agent.lines("ran")) >= count + 2)
    site.away = False
    site.unschedule()
    eventually(lambda: set(agent.lines("ran")) <= set(site.accepted))
    assert len(set(agent.lines("ran"))) == len(agent.lines("ran"))
    dues = [one["due"] for one in site.of(schedule)]
    assert dues == [schedule["start"] + number * SECOND for number in range(1, len(dues) + 1)]
    assert "does not answer" in agent.said
    assert {one["stdout"] for one in site.of(schedule) if one["state"] == "ran"} == {"out\n"}


def test_a_site_that_has_forgotten_the_session_gives_another_one_at_once(site, agent):
    schedule = site.schedule("echo")
    agent.start()
    eventually(lambda: site.of(schedule))
    count = len(site.of(schedule))
    site.forget_sessions()
    eventually(lambda: len(site.of(schedule)) > count)
    assert "does not answer" not in agent.said


def test_what_the_site_never_takes_is_dropped_with_a_word(site, agent):
    schedule = site.schedule("echo")
    site.refuses.add(schedule["id"])
    agent.start()
    eventually(lambda: "does not take the execution" in agent.said)
    assert "there is no such schedule" in agent.said
    site.unschedule()
    eventually(lambda: site.last_sync()["unsent"] == 0)


def test_one_execution_that_the_site_chokes_on_does_not_keep_others_from_it(site, agent):
    site.poll = 30.0
    bad = site.once("sleep", "1")
    good = [site.once("echo") for _ in range(6)]
    site.chokes_on.add(bad["id"])
    agent.start()
    eventually(lambda: all(site.of(schedule) for schedule in good))
    eventually(lambda: "executions: not understood (400)" in agent.said)
    assert not site.of(bad)


def test_a_schedule_that_the_agent_does_not_understand_does_no_harm(site, agent):
    site.schedule("echo", argv=[])
    del site.schedule("echo")["keep"]
    site.ask("echo", zone="Mars/Olympus")
    asked = site.ask("true")
    site.run.append({"id": "seven"})
    schedule = site.schedule("sleep", "1.5", zone="Mars/Olympus")
    agent.start()
    eventually(lambda: asked in site.accepted)
    eventually(lambda: any(one["state"] == "skipped" for one in site.of(schedule)))
    assert "it does not say keep" in agent.said
    assert "it does not say what to run" in agent.said
    assert "asks for an execution that means nothing" in agent.said


# --- gaps


@pytest.mark.parametrize("missed", ["once", "none"])
def test_of_due_times_that_passed_while_the_agent_was_down_one_or_none_is_run(site, agent, missed):
    now = site.now()
    schedule = site.schedule(
        shell=NOTE, every="every 1 minutes", start=now - 270 * SECOND, since=now - 270 * SECOND, missed=missed, keep=3
    )
    agent.start()
    ones = eventually(lambda: len(site.of(schedule)) == 3 and site.of(schedule))
    # Four have passed, of which the site keeps three.
    assert [one["due"] - schedule["start"] for one in ones] == [number * 60 * SECOND for number in (2, 3, 4)]
    assert [one["state"] for one in ones] == ["missed", "missed", "ran" if missed == "once" else "missed"]
    assert {one["reason"] for one in ones if one["state"] == "missed"} == {"the agent was not there at that time"}
    assert len(agent.lines("ran")) == (missed == "once")


def test_one_that_was_decided_and_never_started_does_for_the_gap_after_it(site, agent, kill_at_point):
    now = site.now()
    schedule = site.schedule(shell=NOTE, every="every 2 seconds", start=now - SECOND, since=now - SECOND)
    kill_at_point("agent.hand_over.before")
    eventually(lambda: site.now() > now + 8 * SECOND)
    agent.start()
    ones = eventually(lambda: len(site.of(schedule)) >= 4 and site.of(schedule))
    assert ones[0]["state"] == "missed"
    assert {one["state"] for one in ones[:3]} == {"missed"}
    eventually(lambda: any(one["state"] == "ran" for one in site.of(schedule)))
    assert len(set(agent.lines("ran"))) == len(agent.lines("ran"))


def test_an_agent_that_cannot_keep_what_it_decides_ends_and_says_why(site, agent):
    agent.start()
    database = sqlite3.connect(agent.data / "agent.sqlite3")
    database.execute("DROP TABLE executions")
    database.close()
    assert agent.process.wait(60) == 1
    assert "no such table: executions" in agent.said
