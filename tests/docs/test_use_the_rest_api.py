"""How to use the REST API: each line of the page is given to a real site, and says what the page says."""

import contextlib
import io
import os
import subprocess

import pytest

from tests.docs.blocks import blocks_of
from tests.project.conftest import new_site

PAGE = "how-to/use-the-rest-api.md"
TOKEN = """
from django.contrib.auth.models import User
from jobs.access.tokens import make_token
print(make_token(User.objects.get(username="demo"), "docs", ["read", "write", "submit"])[1])
"""


@pytest.fixture
def site(tmp_path):
    """A site that runs."""
    with new_site(tmp_path) as site:
        yield site.start("--without-examples")


@pytest.mark.timeout(180)
def test_whoever_follows_the_page_sees_what_it_says(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"JOBDECK": f"http://127.0.0.1:{site.port}", "TOKEN": site.python(TOKEN)}
    environment = {**os.environ, **names}
    python, printed, shell = dict(names), "", ""
    for block in blocks_of(PAGE):
        if block.language == "sh":
            # In one shell, as far as its variables go.
            script = f"{shell}\n{block.text}\nexport -p > variables"
            done = subprocess.run(
                ["/bin/sh", "-ec", script], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert '"error"' not in done.stdout, done.stdout
            shell = 'JOB=$(python3 -c \'import json; print(json.load(open("job.json"))["id"])\')'
        elif block.language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block.text, PAGE, "exec"), python)
            printed = out.getvalue()
        elif block.language == "text":
            assert printed == block.text
    assert (tmp_path / "copy.csv").read_text() == "3;5\n4;7\n"
