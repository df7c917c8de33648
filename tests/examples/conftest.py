"""Runs the weather script as a job would: as a command, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

WEATHER = Path(__file__).parents[2] / "examples" / "weather"


@pytest.fixture
def analyse(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """`analyse(source, *options, **environment)` runs analyse.py in `tmp_path`, by a Python that has no packages."""

    def run(source: Path | str = WEATHER / "seattle-weather.csv", *options: str, **environment: str):
        return subprocess.run(
            [sys.executable, "-S", str(WEATHER / "analyse.py"), str(source), *options],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def observations(tmp_path: Path) -> Callable[..., Path]:
    """`observations(line, …)` writes a CSV file of these lines below the usual header and returns its path."""

    def write(*lines: str, header: str = "date,precipitation,temp_max,temp_min") -> Path:
        path = tmp_path / "days.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


class CallbackServer:
    """A real HTTP server on this machine that keeps what it is sent.

    `answers` holds the statuses of the first answers (0: hang until the test ends); after them it answers 200.
    """

    def __init__(self):
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.over = Event()
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                callback.requests.append((self.path, dict(self.headers), body))
                status = callback.answers.pop(0) if callback.answers else 200
                if status == 0:
                    callback.over.wait(30)
                    return
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/update-job-status/7/"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def callback() -> Iterator[CallbackServer]:
    server = CallbackServer()
    yield server
    server.close()
