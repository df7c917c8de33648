"""A site as agents see it, without the rest: speaks the protocol, and can be cut off, lose its answers, and lie."""

import json
import secrets
import ssl
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    SCHEME,
    answer_signature,
    read_header,
    request_signature,
    session_proof,
)

SECOND = 1_000_000
BELOW = "/api/schedules/agent/"


class Site:
    """Speaks with one agent.

    Attributes:
        away: it takes connections and says nothing.
        lost: for each purpose, how many answers get lost after the request was taken.
        ahead: seconds that its clock is ahead of this host's.
        lie: called with purpose, status, body and signature of each answer; returns the signature that is sent.
        accepted: the executions that it has, as they were reported.
        taken: how often each was reported.
        requests: purpose and what was asked, of each signed request that was right.
        refuses: ids of schedules whose executions it does not take.
        stretch: is proved as part of an agent's number, and given as part of the session.
        chokes_on: ids of schedules of which it takes no report at all.
    """

    def __init__(self, tls: ssl.SSLContext | None = None):
        self.token = "jobdeck-agent_" + secrets.token_urlsafe(24)
        self.agent, self.key, self.name = "", b"", "node7"
        self.schedules: list[dict] = []
        self.revision = 1
        self.run: list[dict] = []
        self.stop: list[str] = []
        self.poll, self.output_limit, self.ahead = 0.1, 65536, 0.0
        self.away = self.removed = False
        self.lost: Counter = Counter()
        self.lie = lambda purpose, status, body, signature: signature
        self.accepted: dict[str, dict] = {}
        self.running: dict[str, dict] = {}
        self.taken: Counter = Counter()
        self.requests: list[tuple[str, dict]] = []
        self.refuses: set[str] = set()
        self.chokes_on: set[str] = set()
        self.stretch = ""
        self.enrolments: list[dict] = []
        self.wrong: list[str] = []
        self._sessions: dict[str, int] = {}
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.site = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.away = True
        self._server.shutdown()
        self._server.server_close()

    def now(self) -> int:
        return time.time_ns() // 1000 + int(self.ahead * SECOND)

    def forget_sessions(self) -> None:
        self._sessions.clear()

    # --- what a test wants

    def schedule(self, *argv: str, shell: str = "", every: str = "every 1 seconds", **more) -> dict:
        """Have something run; the schedule's document."""
        now = self.now()
        document = {
            "id": str(uuid4()), "version": 1, "name": "a schedule", "argv": list(argv), "shell": shell, "frequency": every,
            "zone": "UTC", "start": now, "end": None, "since": now, "timeout": 60.0, "overlap": "skip", "missed": "once",
            "keep": 100, **more,
        }  # fmt: skip
        with self._lock:
            self.schedules.append(document)
            self.revision += 1
        return document

    def once(self, *argv: str, **more) -> dict:
        """Have something run as soon as the agent hears of it, and never again."""
        now = self.now()
        values = {"every": "every 1 seconds", "start": now - SECOND, "since": now - SECOND, "end": now} | more
        return self.schedule(*argv, **values)

    def ask(self, *argv: str, due: int | None = None, **more) -> str:
        """Want it run now; the id of the execution."""
        document = self.schedule(*argv, **more)
        with self._lock:
            self.schedules.pop()
            one = {"id": str(uuid4()), "due": due or self.now(), "schedule": document}
            self.run.append(one)
        return one["id"]

    def unschedule(self) -> None:
        with self._lock:
            self.schedules = []
            self.revision += 1

    def of(self, document: dict) -> list[dict]:
        """What was reported of a schedule, by due time."""
        with self._lock:
            return sorted(
                (one for one in self.accepted.values() if one["schedule"] == document["id"]), key=lambda one: one["due"]
            )

    def last_sync(self) -> dict:
        with self._lock:
            return next((what for purpose, what in reversed(self.requests) if purpose == "sync"), {})

    def count(self, purpose: str) -> int:
        with self._lock:
            return sum(1 for one, _ in self.requests if one == purpose)

    # --- the protocol

    def answer(self, purpose: str, login: str, body: bytes) -> tuple[int, dict, str]:
        """Status, body and signature of the request, if it was right."""
        with self._lock:
            said = json.loads(body)
            if purpose == "enrol":
                return (*self._enrol(said), "")
            if purpose == "hello":
                return (*self._hello(said), "")
            values = read_header(login, SCHEME, ("agent", "session", "counter", "nonce", "signature"))
            if values is None:
                self.wrong.append(f"{purpose} is not signed")
                return 401, {"detail": "not signed", "code": "signature"}, ""
            session, counter = values["session"], int(values["counter"])
            expected = request_signature(self.key, self.agent, session, counter, values["nonce"], purpose, body)
            if expected != values["signature"]:
                self.wrong.append(f"{purpose} has a wrong signature")
                return 401, {"detail": "wrong signature", "code": "signature"}, ""
            if session not in self._sessions or self._sessions[session] >= counter:
                return 401, {"detail": "another session", "code": "session"}, ""
            self._sessions = {session: counter}
            if self.removed:
                return 403, {"detail": "this agent was removed", "code": "removed"}, expected
            if purpose == "report" and self.chokes_on & {one["schedule"] for one in said["executions"]}:
                return 400, {"detail": "executions: not understood"}, expected
            self.requests.append((purpose, said))
            return 200, self._sync(said) if purpose == "sync" else self._report(said), expected

    def _enrol(self, said: dict) -> tuple[int, dict]:
        self.enrolments.append(said)
        if said["token"] != self.token or (self.key and self.key.hex() != said["key"]):
            return 403, {"detail": "the token is not known, was used, or is too old"}
        self.key, self.agent = bytes.fromhex(said["key"]), self.agent or str(uuid4())
        return 200, {"agent": self.agent, "name": self.name, "tags": ["gpu"]}

    def _hello(self, said: dict) -> tuple[int, dict]:
        if said["agent"] != self.agent:
            return 403, {"detail": "there is no such agent"}
        session, now = secrets.token_hex(8), self.now()
        self._sessions[session] = 0
        proof = session_proof(self.key, self.agent, said["nonce"] + self.stretch, session, now)
        session = (self.stretch + "\n" + session).lstrip("\n") if self.stretch else session
        return 200, {"session": session, "now": now, "proof": proof}

    def _sync(self, said: dict) -> dict:
        answer = {"now": self.now(), "poll": self.poll, "output_limit": self.output_limit, "revision": self.revision}
        if said["revision"] != self.revision:
            answer["schedules"] = self.schedules
        return answer | {"run": list(self.run), "stop": [one for one in self.stop if one in said["running"]]}

    def _report(self, said: dict) -> dict:
        accepted, refused = [], {}
        for one in said["executions"]:
            if one["schedule"] in self.refuses:
                refused[one["id"]] = "there is no such schedule"
                continue
            if one["state"] == "running":
                self.running[one["id"]] = one
            else:
                self.taken[one["id"]] += 1
                self.accepted[one["id"]] = one
            accepted.append(one["id"])
        return {"accepted": accepted, "refused": refused}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """Agents that are killed hang up in the middle."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        site, purpose = self.server.site, self.path.removeprefix(BELOW)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = site.away
        if site.away:
            return
        status, said, signed = site.answer(purpose, self.headers.get("Authorization", ""), body)
        if site.lost[purpose]:
            site.lost[purpose] -= 1
            self.close_connection = True
            return
        data = json.dumps(said).encode()
        signature = answer_signature(site.key, signed, status, data) if signed else ""
        signature = site.lie(purpose, status, data, signature)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if signature:
            self.send_header(ANSWER_HEADER, signature)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments) -> None:
        """Nobody reads it."""
