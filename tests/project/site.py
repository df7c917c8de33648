"""A whole site as `make run` starts it: a process of its own, on a free port, in a folder of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
DEADLINE = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, deadline: float = DEADLINE):
    """The first true answer of `what()`; fails if there is none in time."""
    end = time.monotonic() + deadline
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {deadline} s in vain"
        time.sleep(0.05)


class Site:
    """One site.

    Args:
        folder: its data folder.
        database_url: of its database; empty for SQLite in the folder.
        environment: variables beside those.
    """

    def __init__(self, folder: Path, database_url: str = "", **environment: str):
        self.folder = folder
        self.port = free_port()
        self.environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "ENV_FILE": os.devnull,
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }
        self.process: subprocess.Popen | None = None
        self.lines: list[str] = []
        self.reader: threading.Thread | None = None

    def start(self, *options: str, **environment: str) -> "Site":
        """Start it and wait until it says that it is ready."""
        self.environment |= environment
        self.lines = []
        # In the background of a script it would be ignored here, and then by the site too.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run", *options],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, args=(self.process, self.lines))
        self.reader.start()
        until(lambda: self.said("ready: ") or self.process.poll() is not None)
        assert self.said("ready: "), self.output
        return self

    @staticmethod
    def _read(process, lines: list[str]) -> None:
        with process.stdout:
            lines.extend(process.stdout)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def said(self, text: str) -> bool:
        """Has it printed this?"""
        return any(text in line for line in list(self.lines))

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run `manage.py` as a second program beside the site, or in its place."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def python(self, code: str) -> str:
        """What a program with the site's settings prints."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=ROOT,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "project.settings"},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """Status, `Location` and body of a GET; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers.get("Location", ""), response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, "", ""
        finally:
            connection.close()

    def processes(self, word: str = "") -> set[int]:
        """All processes of this site whose command has this word in it: those that know its data folder."""
        return {pid for pid, command in _commands(f"DATA_DIR={self.folder}") if word in command}

    @property
    def own_worker(self) -> set[int]:
        """The worker for Jobdeck's own work, which is told no queues."""
        return self.processes("manage.py worker") - self.processes("--queues")

    @property
    def functions_worker(self) -> set[int]:
        """The worker for functions, with the processes of its pool."""
        return self.processes("manage.py worker --queues *")

    def signal(self, signum: int) -> int:
        """Signal the supervisor, wait until it is gone, give its exit code."""
        self.process.send_signal(signum)
        code = self.process.wait(timeout=DEADLINE)
        self.reader.join(timeout=DEADLINE)
        return code

    def end(self) -> None:
        """End whatever of it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended by itself meanwhile


def _commands(variable: str):
    """Process id and command line of each process with this variable in its environment, but for this one."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
            command = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is somebody else's
        if variable in environment:
            yield int(entry.name), command
