"""A whole site on the test database: web server, workers and monitor, each a process of its own."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings

from tests.contract.life.brokers import Broker
from tests.contract.life.drivers import Processes
from tests.contract.worlds.functions import FunctionsWorld

WEB = "from granian.cli import entrypoint; entrypoint()"


class AllFunctions(FunctionsWorld):
    """A worker for functions of all queues, as `make run` starts it."""

    processes = {"functions": ("worker", "--queues", "*", "--concurrency", "2")}
    broker_queues = (".default", ".tests")


class LiveSite(Processes):
    """Workers and monitor as the life tests start them, and the web server before them.

    Args:
        folder: for what they write.
    """

    def __init__(self, folder: Path):
        super().__init__(Broker("embedded"), folder, AllFunctions)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Start all, and wait until they are at work."""
        self.start("web")
        super().open()
        self.until(self.answers, "the web server answers")

    def start(self, kind: str) -> None:
        """Start 'web', 'worker', 'functions' or 'monitor'."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
            "CELERY_BROKER_URL": self.broker.url,
            "JOBDECK_QUEUE": self.broker.queue,
            "JOBDECK_URL": self.url,
        }
        with (self.folder / f"{kind}.log").open("ab") as log:
            self.processes[kind] = subprocess.Popen(
                self.command(kind),
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def command(self, kind: str) -> list[str]:
        """What is started, as `make run` starts it."""
        if kind != "web":
            return [sys.executable, "manage.py", *self.arguments[kind]]
        options = ["--interface=wsgi", "--host=127.0.0.1", f"--port={self.port}", "--blocking-threads=4", "--no-ws"]
        return [sys.executable, "-c", WEB, *options, "--log-level=warning", "project.wsgi:application"]

    def answers(self) -> bool:
        """Whether the web server answers."""
        assert self.processes["web"].poll() is None, f"the web server ended\n{self.said()}"
        try:
            with urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop_web(self) -> None:
        """Have no web server."""
        self.processes["web"].terminate()
        self.processes["web"].wait(timeout=20)

    def start_web(self) -> None:
        """Have one again, at the same address."""
        self.start("web")
        self.until(self.answers, "the web server answers again")
