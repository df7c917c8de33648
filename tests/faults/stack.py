"""A whole site in a temporary folder: web, workers and monitor, each started again when it dies."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BROKERS = {
    "embedded": "filesystem://",
    "redis": "redis://127.0.0.1:6379/9",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//",
}
POSTGRES = "postgres://root@127.0.0.1:5432/"


class Stack:
    """The site, and the folder in which tests arm fault points.

    Args:
        database: 'sqlite' or 'postgres'.
        broker: a key of `BROKERS`.

    Building it sets this process's environment, so that `django.setup()` finds the same site.
    """

    def __init__(self, database: str, broker: str):
        self.folder = Path(tempfile.mkdtemp(prefix="jobdeck-faults-"))
        self.faults = self.folder / "faults"
        (self.faults / "reached").mkdir(parents=True)
        self.name = f"jobdeck_faults_{uuid.uuid4().hex[:10]}"
        self.database = database
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen] = {}
        self.deaths = 0
        self.ending = threading.Event()
        self.keeper: threading.Thread | None = None
        data = self.folder / "data"
        os.environ.update(
            DJANGO_SETTINGS_MODULE="tests.faults.settings",
            SECRET_KEY="for the fault tests only",
            DATA_DIR=str(data),
            DATABASE_URL=f"sqlite:///{data}/site.sqlite3" if database == "sqlite" else POSTGRES + self.name,
            CELERY_BROKER_URL=BROKERS[broker],
            JOBDECK_URL=self.url,
            JOBDECK_QUEUE=self.name,
            JOBDECK_LEASE="1.5",
            JOBDECK_RESEND_AFTER="0.5",
            JOBDECK_HOOK_INTERVAL="0.5",
            JOBDECK_LOCAL_GRACE="1",
            JOBDECK_FUNCTION_LEASE="3",
            JOBDECK_HEARTBEAT_INTERVAL="0.5",
            JOBDECK_LOCAL_SLOTS="8",
            PYTHONPATH=str(ROOT),
        )
        data.mkdir()

    def start(self) -> None:
        """Make the database and start the processes."""
        if self.database == "postgres":
            self._postgres(f'CREATE DATABASE "{self.name}"')
        self._manage("migrate", "--verbosity=0")
        for name in self.commands():
            self._start(name)
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()

    def commands(self) -> dict[str, list[str]]:
        manage = [sys.executable, str(ROOT / "manage.py")]
        web = "from granian.cli import entrypoint; entrypoint()"
        options = ["--interface=wsgi", "--host=127.0.0.1", f"--port={self.port}", "--blocking-threads=4"]
        return {
            "web": [sys.executable, "-c", web, *options, "--log-level=error", "project.wsgi:application"],
            "worker": [*manage, "worker"],
            "monitor": [*manage, "monitor"],
            "functions": [*manage, "worker", "--queues", "tests", "--concurrency", "3"],
        }

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands()[name],
                cwd=ROOT,
                env={**os.environ, "JOBDECK_FAULTS": str(self.faults)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self.ending.wait(0.05):
            for name, process in self.processes.items():
                if process.poll() is not None and not self.ending.is_set():
                    self.deaths += 1
                    _kill_group(process)
                    self._start(name)

    def kill(self, name: str) -> None:
        """SIGKILL to one of the processes, with what it started in its process group."""
        _kill_group(self.processes[name])

    # --- fault points

    def arm(self, point: str) -> None:
        """Have the next process that reaches `point` ('name.before' or 'name.after') die there."""
        (self.faults / point).touch()

    def is_armed(self, point: str) -> bool:
        """Whether nobody has died at the point yet."""
        return (self.faults / point).exists()

    def disarm(self, point: str) -> None:
        """Take it back."""
        (self.faults / point).unlink(missing_ok=True)

    def reached(self) -> set[str]:
        """The names of all points that were passed since the last call."""
        found = {path.name for path in (self.faults / "reached").iterdir()}
        for name in found:
            (self.faults / "reached" / name).unlink(missing_ok=True)
        return found

    # --- the end

    def stop(self, *, keep_folder: bool = False) -> None:
        """End everything and remove what was made."""
        self.ending.set()
        if self.keeper is not None:
            self.keeper.join()
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            _kill_group(process)
        self._remove_queue()
        if self.database == "postgres":
            self._postgres(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _remove_queue(self) -> None:
        from kombu import Connection

        broker = os.environ["CELERY_BROKER_URL"]
        if not broker.startswith("filesystem"):
            with Connection(broker, connect_timeout=3) as connection:
                for queue in (self.name, f"{self.name}.tests"):
                    connection.default_channel.queue_delete(queue)

    def _manage(self, *words: str) -> None:
        subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], cwd=ROOT, env=os.environ, check=True)

    def _postgres(self, sql: str) -> None:
        import psycopg2

        connection = psycopg2.connect(POSTGRES + "postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
        connection.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _kill_group(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def wait_until(true, seconds: float, step: float = 0.05) -> bool:
    """Whether `true()` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True
