"""The agent as people run it: the file that the site serves, under a Python that has nothing but its standard library."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from jobs.processes.table import all_rows
from jobs.schedules.pyz import agent_archive
from tests.schedules.agent.patience import eventually
from tests.schedules.agent.site import Site

CLEAN = [sys.executable, "-I", "-S"]


class AgentAtWork:
    """One agent's folder, and its program when it runs."""

    def __init__(self, folder: Path, site: Site):
        self.folder, self.site = folder, site
        self.file = folder / "jobdeck-agent.pyz"
        self.file.write_bytes(agent_archive())
        self.data = folder / "data"
        self.log = folder / "log"
        self.work = folder / "work"
        self.work.mkdir()
        self.faults = folder / "faults"
        self.faults.mkdir()
        self.process: subprocess.Popen | None = None

    def call(self, command: str, *words: str, text: str = "", **environment: str) -> subprocess.CompletedProcess:
        """Run it to its end."""
        arguments = [*CLEAN, str(self.file), command, *words, "--data", str(self.data)]
        return subprocess.run(
            arguments, input=text, capture_output=True, text=True, timeout=60, env=self._environment(environment)
        )

    def enrol(self, *words: str, site: str = "") -> subprocess.CompletedProcess:
        return self.call("enrol", site or self.site.url, *words, text=self.site.token + "\n")

    def start(self, *words: str, waits: bool = True, **environment: str) -> None:
        """Start it, and wait until it has spoken with the site."""
        if not self.site.agent:
            assert self.enrol().returncode == 0
        before = self.said.count("ready:")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*CLEAN, str(self.file), "run", *words, "--folder", str(self.work), "--data", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(environment),
            )
        if waits:
            eventually(lambda: self.said.count("ready:") > before)

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "JOBDECK_FAULTS": str(self.faults), **more}

    def let_others_in(self) -> None:
        """Other accounts of this host may enter the folder in which commands begin."""
        for folder in (self.work, self.folder, *self.folder.parents):
            mode = folder.stat().st_mode
            if mode & 0o055 != 0o055:
                folder.chmod(mode | 0o055)

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def arm(self, point: str) -> None:
        """Who reaches this point next dies there."""
        (self.faults / point).touch()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def lines(self, name: str) -> list[str]:
        """Of a file that commands write."""
        path = self.work / name
        return path.read_text().splitlines() if path.exists() else []

    def family(self) -> list[int]:
        """Pids of the agent, its keepers and supervisors."""
        mark = os.fsencode(str(self.data))
        return [row.pid for row in all_rows() if not row.is_over and mark in _command_line(row.pid)]

    def clean_up(self) -> None:
        """End all of it, and what it runs."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait(30)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    return any(row.pid == pid and not row.is_over for row in all_rows())
