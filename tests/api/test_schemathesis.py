"""schemathesis asks a real site all that the description allows, and more, also one call after the other: no server error, and
no answer that is not described."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.conftest import new_site

pytestmark = pytest.mark.timeout(600)

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TOKEN = """
from django.contrib.auth.models import User
from jobs import clock
from jobs.access.tokens import make_token
from jobs.manager import JobManager
from jobs.schedules.editing import create_schedule, run_now
from jobs.schedules.enrolment import make_enrol_token
from jobs.schedules.models import Agent
demo = User.objects.get(username="demo")
User.objects.filter(pk=demo.pk).update(is_staff=True)
JobManager("jobs").create_job("wind", demo, "BASIC")
agent = Agent.objects.create(name="node7", key="0" * 64, enrolled=clock.now())
nightly = create_schedule(demo, name="nightly", argv=["true"], frequency="every 1 hours", on_all=True)
[execution] = run_now(nightly, [agent])
make_enrol_token(demo)
print(make_token(demo, "test", ["read", "write", "submit"])[1], nightly.uuid, execution.pk)
"""
KNOWN = """
[[operations]]
include-path-regex = "^/api/v1/tasks/"
parameters = {{ "path.task_id" = "{schedule}" }}

[[operations]]
include-path-regex = "^/api/schedules/executions/"
parameters = {{ "path.uuid" = "{execution}" }}
"""
"""Whose ids no answer of another call has that schemathesis would try."""


@pytest.fixture
def site(tmp_path):
    """A site whose requests never wait long."""
    with new_site(tmp_path) as site:
        yield site.start("--without-examples", JOBDECK_API_WAITERS="0")


def test_no_server_error_and_no_answer_that_is_not_described(site, tmp_path):
    token, schedule, execution = site.python(TOKEN).split()
    (tmp_path / "schemathesis.toml").write_text(KNOWN.format(schedule=schedule, execution=execution))
    # One worker: with several, ast.parse of CPython 3.11 fails now and then (gh-106905).
    argv = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"http://127.0.0.1:{site.port}/api/schema/?format=json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", CHECKS, "--max-examples", "8", "--seed", "20260131", "--generation-database", "none"),
        *("--phases", "examples,coverage,fuzzing,stateful", "--workers", "1", "--continue-on-failure"),
        *("--request-timeout", "30", "--suppress-health-check", "all", "--no-color"),
    ]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
