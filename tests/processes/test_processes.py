"""A process is named by host, boot, pid and start: nothing else is mistaken for it."""

import os
import platform
import signal
import subprocess
import time
import uuid

import pytest

from jobs.processes import table as process_table
from jobs.processes.identity import (
    ForeignProcessError,
    ProcessId,
    boot_id,
    descendants,
    end_tagged,
    start_ticks,
    tagged_processes,
    this_host,
)
from jobs.processes.tree import Tree
from tests.local.conftest import PYTHON, eventually


@pytest.fixture
def started():
    """A function that starts a process, which is ended with the test."""
    processes = []

    def start(*argv, **options) -> subprocess.Popen:
        processes.append(subprocess.Popen(argv, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_process_is_alive_until_it_ends_even_before_it_is_reaped(started):
    process = started("sleep", "60")
    name = ProcessId.of(process.pid)
    assert name == ProcessId(this_host(), boot_id(), process.pid, start_ticks(process.pid))
    assert name.is_alive()
    assert name.signal(signal.SIGKILL)
    eventually(lambda: not name.is_alive())
    assert start_ticks(process.pid) == name.start_ticks  # a zombie
    assert not name.signal(signal.SIGTERM)
    process.wait()
    assert start_ticks(process.pid) is None
    assert not name.is_alive()
    with pytest.raises(ProcessLookupError):
        ProcessId.of(process.pid)


@pytest.mark.parametrize("other", [{"start_ticks": 1}, {"boot_id": "of an earlier boot"}])
def test_a_recycled_pid_and_a_pid_of_an_earlier_boot_are_not_mistaken(started, other):
    process = started("sleep", "60")
    name = ProcessId.of(process.pid)._replace(**other)
    assert not name.is_alive()
    assert not name.signal(signal.SIGKILL)
    assert process.poll() is None


def test_a_pid_of_another_host_is_refused(started):
    process = started("sleep", "60")
    name = ProcessId.of(process.pid)._replace(host="elsewhere")
    with pytest.raises(ForeignProcessError, match="host elsewhere"):
        name.is_alive()
    with pytest.raises(ForeignProcessError):
        name.signal(signal.SIGKILL)
    assert process.poll() is None


def test_without_process_handles_signals_still_reach_the_right_process(started, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    process = started("sleep", "60")
    name = ProcessId.of(process.pid)
    assert not name._replace(start_ticks=1).signal(signal.SIGTERM)
    assert name.signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    assert not name.signal(signal.SIGTERM)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the number of exit(2) is not known here")
def test_a_process_whose_first_thread_has_ended_is_alive(started):
    number = {"x86_64": 60, "aarch64": 93}[platform.machine()]
    program = (
        "import _thread, ctypes, time\n_thread.start_new_thread(time.sleep, (60,))\n"
        f"time.sleep(0.05)\nctypes.CDLL(None).syscall({number}, 0)"
    )
    process = started(*PYTHON, program)
    eventually(lambda: process_table.read_row(process.pid).state == "Z")
    assert ProcessId.of(process.pid).is_alive()


def test_a_programs_name_cannot_confuse_the_reading():
    row = process_table.parse_stat(b"42 (a) R 1 (b) S 7 8 9 0 -1 4 1 2 3 4 5 6 7 8 20 0 3 0 9999 1 1")
    assert (row.pid, row.state, row.parent, row.group, row.threads, row.start_ticks) == (42, "S", 7, 8, 3, 9999)


def test_descendants_are_found_parents_first(started):
    process = started("sh", "-c", "sh -c 'sleep 60; true' & wait")
    found = eventually(lambda: below if len(below := descendants(process.pid)) == 2 else None)
    parents = [process_table.read_row(child.pid).parent for child in found]
    assert parents == [process.pid, found[0].pid]
    for child in found:
        child.signal(signal.SIGKILL)


def test_tagged_processes_are_those_started_with_exactly_this_tag(started):
    tag = str(uuid.uuid4())
    mine = started("sleep", "60", env={"PATH": os.environ["PATH"], "JOBDECK_TAG": tag})
    started("sleep", "60", env={"PATH": os.environ["PATH"], "JOBDECK_TAG": f"{tag}0"})
    started("sleep", "60", env={"PATH": os.environ["PATH"], "NOTE": f"JOBDECK_TAG={tag}"})
    eventually(lambda: [process.pid for process in tagged_processes(tag)] == [mine.pid])


def test_end_tagged_also_ends_children_that_wiped_their_environment(started):
    tag = str(uuid.uuid4())
    process = started("sh", "-c", "env -i sleep 60; true", env={"PATH": os.environ["PATH"], "JOBDECK_TAG": tag})
    child = eventually(lambda: descendants(process.pid))[0]
    eventually(lambda: len(tagged_processes(tag)) == 1)
    assert end_tagged(tag) == 2
    assert not child.is_alive()


def test_end_tagged_leaves_time_to_end_and_then_kills(started):
    tag = str(uuid.uuid4())
    environment = {"PATH": os.environ["PATH"], "JOBDECK_TAG": tag}
    gentle = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    processes = [started("sh", "-c", line, env=environment, stdout=subprocess.PIPE) for line in (gentle, stubborn)]
    assert [process.stdout.readline() for process in processes] == [b"ready\n", b"ready\n"]
    begun = time.monotonic()
    assert end_tagged(tag, grace=0.3) >= 2
    assert 0.3 <= time.monotonic() - begun < 3
    assert [process.wait() for process in processes] == [7, -signal.SIGKILL]


def test_where_nobody_adopts_orphans_the_process_group_is_searched(started):
    process = started("sh", "-c", "(sleep 60 &) ; exit 0", start_new_session=True)
    process.wait()
    tree = Tree(runner=os.getpid(), group=process.pid, adopts=False)
    orphans = eventually(lambda: [row for row in tree.rows() if row.group == process.pid])
    assert len(orphans) == 1
    tree_of_orphan = Tree(runner=orphans[0].pid, group=process.pid, adopts=False)
    assert tree_of_orphan.freeze() is False
    eventually(tree_of_orphan.freeze)
    eventually(tree_of_orphan.thaw)
    assert tree_of_orphan.ask_to_end()
    eventually(lambda: not tree_of_orphan.rows())


def test_ps_tells_the_same_as_proc_where_there_is_no_proc(started):
    process = started("sleep", "60", start_new_session=True)
    row = next(row for row in process_table.rows_from_ps() if row.pid == process.pid)
    assert (row.parent, row.group, row.is_over, row.is_stopped) == (os.getpid(), process.pid, False, False)
    assert abs(row.start_ticks - time.time()) < 60
