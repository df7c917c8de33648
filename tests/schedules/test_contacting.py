"""Whom the site tells what is to be run, where `AVAILABLE_SERVERS` names an address: the agent, and nobody else."""

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from jobs.schedules.contacting import CallFailed, tell, who_listens

AGENT = str(uuid4())


@pytest.fixture
def impostor():
    """Somebody who listens where the agent should, and says that it is the agent."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer({"agent": AGENT, "nonce": "0" * 32, "proof": "0" * 64})

        def do_POST(self):
            server.told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer({})

        def answer(self, what):
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_no_command_is_told_to_who_cannot_prove_to_be_the_agent(impostor):
    address = f"http://127.0.0.1:{impostor.server_port}"
    assert str(who_listens(address)) == AGENT
    with pytest.raises(CallFailed, match="does not know the agent's key"):
        tell(address, AGENT, secrets.token_bytes(32), [b'{"command": "login --password secret"}'])
    assert impostor.told == []
