"""Where an agent takes calls: the site tells it that there is something to ask for (seed 004's Agent API)."""

import json
import logging
import re
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

from jobs.schedules.agent.clock import Clock
from jobs.schedules.agent.command_line import argv_or_shell
from jobs.schedules.agent.records import Identity
from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    CALL_SCHEME,
    answer_signature,
    call_signature,
    equal,
    listener_proof,
    read_header,
)
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.timetable import FORM, FrequencyError, period_of
from jobs.schedules.agent.transport import is_loopback

NONCE = "/api/v1/nonce"
SCHEDULE = "/api/v1/tasks/schedule"
MOST_BODY = 64 * 1024
MOST_NONCES = 100
NONCE_LIFE = 60.0
_MOST_CALLS = 32
_CHALLENGE = re.compile("challenge=([0-9a-f]{32})")
_PATIENCE = 5.0
"""Seconds that a caller may be silent."""

log = logging.getLogger("jobdeck-agent")


class Wrong(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, detail: str):
        super().__init__(detail)
        self.status = status


class Nonces:
    """Numbers that are good for one call each."""

    def __init__(self):
        self._lock = threading.Lock()
        self._alive: dict[str, float] = {}

    def make(self) -> str:
        """A new one; the oldest goes where there are too many."""
        nonce, now = secrets.token_hex(16), time.monotonic()
        with self._lock:
            self._alive = {one: until for one, until in self._alive.items() if until > now}
            while len(self._alive) >= MOST_NONCES:
                del self._alive[next(iter(self._alive))]
            self._alive[nonce] = now + NONCE_LIFE
        return nonce

    def use(self, nonce: str) -> bool:
        """Whether it was good; it is not any more."""
        with self._lock:
            return self._alive.pop(nonce, 0.0) > time.monotonic()


class Listener:
    """Takes calls.

    Args:
        address: host and port.
        unsigned: also those of whoever is on this host.
        sync_soon: has the site asked.
        changed: called when there is another schedule.

    Raises:
        OSError: there is no listening there.
    """

    def __init__(
        self, address: tuple[str, int], who: Identity, unsigned: bool, clock: Clock, store: Store,
        sync_soon: Callable[[], None], changed: Callable[[], None],
    ):  # fmt: skip
        self.who, self.unsigned, self.clock, self.store = who, unsigned, clock, store
        self.sync_soon, self.changed = sync_soon, changed
        self.nonces = Nonces()
        self.calls = threading.BoundedSemaphore(_MOST_CALLS)
        self._server = _Server(address, _Call, self)
        host, port = self._server.server_address[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Begin."""
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 60}, name="listener", daemon=True
        ).start()
        log.info("listens at %s%s", self.address, "; takes calls without a signature" if self.unsigned else "")

    def end(self) -> None:
        """Take no more calls."""
        self._server.socket.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, handler, listener: Listener):
        self.listener = listener
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self):
        # Without HTTPServer's look-up of the host's name, which may take long.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request, client_address):
        if not self.listener.calls.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.listener.calls.release()

    def handle_error(self, request, client_address):
        log.warning("a call from %s broke off", client_address[0])


class _Call(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    server_version, sys_version = "jobdeck-agent", ""

    def do_GET(self) -> None:
        """The number that a call has to bear."""
        listener, (path, _, query) = self.server.listener, self.path.partition("?")
        if path == NONCE:
            who, nonce = listener.who, listener.nonces.make()
            said = {"agent": who.agent, "nonce": nonce}
            if challenge := _CHALLENGE.fullmatch(query):
                said["proof"] = listener_proof(who.key, who.agent, challenge[1], nonce)
            self._answer(200, said)
        else:
            self._miss(SCHEDULE, "POST")

    def do_POST(self) -> None:
        """Something is to be run."""
        if self.path != SCHEDULE:
            self._miss(NONCE, "GET")
            return
        signature = ""
        try:
            body = self._body()
            signature = self._signature(body)
            task = _read_task(body)
            if signature:
                self.server.listener.sync_soon()
            else:
                self._take(*task)
        except Wrong as error:
            self._answer(error.status, {"detail": str(error)}, signature)
        else:
            self._answer(200, {"task_id": str(task[0])}, signature)

    def _any_other(self) -> None:
        self._answer(405 if self.path in (NONCE, SCHEDULE) else 404, {"detail": "there is no such call"})

    do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any_other

    def _miss(self, other: str, method: str) -> None:
        if self.path == other:
            self._answer(405, {"detail": f"only {method} works here"}, allow=method)
        else:
            self._answer(404, {"detail": "there is no such call"})

    def _body(self) -> bytes:
        text = self.headers.get("Content-Length", "")
        if not (text.isascii() and text.isdigit()):
            raise Wrong(400, "Content-Length: must say how long the body is")
        if int(text) > MOST_BODY:
            raise Wrong(413, f"the body is longer than {MOST_BODY} bytes")
        body = self.rfile.read(int(text))
        if len(body) < int(text):
            raise Wrong(400, "the body broke off")
        return body

    def _signature(self, body: bytes) -> str:
        """The signature, which is right; empty where the call may do without.

        Raises:
            Wrong: it may not.
        """
        listener = self.server.listener
        login = self.headers.get("Authorization")
        if login is None and listener.unsigned:
            self._check_neighbour()
            return ""
        values = read_header(login or "", CALL_SCHEME, ("agent", "nonce", "signature"))
        if values is None:
            raise Wrong(401, f"this agent takes only calls that its site has signed ({CALL_SCHEME})")
        fresh = listener.nonces.use(values["nonce"])
        expected = call_signature(listener.who.key, listener.who.agent, values["nonce"], "schedule", body)
        if not fresh or values["agent"] != listener.who.agent or not equal(values["signature"], expected):
            log.warning("a call from %s was refused: its signature is wrong or was used", self.client_address[0])
            raise Wrong(401, "the signature is wrong, or was used")
        return values["signature"]

    def _check_neighbour(self) -> None:
        """No page in a browser on this host makes it run commands: neither as a plain form nor by a name of its own."""
        host = self.headers.get("Host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if not is_loopback(name.strip("[]")):
            raise Wrong(401, "Host: calls without a signature come from this host, to a loopback address")
        if self.headers.get_content_type() != "application/json":
            raise Wrong(415, "Content-Type: must be application/json")

    def _take(self, task: UUID, command: str, frequency: str) -> None:
        listener = self.server.listener
        try:
            argv, shell = argv_or_shell(command)
        except ValueError as error:
            raise Wrong(400, f"command: {error}") from error
        try:
            if period_of(frequency) is None:
                raise FrequencyError(f"must be of the form '{FORM}', for example 'every 30 seconds'")
        except FrequencyError as error:
            raise Wrong(400, f"frequency: {error}") from error
        now = listener.clock.now()
        document = {
            "id": str(task), "version": 1, "name": command[:200], "argv": argv, "shell": shell, "frequency": frequency,
            "zone": "UTC", "start": now, "end": None, "since": now, "timeout": 3600.0, "overlap": "skip", "missed": "once",
            "keep": 100,
        }  # fmt: skip
        if listener.store.take_own_schedule(document):
            log.info("task %s, taken without a signature, runs %s", task, frequency)
            listener.changed()

    def _answer(self, status: int, what: dict, signature: str = "", allow: str = "") -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if signature:
            key = self.server.listener.who.key
            self.send_header(ANSWER_HEADER, answer_signature(key, signature, status, body))
        if allow:
            self.send_header("Allow", allow)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def send_error(self, code, message=None, explain=None) -> None:
        """What http.server says by itself, as JSON."""
        self.command = self.command or ""
        self._answer(code, {"detail": message or "that is no request"})

    def log_message(self, format, *arguments) -> None:
        """Calls are nothing to note."""


def _read_task(body: bytes) -> tuple[UUID, str, str]:
    """Id, command and frequency.

    Raises:
        Wrong: names what is wrong.
    """
    try:
        said = json.loads(body)
    except ValueError:
        raise Wrong(400, "the body is no JSON") from None
    if not isinstance(said, dict):
        raise Wrong(400, "the body must be an object")
    for name in ("task_id", "command", "frequency"):
        if not isinstance(said.get(name), str) or not said[name].strip():
            raise Wrong(400, f"{name}: is missing, or no text")
    try:
        task = UUID(said["task_id"])
    except ValueError:
        raise Wrong(400, "task_id: must be a UUID") from None
    return task, said["command"], said["frequency"]
