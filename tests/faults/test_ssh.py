"""The way to a pool by SSH fails in every way that it can: what is true stays known, and nothing is submitted twice."""

import os
import subprocess
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.models import CondorScheduler
from jobs.condor.reach import reach_of
from jobs.condor.submission.folders import folders_of
from jobs.engine import EngineUnavailable
from jobs.testing import fake_engine, settle
from jobs.workspaces import workspace_path
from tests.condor.pool import in_pool
from tests.condor.proxy import Proxy
from tests.condor.traced import MB, Traced
from tests.exampleapp.models import FakeJob
from tests.faults.sshd import Sshd
from tests.local.conftest import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300), pytest.mark.on_postgresql]


@pytest.fixture
def sshd(our_pool) -> Sshd:
    """An sshd that the test may kill."""
    sshd = Sshd(our_pool.folder)
    yield sshd
    sshd.kill()


@pytest.fixture
def proxy(our_pool) -> Proxy:
    """A proxy between the test and the pool's sshd."""
    with Proxy(our_pool.ssh_host, int(our_pool.ssh_port)) as proxy:
        yield proxy


@pytest.fixture
def by_ssh(our_pool, ann):
    """A function that gives the pool by SSH, by whatever port."""
    made = []

    def reach(port: int, **fields) -> Traced:
        made.append(Traced(our_pool, ann, schedd_name="", **our_pool.ssh | {"ssh_port": port} | fields))
        return made[-1]

    yield reach
    for live in made:
        CondorScheduler.objects.filter(pk=live.scheduler.pk).update(
            ssh_port=our_pool.ssh_port, ssh_host_key=our_pool.ssh["ssh_host_key"]
        )
        live.close()


def folder_of(pool, job) -> Path:
    """The job's folder on the schedd's machine, as this machine sees it."""
    return Path(pool.folder) / "home" / pool.account / ".jobdeck" / job.tag


def at_once(condition, then) -> threading.Thread:
    """A thread that does something as soon as a condition holds."""

    def watch() -> None:
        eventually(condition, within=60)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def failures(live) -> str:
    """What the scheduler says is wrong."""
    live.scheduler.refresh_from_db()
    return live.scheduler.last_error if live.scheduler.failures else ""


def test_sshd_killed_while_input_travels_makes_one_submission(our_pool, sshd, by_ssh, tmp_path):
    live = by_ssh(sshd.port)
    (tmp_path / "big").write_bytes(os.urandom(MB) * 200)
    job = live.traced(
        'test "$(wc -c < big)" = 209715200 && echo wind > out.txt', remote_input_files=[str(tmp_path / "big")]
    )
    folder = folder_of(our_pool, job)
    job.execute()
    killer = at_once(lambda: any(path.stat().st_size > 5 * MB for path in folder.rglob("big")), sshd.kill)
    settle()
    killer.join()
    job.read_row()
    assert job.cached_status == "Pending"
    sshd.start()
    live.check_ended_well(job)
    live.until(lambda: not folder.exists(), "its folder on the other side is gone", job)


def test_sshd_killed_while_outputs_travel_loses_none(our_pool, sshd, by_ssh):
    live = by_ssh(sshd.port)
    job = live.traced("head -c 209715200 /dev/zero > big; echo wind > out.txt")
    job.execute()
    killed = []

    def kill():
        killed.append(True)
        sshd.kill()

    here = folders_of(job, job.tag, []).attempt / "out" / "big"
    killer = at_once(lambda: here.exists() and here.stat().st_size > MB, kill)
    live.until(lambda: killed, "its outputs begin to travel", job)
    killer.join()
    assert job.cached_status != "Complete", "it is over when its outputs are here"
    sshd.start()
    live.check_ended_well(job)
    assert (workspace_path(job) / "big").stat().st_size == 209715200


def test_sshd_killed_while_it_answers_says_nothing_about_any_job(sshd, by_ssh):
    live = by_ssh(sshd.port)
    jobs = [live.submitted(live.traced()) for _ in range(2)]
    for job in jobs:
        live.until_status(job, "Running")
    for _ in range(3):
        killer = at_once(lambda: True, sshd.kill)
        settle()
        killer.join()
        for _ in range(3):
            settle()
        assert failures(live)
        for job in jobs:
            job.read_row()
            assert (job.cached_status, job.missed) == ("Running", 0)
        sshd.start()
        live.until(lambda: not failures(live), "it is in reach again")
    live.go()
    for job in jobs:
        live.check_ended_well(job)


def test_a_login_that_hangs_slows_no_other_engine(proxy, by_ssh, manager, ann, record_property):
    live = by_ssh(proxy.port)
    job = live.until_status(live.submitted(live.traced()), "Running")
    proxy.break_off()
    proxy.silent = True
    with fake_engine(FakeJob, "FAKE") as fake:
        other = manager.create_job("other", ann, "FAKE")
        other.execute()
        settle()
        asked = fake.polls
        thread = threading.Thread(target=settle_alone)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "the login is given up at its deadline"
        assert fake.polls > asked
    assert "127.0.0.1" in failures(live)
    job.read_row()
    assert (job.cached_status, job.missed) == ("Running", 0)
    proxy.silent = False
    proxy.break_off()
    live.go()
    live.check_ended_well(job)


def settle_alone() -> None:
    """Play worker and monitor in a thread of its own."""
    from django.db import connection

    try:
        settle()
    finally:
        connection.close()


def test_logins_that_fail_are_tried_less_and_less_often(proxy, by_ssh):
    row = by_ssh(proxy.port, ssh_username="nobody-of-this-name").scheduler
    for _ in range(20):
        with pytest.raises(EngineUnavailable, match="the login was not accepted: nobody-of-this-name@"):
            reach_of(row).query("true", ["JobStatus"])
    assert proxy.connections <= 2, "whoever tries too often is locked out"


def test_all_questions_of_a_process_go_over_one_login(proxy, by_ssh):
    live = by_ssh(proxy.port)
    jobs = [live.traced("echo wind > out.txt") for _ in range(5)]
    for job in jobs:
        job.execute()
    for job in jobs:
        live.check_ended_well(job)
    assert proxy.connections == 1


def test_a_host_with_another_key_gets_nothing_until_somebody_accepts_it(our_pool, by_ssh, proxy):
    another = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHMWy1v6ZcCBLW0XOFXCz8zRbWEnfNpsm7NBnvuWoOBW"
    live = by_ssh(proxy.port, ssh_host_key=another)
    job = live.traced("echo wind > out.txt")
    job.execute()
    for _ in range(3):
        settle()
    job.read_row()
    assert job.cached_status == "Pending"
    assert not folder_of(our_pool, job).exists()
    said = next(iter(job.intents.exclude(last_error="").values_list("last_error", flat=True)))
    assert "another key than the one that was accepted" in said
    assert "nothing was sent" in said
    CondorScheduler.objects.update(ssh_host_key=our_pool.ssh["ssh_host_key"])
    live.scheduler.refresh_from_db()
    live.check_ended_well(job)


@pytest.fixture
def small(our_pool):
    """A folder of two megabytes on the schedd's machine."""
    inside = f"/srv/small-{uuid4().hex}"
    folder = Path(our_pool.folder) / inside.lstrip("/")
    folder.mkdir(parents=True)
    in_pool("chmod", "755", inside)
    uid = in_pool("id", "-u", our_pool.account).strip()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=2m,uid={uid},mode=755", "small", folder], check=True)
    yield folder, inside
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def test_a_job_waits_while_the_other_sides_disk_is_full(our_pool, small, by_ssh, tmp_path):
    folder, inside = small
    live = by_ssh(int(our_pool.ssh_port), ssh_folder=inside)
    (tmp_path / "big").write_bytes(os.urandom(MB) * 4)
    job = live.traced("cp big copy; echo wind > out.txt", remote_input_files=[str(tmp_path / "big")])
    job.execute()
    for _ in range(3):
        settle()
    job.read_row()
    assert job.cached_status == "Pending"
    said = next(iter(job.intents.exclude(last_error="").values_list("last_error", flat=True)))
    assert f"there is no room in {inside}/" in said
    subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
    live.check_ended_well(job)
    assert (workspace_path(job) / "copy").read_bytes() == (tmp_path / "big").read_bytes()
    live.until(lambda: not list(folder.iterdir()), "nothing is left there", job)
