"""HTCondor's commands as text, and what is made of what they print."""

import shlex
import subprocess

import pytest

from jobs.condor.bindings.failures import Refused, Unavailable
from jobs.condor.ssh import commands

TAG = "jobdeck.0123456789abcdef0123456789abcdef.1"
NASTY = ["it's", 'a "b"', "$(touch x)", "`id`", "; rm -rf /", "new\nline", "-n", "", "é", "*", "\\"]


@pytest.mark.parametrize("word", NASTY)
def test_whatever_is_in_a_word_reaches_the_command_as_one_word(word, tmp_path):
    told = tmp_path / "told"
    script = commands.script(["printf", "%s|", word, "end"])
    ran = subprocess.run(["/bin/sh", "-c", commands.in_shell(script)], capture_output=True, text=True, cwd=tmp_path)
    assert commands.finished(ran.stdout) == (f"{word}|end|\n", 0)
    assert not told.exists()
    assert not list(tmp_path.iterdir())


def test_the_exit_code_is_the_commands_own():
    ran = subprocess.run(["/bin/sh", "-c", commands.script(["false"])], capture_output=True, text=True)
    assert commands.finished(ran.stdout) == ("\n", 1)


@pytest.mark.parametrize("out", ["", "[", "[]", "[]\njobdeck-end", "jobdeck-end x", "jobdeck-end 0 1"])
def test_an_answer_without_its_end_is_none(out):
    with pytest.raises(Unavailable, match="cut off"):
        commands.finished(out)


def test_all_is_asked_of_the_schedd_that_is_named():
    words = commands.query_words("true", ["JobStatus", "JobStatus"])
    assert shlex.split(commands.script(words, schedd="a@b").partition(";")[0])[:4] == [
        "LC_ALL=C",
        "condor_q",
        "-name",
        "a@b",
    ]
    assert words[-1] == "JobStatus,ClusterId,ProcId,ServerTime"


def test_history_is_asked_for_as_many_as_are_wanted():
    assert commands.history_words("true", [], -1, "")[-2:] == ["-attributes", "ClusterId,ProcId"]
    assert commands.history_words("true", [], 5, "x < 1")[-4:] == ["-match", "5", "-since", "x < 1"]


def test_a_reason_is_one_line_without_quotes():
    assert commands.action_words("hold", "true", 'no "space"\nleft\\')[-1] == "no 'space' left/"


@pytest.mark.parametrize("text", ["[", "{}", "[1]", "Error: x"])
def test_what_is_no_list_of_ads_is_no_answer(text):
    with pytest.raises(Unavailable):
        commands.read_ads(text)


def test_no_output_is_no_jobs_and_expressions_are_left_out():
    assert commands.read_ads("\n") == []
    assert commands.read_ads('[{"A": 1, "B": "\\\\/Expr(C + 1)\\\\/", "D": null, "E": "x"}]') == [{"A": 1, "E": "x"}]


@pytest.mark.parametrize(("text", "count"), [("12.0 - 12.0\n", 1), ("\n12.0 - 12.499\n", 500)])
def test_the_cluster_is_read_from_what_condor_submit_prints(text, count):
    assert commands.read_submitted(text) == {"cluster": 12, "procs": count}


@pytest.mark.parametrize("text", ["", "12.0 - 13.4", "Submitting job(s)"])
def test_without_a_cluster_nothing_is_known_of_a_submission(text):
    with pytest.raises(Unavailable):
        commands.read_submitted(text)


NOTHING = 'Couldn\'t find/hold all jobs matching constraint (JobdeckTag=="x")'


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        (f"\n{NOTHING}\n", True),
        (f"DCSchedd::actOnJobs:6001:Failed to connect to schedd\n{NOTHING}\n", False),
        ("", False),
        ("All jobs matching constraint (x) have been held", False),
    ],
)
def test_nothing_to_do_is_told_from_nobody_reached(text, is_so):
    assert commands.is_nothing_to_do(text) == is_so


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (127, "sh: 1: condor_q: not found", Unavailable),
        (1, "-- Failed to fetch ads from: <127.0.0.1:1> : Unknown", Unavailable),
        (1, "ERROR: Failed to connect to local queue manager", Unavailable),
        (1, 'ERROR: Can\'t open "/x" with flags 00 (No space left on device)', Unavailable),
        (1, "ERROR: Executable file /bin/nothing does not exist", Refused),
        (1, "ERROR: on Line 3 of submit file: \nERROR: Failed to parse command file", Refused),
        (1, "what nobody has seen before", Unavailable),
        (2, "", Unavailable),
    ],
)
def test_what_may_be_better_the_next_time_is_no_refusal(code, text, kind):
    assert type(commands.why_not("condor_submit", code, text)) is kind


# --- folders


@pytest.mark.parametrize(
    "tag", ["", "..", "a/b.0123456789abcdef0123456789abcdef.1", f"{TAG}/..", f"-{TAG}", f"{TAG}\n"]
)
def test_only_an_attempts_tag_names_a_folder(tag):
    with pytest.raises(ValueError, match="no tag"):
        commands.folder_of("/home/x/.jobdeck", tag)


def run(script: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run(["/bin/sh", "-c", commands.in_shell(script)], capture_output=True, text=True, **kwargs)


def test_a_folder_is_removed_with_what_jobs_made_read_only_and_no_link_is_followed(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "it's one"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").touch()
    (folder / "link").symlink_to(kept)
    (folder / "sub").chmod(0o500)
    ran = run(commands.forgetting([str(folder), str(tmp_path / "never was")]))
    named, code = commands.finished(ran.stdout)
    assert (named.split("\n")[0], code) == (str(folder), 0)
    assert "never was" not in named
    assert not folder.exists()
    assert (kept / "file").exists()
    assert kept.stat().st_mode & 0o777 == 0o755 or kept.stat().st_mode & 0o700 == 0o700


def test_a_folder_begins_empty(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "old").touch()
    empty_tar = b"\0" * 10240
    ran = subprocess.run(["/bin/sh", "-c", commands.begin_folder(str(folder))], input=empty_tar, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
