"""Real agents: the one file, as a process of its own, with a data folder of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from jobs.processes.table import all_rows, rows_below
from jobs.schedules.pyz import agent_archive

DEADLINE = 30


class RunningAgent:
    """An agent, not started yet.

    Args:
        folder: where the archive, the data folder and the log come.
        name: of the agent.
        before: words before the command, such as those of faketime.
        options: of `run`.
    """

    def __init__(self, folder: Path, name: str, *, before: tuple[str, ...] = (), options: tuple[str, ...] = ()):
        self.folder, self.name, self.before, self.options = folder, name, before, options
        folder.mkdir(parents=True, exist_ok=True)
        self.archive = folder / "jobdeck-agent.pyz"
        self.archive.write_bytes(agent_archive())
        self.process: subprocess.Popen | None = None
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}

    @property
    def log(self) -> str:
        """All that it has said."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def enrol(self, site: str, token: str, *options: str) -> subprocess.CompletedProcess:
        """Have it let in."""
        done = subprocess.run(
            [*self._command("enrol"), site, *self._data, "--name", self.name, *options],
            env=self.environment | {"JOBDECK_ENROL_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def start(self) -> "RunningAgent":
        """Start it."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, *self._command("run"), *self._data, *self.options],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """Kill the agent itself, as a machine short of memory would; what it has started is left alone."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it, and whatever of it is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in self.left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def left(self) -> set[int]:
        """Processes with its data folder in their command, and what is below them."""
        roots = {row.pid for row in all_rows() if str(self.folder) in _command(row.pid)} - {os.getpid()}
        return roots | {row.pid for row in rows_below(roots, all_rows())}

    def _command(self, word: str) -> list[str]:
        return [sys.executable, "-I", str(self.archive), word]

    @property
    def _data(self) -> list[str]:
        return ["--data", str(self.folder / "data")]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
