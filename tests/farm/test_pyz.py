"""The worker as one file: what the site serves, and what it needs."""

import io
import subprocess
import sys
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from jobs.farm.pyz import worker_archive

CLEAN = [sys.executable, "-I", "-S"]
"""A Python that has nothing but its standard library."""


@pytest.fixture
def pyz(tmp_path):
    """The file, downloaded."""
    path = tmp_path / "jobdeck-worker.pyz"
    path.write_bytes(Client().get("/jobs/farm/jobdeck-worker.pyz").content)
    return path


def test_anybody_may_download_it_and_a_browser_does_nothing_else_with_it():
    answer = Client().get(reverse("jobs_farm:worker_pyz"))
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="jobdeck-worker.pyz"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer
    assert answer.content == worker_archive()
    assert Client().post(reverse("jobs_farm:worker_pyz")).status_code == 405


def test_who_has_it_already_is_told_so():
    first = Client().get(reverse("jobs_farm:worker_pyz"))
    again = Client().get(reverse("jobs_farm:worker_pyz"), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert Client().get(reverse("jobs_farm:worker_pyz"), headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_same_files_make_the_same_archive():
    first = worker_archive()
    worker_archive.cache_clear()
    assert worker_archive() == first
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert {"__main__.py", "jobdeck_worker/__init__.py", "jobdeck_worker/__main__.py"} <= set(names)
    assert all(name.endswith(".py") for name in names)


def test_it_runs_where_there_is_nothing_but_python(pyz):
    answer = subprocess.run([*CLEAN, pyz, "--help"], capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    assert "usage: jobdeck-worker.pyz RUN [options] -- command {task}" in answer.stdout


def test_programs_can_import_it(pyz):
    program = f"import sys; sys.path.insert(0, {str(pyz)!r}); from jobdeck_worker import Worker, Task, TaskLost; print(Worker)"
    answer = subprocess.run([*CLEAN, "-c", program], capture_output=True, text=True, timeout=30)
    assert answer.stdout == "<class 'jobdeck_worker.library.Worker'>\n", answer.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["https://site.example/api/jobs/1/farm/"], "give a command after --"),
        (
            ["https://site.example/api/jobs/1/farm/", "--", "no-such-program"],
            "there is no program 'no-such-program' here",
        ),
        (["4c7fdbb3-1f0f-4d2e-9b3b-0d5c3f2f1a11", "--", "true"], "say at which site: --site"),
        (["run7", "--", "true"], "'run7' is neither the address of a run's API"),
        (["https://site.example/api/jobs/1/farm/", "--", "true"], "no login: name --token-file"),
        (["https://site.example/", "--token-file", "/nowhere", "--", "true"], "the token cannot be read"),
        (["https://site.example/", "--jobs", "0", "--", "true"], "invalid number above 0 value: '0'"),
    ],
)
def test_wrong_usage_is_said_and_ends_with_2(pyz, words, message):
    answer = subprocess.run(
        [*CLEAN, pyz, *words], capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin"}
    )
    assert answer.returncode == 2
    assert message in answer.stderr
