"""Commands run when they are due, and the site hears of it."""

import json
import os
import pwd
import shutil
import time
from datetime import UTC, datetime

import pytest

from tests.schedules.agent.at_work import is_there
from tests.schedules.agent.patience import eventually
from tests.schedules.agent.site import SECOND

SHOW = "import json, os; print(json.dumps([dict(os.environ), os.getcwd(), os.getuid(), os.getgroups()]))"


def outcome(site, schedule) -> dict:
    """How the first execution of a schedule ended."""
    return eventually(lambda: site.of(schedule))[0]


def test_a_command_runs_at_each_due_time_and_its_output_is_reported(site, agent):
    schedule = site.schedule("echo", "hello world")
    agent.start()
    # On a busy machine one may be skipped, while the one before is not over.
    for one in eventually(lambda: (ran := [one for one in site.of(schedule) if one["state"] == "ran"])[1:] and ran):
        assert (one["due"] - schedule["start"]) % SECOND == 0
        assert (one["state"], one["exit_code"], one["stdout"], one["stderr"]) == ("ran", 0, "hello world\n", "")
        assert (one["stdout_size"], one["stderr_size"], one["reason"]) == (12, 0, "")
        assert one["due"] <= one["started"] <= one["completed"]
    assert max(site.taken.values()) == 1


def test_where_the_hosts_clock_is_wrong_by_ten_minutes_times_are_still_those_of_the_site(site, agent):
    site.ahead = 600.0
    schedule = site.schedule("date")
    agent.start()
    [one, *_] = eventually(lambda: [one for one in site.of(schedule) if one["state"] == "ran"])
    assert one["due"] > time.time_ns() // 1000 + 590 * SECOND
    assert 0 <= one["started"] - one["due"] < 4 * SECOND
    assert abs(site.last_sync()["clock"] - (site.now() - 600 * SECOND)) < 5 * SECOND


def test_a_schedule_that_is_changed_or_taken_away_is_at_once(site, agent):
    before = site.schedule("echo", "one")
    agent.start()
    eventually(lambda: site.of(before))
    site.unschedule()
    after = site.schedule("echo", "two")
    eventually(lambda: site.of(after))
    count = len(site.of(before))
    eventually(lambda: len(site.of(after)) >= 2)
    assert len(site.of(before)) == count


def test_a_command_has_its_folder_and_knows_what_it_is_and_no_secrets(site, agent):
    schedule = site.once("python3", "-c", SHOW)
    agent.start(JOBDECK_ENROL_TOKEN=site.token, MINE="yes")
    one = outcome(site, schedule)
    environment, folder, _, _ = json.loads(one["stdout"])
    assert folder == str(agent.work)
    assert (environment["MINE"], environment["JOBDECK_EXECUTION"]) == ("yes", one["id"])
    assert environment["JOBDECK_SCHEDULE"] == schedule["id"]
    due = datetime.fromisoformat(environment["JOBDECK_DUE"])
    assert due == datetime.fromtimestamp(one["due"] / SECOND, UTC)
    assert site.token not in one["stdout"]
    assert site.key.hex() not in one["stdout"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_root_lets_commands_run_as_somebody_else(site, agent):
    nobody = pwd.getpwnam("nobody")
    agent.let_others_in()
    program = shutil.which("python3", path="/usr/bin")
    schedule = site.once(program, "-c", SHOW)
    agent.start("--user", "nobody", SECRET_OF_ROOT="x", LC_ALL="C")
    environment, _, uid, groups = json.loads(outcome(site, schedule)["stdout"])
    assert (uid, environment["USER"], environment["HOME"]) == (nobody.pw_uid, "nobody", nobody.pw_dir)
    assert 0 not in groups
    assert "SECRET_OF_ROOT" not in environment
    assert environment["LC_ALL"] == "C"
    assert site.last_sync()["account"] == "nobody"


@pytest.mark.parametrize(
    ("shell", "exit_code", "reason", "output"),
    [
        ("echo out; echo err >&2; exit 3", 3, "", ("out\n", "err\n")),
        ("kill -SEGV $$", None, "ended by signal SIGSEGV", ("", "")),
        ("echo $((6 * 7)) | tr 4 5", 0, "", ("52\n", "")),
    ],
)
def test_how_a_command_ended_is_told(site, agent, shell, exit_code, reason, output):
    schedule = site.once(shell=shell)
    agent.start()
    one = outcome(site, schedule)
    assert (one["exit_code"], one["reason"], (one["stdout"], one["stderr"])) == (exit_code, reason, output)


def test_what_cannot_be_started_says_why(site, agent):
    missing = site.once("no-such-program")
    (agent.work / "plain").write_text("no program")
    plain = site.once("./plain")
    agent.start()
    one = outcome(site, missing)
    assert (one["state"], one["exit_code"]) == ("ran", None)
    assert (
        one["reason"]
        == "could not be started: could not start the program 'no-such-program': No such file or directory"
    )
    assert outcome(site, plain)["reason"].endswith("could not start the program './plain': Permission denied")


def test_a_due_time_is_skipped_while_the_one_before_is_not_over(site, agent):
    schedule = site.schedule("sleep", "1.5")
    agent.start()
    eventually(lambda: {one["state"] for one in site.of(schedule)} == {"ran", "skipped"})
    skipped = next(one for one in site.of(schedule) if one["state"] == "skipped")
    before = f"{datetime.fromtimestamp((skipped['due'] - SECOND) // SECOND, UTC):%H:%M:%S}"
    assert skipped["reason"] == f"the execution of {before} is not over"


def test_or_is_run_beside_it_where_that_is_wanted(site, agent):
    schedule = site.schedule("sleep", "30", overlap="run")
    agent.start()
    eventually(lambda: len(site.running) >= 3)
    assert {one["state"] for one in site.running.values()} == {"running"}
    assert all(one["schedule"] == schedule["id"] and one["started"] >= one["due"] for one in site.running.values())
    assert set(site.last_sync()["running"].values()) == {schedule["id"]}


def test_no_more_run_at_once_than_the_agent_was_told(site, agent):
    schedules = [site.once(shell="echo begin >> ran; sleep 0.3; echo end >> ran") for _ in range(4)]
    agent.start("--at-once", "2")
    eventually(lambda: all(site.of(schedule) for schedule in schedules))
    running = most = 0
    for line in agent.lines("ran"):
        running += 1 if line == "begin" else -1
        most = max(most, running)
    assert most == 2
    assert [site.of(schedule)[0]["state"] for schedule in schedules] == ["ran"] * 4


def test_what_a_person_asks_for_runs_at_once_and_once_however_often_it_is_named(site, agent):
    agent.start()
    asked = site.ask(shell="echo ran >> ran")
    eventually(lambda: asked in site.accepted)
    syncs = site.count("sync")
    eventually(lambda: site.count("sync") > syncs + 3)
    agent.kill()
    agent.start()
    syncs = site.count("sync")
    eventually(lambda: site.count("sync") > syncs + 3)
    assert agent.lines("ran") == ["ran"]
    assert site.taken[asked] == 1


def test_what_a_person_stops_ends_with_all_that_it_started(site, agent):
    schedule = site.schedule(shell="sleep 100 & echo $! > child; wait")
    agent.start()
    [running] = eventually(lambda: list(site.running))
    [child] = eventually(lambda: agent.lines("child"))
    site.unschedule()
    site.stop.append(running)
    one = eventually(lambda: site.accepted.get(running))
    assert (one["schedule"], one["state"], one["exit_code"], one["reason"]) == (schedule["id"], "ran", None, "stopped")
    assert not is_there(int(child))


def test_only_programs_on_the_list_run(site, agent):
    allowed = site.once("echo", "yes")
    by_path = site.once(shutil.which("true"))
    other = site.once("ls")
    around = site.once("./echo")
    shell = site.once(shell="echo no")
    (agent.work / "echo").write_text("#!/bin/sh\n")
    (agent.work / "echo").chmod(0o755)
    agent.start("--allow", "echo", "--allow", shutil.which("true"))
    assert outcome(site, allowed)["stdout"] == "yes\n"
    assert outcome(site, by_path)["state"] == "ran"
    for schedule, word in ((other, "'ls' is not one of them"), (around, "'./echo' is not"), (shell, "no shell lines")):
        one = outcome(site, schedule)
        assert one["state"] == "skipped"
        assert word in one["reason"]
    assert site.last_sync()["allowed"] == ["echo", shutil.which("true")]


def test_the_shell_runs_where_it_is_on_the_list(site, agent):
    schedule = site.once(shell="echo yes")
    agent.start("--allow", "/bin/sh")
    assert outcome(site, schedule)["stdout"] == "yes\n"


def test_a_schedule_that_means_nothing_here_does_not_keep_others_from_running(site, agent):
    site.schedule("echo", every="0 3 * * *", zone="Mars/Olympus")
    schedule = site.once("echo")
    agent.start()
    outcome(site, schedule)
    assert "cannot be run here: 'Mars/Olympus' is no time zone" in agent.said


def test_the_agent_says_of_itself_what_the_site_shows(site, agent):
    agent.start()
    said = site.last_sync()
    assert said["folder"] == str(agent.work)
    assert (said["revision"], said["cores"], said["allowed"], said["listens"]) == (0, os.cpu_count(), None, "")
    assert said["host"] == os.uname().nodename
    assert abs(eventually(lambda: site.last_sync())["started"] - site.now()) < 10 * SECOND
