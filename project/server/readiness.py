"""Is the site ready? Asked at /healthz as any client would."""

import http.client
import json
import threading
import time
from collections.abc import Callable

INTERVAL = 0.2
PATIENCE = 30.0
"""Seconds after which, and then each time again, it is said what is missing."""


def ask(ip: str, port: int, timeout: float = 5.0) -> str:
    """Ask /healthz once; empty if all is well, else what is missing, for people."""
    connection = http.client.HTTPConnection(ip, port, timeout=timeout)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}", "Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(10_000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"web does not answer ({error})"
    finally:
        connection.close()
    return "" if response.status == 200 else what_is_missing(response.status, body)


def what_is_missing(status: int, body: str) -> str:
    """Put a /healthz answer other than 200 into one line."""
    try:
        facts = json.loads(body)
    except ValueError:
        return f"/healthz answers {status}"
    checks = facts.get("checks", facts) if isinstance(facts, dict) else {}
    bad = [f"{name}: {fact}" for name, fact in checks.items() if fact not in (True, "ok", "") and name != "status"]
    return f"/healthz answers {status}" + (f" ({'; '.join(bad)})" if bad else "")


class Readiness(threading.Thread):
    """Asks until the site is ready, then says so once.

    Args:
        ip, port: where the web server listens.
        ready: called when /healthz answered 200.
        waiting: called with what is missing, every `PATIENCE` seconds.
    """

    def __init__(self, ip: str, port: int, ready: Callable[[], None], waiting: Callable[[str], None]):
        super().__init__(daemon=True)
        self.ip, self.port = ip, port
        self.ready, self.waiting = ready, waiting
        self.ended = threading.Event()

    def run(self) -> None:
        complain_at = time.monotonic() + PATIENCE
        while not self.ended.wait(INTERVAL):
            missing = ask(self.ip, self.port)
            if not missing:
                self.ready()
                return
            if time.monotonic() > complain_at:
                complain_at = time.monotonic() + PATIENCE
                self.waiting(missing)
