"""The children of the transport on the real pool: how many there are, what ends them, and that nobody waits for them."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest

from jobs.condor.bindings import child_process
from jobs.condor.bindings.transport import CHILDREN, transport_for
from jobs.engine import EngineUnavailable
from jobs.processes.table import all_rows, rows_below
from tests.local.conftest import eventually


def running_below(process: int) -> list[int]:
    """The pids of what a process has started and what still runs."""
    return [row.pid for row in rows_below({process}, all_rows())]


@pytest.fixture
def children():
    """A function that gives the pids of what the test has started in its own process and what still runs."""
    earlier = set(running_below(os.getpid()))
    return lambda: [pid for pid in running_below(os.getpid()) if pid not in earlier]


def test_other_threads_go_on_while_the_pool_does_not_answer(connected, proxy, through_proxy, children):
    transport = connected(through_proxy)
    proxy.silent = True
    ticks = []
    is_over = threading.Event()

    def tick():
        while not is_over.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.01)

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.monotonic()
    with pytest.raises(EngineUnavailable, match=r"did not answer within 1\.5 s"):
        transport.query("true", ["ClusterId"], deadline=1.5)
    took = time.monotonic() - started
    is_over.set()
    ticker.join()
    assert 1.4 < took < 3
    assert len(ticks) > 30
    assert max(after - before for before, after in pairwise(ticks)) < 1
    eventually(lambda: children() == [])
    proxy.silent = False
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []


def test_calls_at_once_have_a_child_each_up_to_a_number(connected, proxy, through_proxy, children):
    transport = connected(through_proxy)
    proxy.silent = True
    with ThreadPoolExecutor(CHILDREN + 1) as threads:
        calls = [threads.submit(transport.query, "ClusterId == 0", ["ClusterId"]) for _ in range(CHILDREN + 1)]
        eventually(lambda: proxy.connections == CHILDREN)
        assert len(children()) == CHILDREN
        with pytest.raises(EngineUnavailable, match=f"{CHILDREN} other calls"):
            transport.query("true", ["ClusterId"], deadline=0.3)
        proxy.silent = False
        assert [call.result(20) for call in calls] == [[]] * (CHILDREN + 1)
    assert len(children()) == CHILDREN


def test_a_child_that_was_killed_is_replaced(transport, children):
    transport.query("ClusterId == 0", ["ClusterId"])
    killed = children()
    os.kill(killed[0], signal.SIGKILL)
    eventually(lambda: children() == [])
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []
    assert len(children()) == 1
    assert children() != killed


def test_a_child_killed_at_work_makes_the_call_fail_and_not_the_next(connected, proxy, through_proxy, children):
    transport = connected(through_proxy)
    proxy.silent = True
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(transport.query, "true", ["ClusterId"])
        eventually(lambda: proxy.connections)
        os.kill(children()[0], signal.SIGKILL)
        with pytest.raises(EngineUnavailable, match="signal 9"):
            call.result(10)
    proxy.silent = False
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []


def test_a_child_works_on_when_the_thread_that_needed_it_is_gone(transport, children):
    thread = threading.Thread(target=transport.query, args=("ClusterId == 0", ["ClusterId"]))
    thread.start()
    thread.join()
    before = children()
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []
    assert children() == before


def test_a_child_without_work_ends(transport, monkeypatch, children):
    monkeypatch.setattr(child_process, "IDLE", 0.3)
    transport.query("ClusterId == 0", ["ClusterId"])
    eventually(lambda: children() == [], within=3)
    assert transport.query("ClusterId == 0", ["ClusterId"]) == []


def test_a_child_at_work_that_nobody_ends_does_so_itself(connected, proxy, through_proxy, monkeypatch, children):
    monkeypatch.setattr(child_process, "GRACE", 0.5)
    transport = connected(through_proxy)
    transport.query("ClusterId == 0", ["ClusterId"])
    proxy.silent = True
    left = []
    with monkeypatch.context() as patch:
        patch.setattr(child_process.ChildProcess, "end", lambda child: left.append(child))
        with pytest.raises(EngineUnavailable, match="did not answer"):
            transport.query("true", ["ClusterId"], deadline=0.5)
    assert children() == [left[0].pid]
    eventually(lambda: children() == [], within=3)
    left[0].end()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child at work ends at its deadline")
def test_no_child_outlives_a_process_that_was_killed(through_proxy, proxy, tmp_path):
    program = f"""
import threading
from pathlib import Path
from jobs.condor.bindings.transport import Connection, Transport
transport = Transport(Connection({through_proxy.address!r}, token={through_proxy.token!r}), Path({str(tmp_path)!r}))
for _ in range(2):
    threading.Thread(target=transport.query, args=("true", ["ClusterId"])).start()
"""
    proxy.silent = True
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        eventually(lambda: proxy.connections == 2)
        at_work = set(running_below(process.pid))
    finally:
        process.kill()
        process.wait()
    assert len(at_work) == 2
    eventually(lambda: not {row.pid for row in all_rows() if not row.is_over} & at_work, within=3)


def test_a_changed_connection_gets_a_new_transport_and_the_old_one_ends(connection, tmp_path, children):
    old = transport_for("a test", connection, tmp_path)
    assert transport_for("a test", connection, tmp_path) is old
    old.query("ClusterId == 0", ["ClusterId"])
    new = transport_for("a test", replace(connection, trust_domain=""), tmp_path)
    try:
        assert new is not old
        eventually(lambda: children() == [])
        with pytest.raises(EngineUnavailable, match="changed"):
            old.query("ClusterId == 0", ["ClusterId"])
        assert new.query("ClusterId == 0", ["ClusterId"]) == []
    finally:
        new.close()


def test_the_child_knows_no_django_and_its_parent_no_bindings(transport):
    transport.query("ClusterId == 0", ["ClusterId"])
    assert "htcondor2" not in sys.modules
    program = "import sys, jobs.condor.bindings.child; print({'django', 'htcondor2'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "{'htcondor2'}\n"
