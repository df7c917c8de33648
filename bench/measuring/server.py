"""The production server, started as `make run` starts it."""

import os
import socket
import subprocess
import time
from pathlib import Path

from measuring import ROOT

PATIENCE = 30.0


class Server:
    """The production server on a free port of this machine, for a `with` statement.

    Args:
        workers: processes.
        settings: Django's settings module.
    """

    def __init__(self, workers: int = 1, settings: str = "project.settings"):
        self.workers = workers
        self.settings = settings

    def __enter__(self):
        from project.management.commands.run import Command
        from project.server.environment import Place

        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        place = Place.from_environment({"HOST": "127.0.0.1", "PORT": str(self.port)})
        argv = Command()._web(place)
        argv[argv.index("--workers") + 1] = f"{self.workers}"
        path = os.pathsep.join([str(ROOT), str(ROOT / "bench")])
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": self.settings, "PYTHONPATH": path}
        self.process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError("the web server did not start") from error
                time.sleep(0.1)

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20)

    def cpu_seconds(self) -> float:
        """What the server's processes have computed since they began (Linux)."""
        ticks = 0
        pids = [str(self.process.pid)]
        while pids:
            pid = pids.pop()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            pids += Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return ticks / os.sysconf("SC_CLK_TCK")
