"""How a site begins and ends: everything with it, nothing left, and jobs that go on."""

import os
import signal

import pytest

from tests.project.site import until

pytestmark = pytest.mark.timeout(180)

LONG_JOB = """
import sys
from django.contrib.auth.models import User
from jobs.manager import JobManager
from jobs.models import job_rows
job = JobManager("jobs").create_job("long", User.objects.get(username="demo"), "COMMAND", command=[
    sys.executable, "-c", "import pathlib, time; time.sleep(6); pathlib.Path('done').write_text('yes')"])
job.execute()
import time
end = time.monotonic() + 30
while job_rows().get(pk=job.pk).status_code != "RUN" and time.monotonic() < end:
    time.sleep(0.05)
print(job_rows().get(pk=job.pk).status_code)
"""
STATUS = "from jobs.models import job_rows; print(job_rows().get(name='long').status_code)"
COUNTS = """
from django.contrib.auth.models import User
from jobs.models import job_rows
print(User.objects.count(), job_rows().count())
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_everything_that_it_started(site, signum):
    site.start("--without-examples")
    assert site.signal(signum) == 0
    assert site.said("running commands go on")
    assert site.processes() == set()


def test_killing_it_leaves_nothing_behind_and_its_folder_free(site):
    site.start("--without-examples")
    assert site.signal(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not site.processes(), 15)
    assert site.start().signal(signal.SIGTERM) == 0


def test_killing_it_leaves_nothing_behind_even_if_its_guard_was_killed_before(site):
    site.start("--without-examples")
    (guard,) = site.processes("guard.py")
    os.kill(guard, signal.SIGKILL)
    until(lambda: site.processes("guard.py") - {guard})
    site.signal(signal.SIGKILL)
    until(lambda: not site.processes(), 15)


def test_a_start_while_the_processes_of_a_killed_one_still_end_asks_to_wait(site):
    site.start("--without-examples")
    (worker,) = site.own_worker
    os.kill(worker, signal.SIGSTOP)  # it will not end by TERM, only by the guard's KILL
    site.signal(signal.SIGKILL)
    second = site.manage("run")
    assert second.returncode == 1
    assert "just being ended" in second.stderr
    until(lambda: not site.processes(), 20)


def test_a_running_job_outlives_the_site_and_is_found_again(site):
    site.start("--without-examples")
    assert site.python(LONG_JOB) == "RUN"
    assert site.signal(signal.SIGTERM) == 0
    assert site.python(STATUS) == "RUN"
    site.start()
    until(lambda: site.python(STATUS) == "COM", 30)


def test_only_the_first_start_makes_the_account_and_the_examples(site):
    site.start()
    assert site.said("log in as 'demo' with the password 'demo'")
    first = site.python(COUNTS)
    assert first == "1 5"
    site.signal(signal.SIGTERM)
    site.start()
    assert not site.said("log in as")
    assert site.python(COUNTS) == first


def test_a_start_whose_database_cannot_be_used_says_why_and_starts_nothing(site):
    done = site.manage("run", DATABASE_URL="postgres://nobody@127.0.0.1:9/nothing")
    assert done.returncode == 1
    assert "refused" in done.stdout
    assert "Nothing was started" in done.stderr
    assert site.processes() == set()
