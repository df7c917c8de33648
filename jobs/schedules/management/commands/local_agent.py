"""`manage.py local_agent`: the agent of this machine, let in by itself; one of the processes of `make run`."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from jobs.conf import conf
from jobs.schedules.enrolment import make_enrol_token, remove_agent
from jobs.schedules.models import EnrolToken
from jobs.schedules.pyz import NAME as ARCHIVE
from jobs.schedules.pyz import agent_archive

NAME = "local"
PATIENCE = 1.0
"""Seconds between two tries to be let in: the site is just starting."""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "TMPDIR", "SHELL", "JOBDECK_FAULTS")
"""Of the environment. The rest, with the site's secrets in it, is none of the business of an agent and its commands."""


class Command(BaseCommand):
    help = f"Run an agent on this machine, called '{NAME}', with its files in DATA_DIR/agent. It lets itself in once."

    def add_arguments(self, parser):
        parser.add_argument("--site", default=conf.URL, help="Where the site is (JOBDECK_URL).")

    def handle(self, *args, site: str, **options):
        if not site:
            raise CommandError("JOBDECK_URL is not set: say where the site is, with --site http://127.0.0.1:8000")
        folder = conf.data_dir / "agent"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.program = [sys.executable, str(_written(folder / ARCHIVE))]
        self.data = ["--data", str(folder / "data")]
        # An address of this machine, then: what is sent does not leave it.
        self.plain = ["--plain-http"] if urlsplit(site).hostname == os.environ.get("HOST") else []
        if not self._is_let_in(folder):
            self._enrol(folder, site)
        # It may have another port than at the last start.
        run = [*self.program, "run", "--site", site, *self.plain, *self.data]
        os.execve(sys.executable, run, _environment())  # noqa: S606 no shell is what is wanted

    def _is_let_in(self, folder: Path) -> bool:
        try:
            number = int((folder / "token").read_text())
        except (OSError, ValueError):
            return False
        token = EnrolToken.objects.filter(pk=number).select_related("agent").first()
        if token is None:
            # Another database, which knows nothing of it.
            shutil.rmtree(folder / "data", ignore_errors=True)
            return False
        if token.agent is None:
            return False
        if token.agent.removed is not None:
            self.stdout.write(f"The agent of this machine was removed from the site. Remove {folder} to have it back.")
            while True:  # it is no failure: the site is not to start this again and again
                signal.pause()
        known = subprocess.run(
            [*self.program, "status", *self.data], env=_environment(), capture_output=True, check=False
        )
        if known.returncode:
            # This was ended before the agent heard that it is let in, or its files are gone: it is let in anew.
            remove_agent(token.agent)
            shutil.rmtree(folder / "data", ignore_errors=True)
        return not known.returncode

    def _enrol(self, folder: Path, site: str) -> None:
        token, text = make_enrol_token(None, name=NAME, tags=[NAME])
        (folder / "token").write_text(str(token.pk))
        enrol = [*self.program, "enrol", site, *self.plain, *self.data, "--name", NAME]
        environment = {**_environment(), "JOBDECK_ENROL_TOKEN": text}
        said = ""
        while (done := subprocess.run(enrol, env=environment, capture_output=True, text=True, check=False)).returncode:
            if done.stderr != said:
                said = done.stderr
                self.stderr.write(f"waiting for the site: {said.strip()}")
            time.sleep(PATIENCE)


def _written(path: Path) -> Path:
    """The archive as a file, replaced as a whole."""
    new = path.with_suffix(".new")
    new.write_bytes(agent_archive())
    new.replace(path)
    return path


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
