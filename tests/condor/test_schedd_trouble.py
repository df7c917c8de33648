"""A real schedd that is killed, a network that fails, a token that runs out: everything true in the end, nothing twice."""

import fcntl
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest
from django.db import connection as database

from jobs.condor.bindings.failures import Token
from jobs.models import Scheduler
from jobs.monitor.process import Monitor
from jobs.scheduler_test import want_test
from jobs.testing import fake_engine, settle
from tests.condor.pool import in_pool
from tests.condor.traced import MB, Traced
from tests.exampleapp.models import FakeJob
from tests.local.conftest import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def kill_schedd() -> None:
    """Kill the schedd that tests may kill; its master starts it again."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"condor_schedd") and b"breakable" in words:
            os.kill(int(process.name), signal.SIGKILL)


@pytest.fixture
def breakable(our_pool, ann):
    """The pool's schedd that tests may kill, for this test alone."""
    with (Path(our_pool.shared_folder or tempfile.gettempdir()) / ".breakable").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        live = Traced(our_pool, ann, schedd_name=our_pool.breakable_schedd)
        yield live
        live.close()


@pytest.fixture
def live(our_pool, ann):
    """The pool's other schedd."""
    live = Traced(our_pool, ann)
    yield live
    live.close()


@pytest.fixture
def proxied(our_pool, ann, through_proxy):
    """The same through a proxy."""
    live = Traced(our_pool, ann, address=through_proxy.address, schedd_name="")
    yield live
    type(live.scheduler).objects.filter(pk=live.scheduler.pk).update(schedd_name=our_pool.schedd)
    live.close()


# --- the schedd dies


def test_jobs_that_run_while_their_schedd_is_killed_end_as_if_nothing_had_been(breakable):
    jobs = [breakable.submitted(breakable.traced()) for _ in range(3)]
    for job in jobs:
        breakable.until_status(job, "Running")
    kill_schedd()
    waits = breakable.traced()
    waits.execute()
    settle()
    breakable.go()
    for job in (*jobs, waits):
        breakable.check_ended_well(job)


@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.8])
def test_a_submission_during_which_the_schedd_is_killed_is_made_once(breakable, tmp_path, seconds):
    (tmp_path / "big").write_bytes(os.urandom(MB) * 100)
    job = breakable.traced(remote_input_files=[str(tmp_path / "big")])
    breakable.go()
    killer = threading.Timer(seconds, kill_schedd)
    job.execute()
    killer.start()
    settle()
    killer.join()
    breakable.check_ended_well(job)


# --- the network fails


def test_a_submission_whose_connection_breaks_while_files_travel_is_made_once(proxied, proxy, transport, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(MB) * 200)
    job = proxied.traced(remote_input_files=[str(tmp_path / "big")])
    proxied.go()
    broken = []
    proxy.hold_after = 100 * MB

    def break_off():
        constraint = f'JobdeckTag == "{job.tag}" && HoldReasonCode =?= 16'
        ads = eventually(lambda: transport.query(constraint, ["ClusterId"]), within=120)
        broken.extend(ad["ClusterId"] for ad in ads)
        proxy.refuse()
        proxy.hold_after = None

    breaker = threading.Thread(target=break_off)
    breaker.start()
    job.execute()
    settle()
    breaker.join()
    job.read_row()
    assert job.cached_status == "Pending"
    left = transport.query(f'JobdeckTag == "{job.tag}"', ["ClusterId"])
    assert [ad["ClusterId"] for ad in left] == broken, "it was left behind half-way"
    proxy.listen()
    proxied.check_ended_well(job)
    assert job.cluster_id > broken[0]


@pytest.fixture
def monitor():
    """A monitor in a thread of this process; it ends with the test."""
    monitor = Monitor()

    def run():
        try:
            monitor.run()
        finally:
            database.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield monitor
    monitor.stop()
    thread.join(40)
    assert not thread.is_alive()


def longest_gap(engine, seconds: float) -> float:
    """The longest time between two looks at the engine."""
    until, last, longest, seen = time.monotonic() + seconds, time.monotonic(), 0.0, engine.polls
    while time.monotonic() < until:
        if engine.polls != seen:
            seen, last = engine.polls, time.monotonic()
        longest = max(longest, time.monotonic() - last)
        time.sleep(0.005)
    return longest


def test_a_pool_that_does_not_answer_slows_no_other_engine(proxied, proxy, ann, manager, request, record_property):
    # Not before the job runs: until then this process plays the monitor.
    job = proxied.until_status(proxied.submitted(proxied.traced()), "Running")
    with fake_engine(FakeJob, "FAKE") as fake:
        other = manager.create_job("other", ann, "FAKE")
        other.execute()
        settle()
        monitor = request.getfixturevalue("monitor")
        rows = Scheduler.objects.filter(pk=proxied.scheduler.pk)
        eventually(lambda: fake.polls > 3)
        gaps = {"with the pool well": longest_gap(fake, 5)}
        proxy.silent = True
        gaps["while it does not answer"] = longest_gap(fake, 10)
        assert not rows.get().failures, "the question is still open: else this test shows nothing"
        fake.finish(other)
        began = time.monotonic()
        eventually(lambda: other.read_row() or other.is_over)
        late = time.monotonic() - began
        proxy.silent = False
        proxy.cut_after = 300
        proxy.break_off()
        eventually(lambda: rows.get().failures)
        monitor.stop()
        gaps_text = ", ".join(f"{gap:.2f} s {when}" for when, gap in gaps.items())
        record_property("figures", f"longest time between two looks at another engine: {gaps_text}")
        assert late < 2
        assert gaps["while it does not answer"] < max(1.0, 2 * gaps["with the pool well"])
    job.read_row()
    assert (job.cached_status, job.missed) == ("Running", 0), "what stood there stands"
    proxy.cut_after = None
    proxied.go()
    proxied.check_ended_well(job)


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_an_answer_that_is_cut_off_says_nothing_about_any_job(proxied, proxy, size):
    jobs = [proxied.submitted(proxied.traced()) for _ in range(2)]
    for job in jobs:
        proxied.until_status(job, "Running")
    proxy.cut_after = size
    proxy.break_off()
    for _ in range(6):
        settle()
    for job in jobs:
        job.read_row()
        assert (job.cached_status, job.missed) == ("Running", 0)
    proxied.scheduler.refresh_from_db()
    assert proxied.scheduler.failures
    proxy.cut_after = None
    proxied.go()
    for job in jobs:
        proxied.check_ended_well(job)


# --- the login runs out


def test_with_an_expired_token_jobs_stand_the_scheduler_says_why_and_a_new_token_heals_it(our_pool, live):
    job = live.until_status(live.submitted(live.traced()), "Running")
    identity = Token(our_pool.token).claims["sub"]
    expired = in_pool("condor_token_create", "-identity", identity, "-lifetime", "1").strip()
    time.sleep(2.5)
    row = live.scheduler
    row.token = expired
    row.save()
    waits = live.traced()
    waits.execute()
    for _ in range(4):
        settle()
    row.refresh_from_db()
    assert row.failures
    assert "login" in row.last_error
    assert "expired" in row.last_error
    assert expired not in row.last_error
    job.read_row()
    waits.read_row()
    assert (job.cached_status, waits.cached_status) == ("Running", "Pending")
    want_test(row)
    settle()
    row.refresh_from_db()
    checks = {check["name"]: check for check in row.last_test["checks"]}
    assert checks["Login"]["ok"] is False
    assert "expired" in checks["Login"]["detail"]
    row.token = our_pool.token
    row.save()
    live.go()
    live.check_ended_well(job)
    live.check_ended_well(waits)
