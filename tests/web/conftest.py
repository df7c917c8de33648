"""Browsers of two people, and jobs in whatever state a test of a page needs."""

import re

import pytest
from django.test import Client

from jobs import types
from jobs.manager import JobManager
from jobs.status import Status
from jobs.testing import fake_engine
from jobs.transitions import Change, transition
from jobs.workspaces import make_workspace
from tests.exampleapp.models import FakeJob


@pytest.fixture
def fake():
    """An engine for `FakeJob` that does what the test says."""
    with fake_engine(FakeJob, "FAKE") as engine:
        yield engine


def _browser(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def anns(ann) -> Client:
    """Ann's browser; she may run commands."""
    return _browser(ann)


@pytest.fixture
def bobs(bob) -> Client:
    """Bob's browser; he has nothing to do with ann."""
    return _browser(bob)


@pytest.fixture
def staffs(staff) -> Client:
    """The browser of somebody who may see and act on everything."""
    return _browser(staff)


@pytest.fixture
def nothing_for_all(monkeypatch):
    """There is nothing that every account may start: no public function, no farm run."""
    monkeypatch.setattr("jobs.functions.permissions.functions", lambda: [])
    monkeypatch.delitem(types._types, "FARM")


@pytest.fixture
def new_job(ann, fake):
    """A function that makes a job of ann's, for the fake engine, in the status that the test says."""

    def new(name="job-{id}", *, user=ann, job_type="FAKE", status=None, message=None, progress=None, **attributes):
        job = JobManager("jobs").create_job(name, user, job_type, **attributes)
        if status is not None:
            path = {Status.PAUSED: [Status.RUNNING]}.get(status, [])
            for step in [*path, status]:
                change = Change(job.pk, 1, step, message=message, progress=progress, external_id=f"fake-{job.pk}")
                transition([change], source="test")
        job.read_row()
        return job

    return new


@pytest.fixture
def results():
    """A function that puts files into a job's workspace: name to text or bytes."""

    def put(job, files: dict):
        folder = make_workspace(job)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return put


@pytest.fixture
def logs(fake, tmp_path):
    """A function that gives a job's attempt a log in the fake engine, and returns its path."""

    def put(job, text="", name="stdout"):
        from jobs.engine import Report
        from jobs.testing import FakeAttempt

        path = tmp_path / f"{job.tag}-{name}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        attempt = fake.attempts.setdefault(job.tag, FakeAttempt(f"fake-{job.pk}", Report(job.tag, Status.RUNNING)))
        attempt.logs[name] = path
        return path

    return put


@pytest.fixture
def known():
    """A function that reads from a page what its script would say it has: ids with signatures."""

    def of(response) -> str:
        rows = re.findall(r'<tr id="job-(\d+)".*?data-signature="(\w+)"', response.content.decode())
        return ",".join(f"{key}.{signature}" for key, signature in rows)

    return of


HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/jobs/?before=7"}
"""Headers of a request that a page's own script makes."""
