"""A command under its runner: how it is started, and what is told about its end."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.local.attempts import start_runner
from jobs.local.outcomes import describe
from tests.local.conftest import PYTHON, eventually

ROOT = Path(__file__).resolve().parents[2]


def test_the_exit_code_and_the_times_are_reported(ran):
    outcome = ran(argv=["sh", "-c", "exit 3"]).outcome()
    assert (outcome["reason"], outcome["exit_code"], outcome["signal"]) == ("exited", 3, None)
    started, finished = (datetime.fromisoformat(outcome[key]) for key in ("started", "finished"))
    assert started <= finished <= datetime.now(UTC)
    assert "exit code 3" in outcome["message"]


def test_death_by_a_signal_is_reported_with_its_name(ran):
    outcome = ran(argv=["sh", "-c", "kill -SEGV $$"]).outcome()
    assert (outcome["reason"], outcome["exit_code"], outcome["signal"]) == ("exited", None, signal.SIGSEGV)
    assert "SIGSEGV" in outcome["message"]


def test_stdout_and_stderr_are_apart_appended_to_and_private(new_attempt):
    attempt = new_attempt(shell="echo out; echo err >&2")
    (attempt.folder / "stdout").write_text("before\n")
    attempt.start()
    attempt.result()
    assert attempt.text("stdout") == "before\nout\n"
    assert attempt.text("stderr") == "err\n"
    assert stat.S_IMODE((attempt.folder / "stderr").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(attempt.path).stat().st_mode) == 0o700


def test_one_file_takes_both_streams_in_order(new_attempt):
    attempt = new_attempt(shell="echo 1; echo 2 >&2; echo 3")
    attempt.described(shell="echo 1; echo 2 >&2; echo 3", stderr=str(attempt.folder / "stdout"))
    attempt.start()
    attempt.result()
    assert attempt.text("stdout") == "1\n2\n3\n"


def test_output_is_never_written_through_a_link(new_attempt):
    attempt = new_attempt(argv=["echo", "mine"])
    (attempt.folder / "stdout").symlink_to(attempt.folder / "elsewhere")
    attempt.start()
    assert attempt.result()["reason"] == "could not start"
    assert not (attempt.folder / "elsewhere").exists()


def test_the_command_gets_the_given_environment_its_tag_and_nothing_else(ran):
    attempt = ran(argv=["/usr/bin/env"], environment={"PATH": "/usr/bin:/bin", "GREETING": "grüß dich\n="})
    expected = f"PATH=/usr/bin:/bin\nGREETING=grüß dich\n=\nJOBDECK_TAG={attempt.tag}\n"
    assert attempt.text("stdout") == expected


def test_the_command_starts_in_its_folder_with_nothing_to_read(ran):
    attempt = ran(shell="pwd; cat; echo end")
    assert attempt.text("stdout") == f"{attempt.folder}\nend\n"


def test_the_command_inherits_no_open_file_and_no_ignored_or_blocked_signal(ran):
    attempt = ran(shell="ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status")
    words = attempt.text("stdout").split()
    # 3 is the folder that ls itself reads.
    assert words[:4] == ["0", "1", "2", "3"]
    assert [words[4], words[6]] == ["SigBlk:", "SigIgn:"]
    # 32 and 33 are glibc's own (signal(7)): a shell that starts the tests may have left them ignored, and no program can
    # change that.
    own = 1 << 31 | 1 << 32
    assert [int(words[5], 16) & ~own, int(words[7], 16) & ~own] == [0, 0]


def test_the_command_leads_a_session_of_its_own(ran):
    attempt = ran(argv=[*PYTHON, "import os; print(os.getpid() == os.getsid(0) == os.getpgrp())"])
    assert attempt.text("stdout") == "True\n"


def test_no_shell_touches_the_words_of_an_argv(ran):
    words = ["a b", "$HOME", "'", '"', "; exit 9", "line\nline", "*", "", "`id`", "ü"]
    attempt = ran(argv=["printf", "%s|", *words])
    assert attempt.text("stdout") == "|".join(words) + "|"


def test_a_shell_reads_the_line_only_when_asked(ran):
    assert ran(shell="GREETING=hello; echo $GREETING | tr a-z A-Z").text("stdout") == "HELLO\n"


def test_cpu_time_and_memory_of_the_whole_tree_are_counted(ran):
    burn = "import time\nblock = b'x' * 50_000_000\nwhile time.process_time() < 0.3: pass"
    outcome = ran(argv=["sh", "-c", 'setsid --fork --wait "$@"; true', "sh", *PYTHON, burn]).outcome()
    assert 0.3 <= outcome["cpu_seconds"] < 1.0
    assert 50_000_000 <= outcome["max_rss_bytes"] < 100_000_000


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (
            lambda folder: {"argv": ["no-such-program"]},
            "'no-such-program' was not found in the folders of the job's PATH",
        ),
        (lambda folder: {"argv": ["./no-such-program"]}, "'./no-such-program' was not found. Check its path"),
        (lambda folder: {"argv": [script(folder, "echo", mode=0o600)]}, "chmod +x"),
        (lambda folder: {"argv": [script(folder, "echo")]}, "#!/bin/sh"),
        (lambda folder: {"argv": [script(folder, "#!/no/such/interpreter")]}, "interpreter that its first line names"),
        (lambda folder: {"argv": ["true"], "cwd": f"{folder}/gone"}, "/gone', in which the command should start"),
        (lambda folder: {"argv": ["true"], "stdout": f"{folder}/gone/out"}, "/gone/out' for the command's output"),
        (lambda folder: {"argv": ["true", "\0"]}, "null byte"),
        (lambda folder: {"argv": ["true", "x" * 3_000_000]}, "more arguments and environment"),
        (lambda folder: {"argv": []}, "'argv' must be a list of texts"),
        (lambda folder: {"argv": ["true"], "shell": "true"}, "either 'argv' or 'shell'"),
        (lambda folder: {"argv": ["true"], "environment": None}, "'environment'"),
        (lambda folder: {"argv": ["true"], "timeout": "soon"}, "'timeout'"),
    ],
)
def test_what_cannot_be_started_says_why_and_what_to_do(new_attempt, make, fix):
    attempt = new_attempt(argv=["true"])
    attempt.described(**make(attempt.folder))
    attempt.start()
    outcome = attempt.result()
    assert (outcome["reason"], outcome["exit_code"], outcome["started"]) == ("could not start", None, None)
    assert fix in outcome["message"]


def script(folder: Path, text: str, mode: int = 0o700) -> str:
    path = folder / "script"
    path.write_text(text + "\n")
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("content", ["", '{"argv": ["tru', "[]", None])
def test_a_damaged_or_missing_spec_is_an_outcome(new_attempt, content):
    attempt = new_attempt(argv=["true"])
    spec = Path(attempt.file("spec.json"))
    spec.unlink() if content is None else spec.write_text(content)
    attempt.start()
    outcome = attempt.result()
    assert outcome["reason"] == "could not start"
    assert "spec.json" in outcome["message"]


def test_an_outcome_that_cannot_be_written_is_written_as_soon_as_it_can(new_attempt):
    attempt = new_attempt(argv=["sh", "-c", "exit 3"])
    obstacle = Path(attempt.file("outcome.json"))
    obstacle.mkdir()
    attempt.start()
    eventually(lambda: "the outcome could not be written" in attempt.text("attempt/runner.log"))
    obstacle.rmdir()
    assert attempt.result()["exit_code"] == 3
    assert [path.name for path in Path(attempt.path).iterdir() if path.name.startswith(".")] == []


def test_an_outcome_names_the_processes_that_could_not_be_ended():
    message = describe("stopped", None, None, ended=2, left=[7, 8])
    assert message.startswith("It was stopped on request.")
    assert "pids [7, 8]" in message


def test_two_runners_started_at_once_run_the_command_once(new_attempt):
    for _ in range(20):
        attempt = new_attempt(shell="echo ran >> runs")
        runners = [attempt.start(), attempt.start()]
        assert attempt.result()["exit_code"] == 0
        assert [runner.returncode for runner in runners] == [0, 0]
        assert attempt.text("runs") == "ran\n"
        assert attempt.owner().pid in [runner.pid for runner in runners]


def test_a_cancelled_attempt_never_starts(new_attempt):
    attempt = new_attempt(shell="echo ran >> runs")
    assert attempt.cancel()
    assert attempt.cancel()
    assert attempt.start().wait(10) == 0
    assert (attempt.cancelled, attempt.owner(), attempt.outcome()) == (True, None, None)
    assert attempt.text("runs") == ""


def test_an_attempt_is_either_cancelled_or_run(new_attempt):
    for pause in (0, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04):
        attempt = new_attempt(shell="echo ran >> runs")
        runner = attempt.start()
        time.sleep(pause)
        cancelled = attempt.cancel()
        assert runner.wait(10) == 0
        assert attempt.text("runs") == ("" if cancelled else "ran\n")
        assert (attempt.outcome() is None) == cancelled


def test_the_runner_outlives_the_process_that_started_it(new_attempt):
    attempt = new_attempt(shell="until [ -e go ]; do sleep 0.02; done; echo done")
    program = (
        "import sys, time; from jobs.local.attempts import start_runner; start_runner(sys.argv[1]); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program, attempt.path], cwd=ROOT, start_new_session=True)
    eventually(lambda: (attempt.state() or {}).get("started"))
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    (attempt.folder / "go").touch()
    assert eventually(attempt.outcome)["exit_code"] == 0
    assert attempt.text("stdout") == "done\n"


def test_the_doorbell_rings_at_every_change(new_attempt):
    with (
        tempfile.TemporaryDirectory(prefix="bell") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell,
    ):
        bell.bind(f"{folder}/bell")
        bell.settimeout(10)
        attempt = new_attempt(argv=["sleep", "60"], doorbell=f"{folder}/bell")
        attempt.start()
        assert bell.recv(4096) == os.fsencode(attempt.path)
        assert attempt.state()["started"]
        attempt.want("pause")
        bell.recv(4096)
        assert attempt.state()["paused"]
        attempt.want("run")
        bell.recv(4096)
        assert not attempt.state()["paused"]
        attempt.want("stop")
        bell.recv(4096)
        assert attempt.outcome()["reason"] == "stopped"


def test_a_doorbell_that_nobody_listens_to_does_no_harm(ran):
    assert ran(argv=["true"], doorbell="/no/such/bell").outcome()["exit_code"] == 0
    assert ran(argv=["true"], doorbell="x" * 300).outcome()["exit_code"] == 0


def test_the_state_names_the_commands_process(new_attempt):
    attempt = new_attempt(shell="echo $$; exec sleep 60")
    attempt.start()
    pid = int(eventually(lambda: attempt.text("stdout")))
    state = eventually(lambda: attempt.state() if (attempt.state() or {}).get("started") else None)
    assert [(process.pid, process.start_ticks) for process in attempt.living()] == [(pid, state["command_start_ticks"])]
    assert state["command_pid"] == pid
    assert attempt.owner().is_alive()


def test_a_runner_for_no_folder_fails_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        start_runner(tmp_path / "gone")


def test_the_runner_loads_nothing_that_is_slow_to_load():
    program = f"import sys; sys.path.append({str(ROOT)!r}); import jobs.local.runner; print(*sys.modules)"
    answer = subprocess.run([*PYTHON, program], capture_output=True, text=True, check=True)
    slow = {"django", "subprocess", "dataclasses", "typing", "inspect", "socket", "datetime", "logging", "threading"}
    assert slow.isdisjoint(answer.stdout.split())
