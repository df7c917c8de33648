"""The agent as one file: what the site serves, and what it needs."""

import io
import subprocess
import zipfile

from django.test import RequestFactory

from jobs.schedules.pyz import agent_archive, agent_etag, agent_pyz
from tests.schedules.agent.at_work import CLEAN


def test_a_browser_does_nothing_with_it_but_keep_it():
    answer = agent_pyz(RequestFactory().get("/"))
    assert (answer.status_code, answer.content) == (200, agent_archive())
    assert answer["Content-Disposition"] == 'attachment; filename="jobdeck-agent.pyz"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = agent_pyz(RequestFactory().get("/", headers={"If-None-Match": agent_etag()}))
    assert (again.status_code, again.content) == (304, b"")
    assert agent_pyz(RequestFactory().post("/")).status_code == 405


def test_the_same_files_make_the_same_archive():
    first = agent_archive()
    agent_archive.cache_clear()
    assert agent_archive() == first
    names = set(zipfile.ZipFile(io.BytesIO(first)).namelist())
    assert {"__main__.py", "jobs/schedules/agent/__main__.py", "jobs/processes/tree.py", "cronsim/LICENSE"} <= names
    assert not [name for name in names if "django" in name or "models" in name or name.endswith(".pyc")]


def test_it_runs_where_there_is_nothing_but_python(tmp_path):
    (tmp_path / "jobdeck-agent.pyz").write_bytes(agent_archive())
    answer = subprocess.run(
        [*CLEAN, tmp_path / "jobdeck-agent.pyz", "--version"], capture_output=True, text=True, timeout=30
    )
    assert (answer.returncode, answer.stdout) == (0, "jobdeck-agent 1\n"), answer.stderr
