"""The tutorial of the first job in a pool, followed literally on a whole site."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest

from jobs.condor.bindings.transport import Connection, Transport
from tests.docs.blocks import typed, write_files
from tests.project.conftest import new_site
from tests.project.site import ROOT

PAGE = "tutorials/first-condor-job.md"


@pytest.fixture
def site(pool, tmp_path):
    """A site that does not run yet, and nothing of which is left in the pool."""
    if os.geteuid() != 0:
        pytest.skip("'make services' is for root")
    instance = f"docs-{uuid4().hex}"
    home = tmp_path / "home"
    home.mkdir()
    with new_site(tmp_path, HOME=str(home), JOBDECK_INSTANCE=instance) as site:
        yield site
    reach = Transport(Connection(pool.address, pool.schedd, pool.token, pool.trust_domain), tmp_path / "token")
    for action in ("remove", "remove_x"):
        reach.act(action, f'JobdeckInstance == "{instance}"')
    reach.close()


def run(argv, site, **options) -> subprocess.CompletedProcess:
    """What is typed, where and as the page says."""
    common = {"cwd": ROOT, "env": site.environment, "capture_output": True, "text": True, "check": False}
    return subprocess.run(argv, timeout=240, **common, **options)


def test_whoever_follows_the_tutorial_sees_what_it_says(site, tmp_path):
    lines = run(["/bin/sh", "-euc", typed(PAGE, "sh")], site)  # the pool is there: the longest of them only look
    assert lines.returncode == 0, lines.stderr
    write_files(PAGE, tmp_path, tmp_path / "home")
    site.start("--without-examples")
    shell = run([sys.executable, "manage.py", "shell", "--no-imports"], site, input=typed(PAGE, "python"))
    logs = [path.read_text()[-2000:] for path in (site.folder / "logs").glob("*.log")]
    assert shell.returncode == 0, shell.stderr + "".join(logs)
    expected = typed(PAGE, "text").splitlines()
    assert [line for line in shell.stdout.splitlines() if line] == [line for line in expected if line]
