"""An agent as the site hears it: signs what it says, as the protocol has it, and can say it wrongly."""

import json
import secrets
from uuid import UUID

from django.test import Client

from jobs import clock
from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    SCHEME,
    answer_signature,
    equal,
    header,
    request_signature,
    session_proof,
)
from jobs.schedules.agent.timetable import execution_id, microseconds
from jobs.schedules.enrolment import make_enrol_token
from jobs.schedules.models import Agent, Schedule

BASE = "/api/schedules/agent"


class Spoken:
    """An agent that was let in.

    Args:
        name: of the agent.
        tags: that it says itself.
    """

    def __init__(self, name: str = "node1", tags: tuple[str, ...] = ()):
        self.client = Client()
        self.key = secrets.token_bytes(32)
        token = make_enrol_token(None)[1]
        said = {"token": token, "key": self.key.hex(), "name": name, "tags": list(tags), "version": "1", "host": name}
        answer = self.client.post(f"{BASE}/enrol", said, content_type="application/json")
        assert answer.status_code == 200, answer.content
        self.id = answer.json()["agent"]
        self.session, self.counter, self.revision = "", 0, 0
        self.last: dict = {}

    @property
    def row(self) -> Agent:
        return Agent.objects.get(uuid=self.id)

    def hello(self) -> None:
        """Begin a session; the proof is checked."""
        nonce = secrets.token_hex(16)
        said = {"agent": self.id, "nonce": nonce}
        answer = self.client.post(f"{BASE}/hello", said, content_type="application/json").json()
        assert answer["proof"] == session_proof(self.key, self.id, nonce, answer["session"], answer["now"])
        self.session, self.counter = answer["session"], 0

    def signed(self, purpose: str, body: bytes, **changed) -> str:
        """The header of a call; what is named in `changed` is said otherwise than it was signed."""
        self.counter += 1
        values = {"agent": self.id, "session": self.session, "counter": self.counter, "nonce": secrets.token_hex(16)}
        signature = request_signature(self.key, **values, purpose=purpose, body=body)
        return header(SCHEME, **{**values, "signature": signature, **changed})

    def send(self, purpose: str, body: bytes, authorization: str):
        """Send what was signed."""
        return self.client.post(
            f"{BASE}/{purpose}", body, content_type="application/json", headers={"Authorization": authorization}
        )

    def ask(self, purpose: str, **said):
        """Make a call, in a session; that the answer is the site's is checked."""
        if not self.session:
            self.hello()
        body = json.dumps(said).encode()
        authorization = self.signed(purpose, body)
        answer = self.send(purpose, body, authorization)
        signature = authorization.rpartition("signature=")[2]
        proof = answer_signature(self.key, signature, answer.status_code, answer.content)
        assert equal(answer.headers.get(ANSWER_HEADER, ""), proof), "the answer is not signed"
        return answer

    def sync(self, **said) -> dict:
        """Ask what there is to do; its schedules are kept."""
        said = {"revision": self.revision, "running": {}, "unsent": 0, "clock": microseconds(clock.now()), **said}
        answer = self.ask("sync", **said)
        assert answer.status_code == 200, answer.content
        orders = answer.json()
        if "schedules" in orders:
            self.revision = orders["revision"]
        return orders

    def report(self, *items: dict) -> dict:
        """Say what came of executions."""
        answer = self.ask("report", executions=list(items))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ran(self, schedule: Schedule, due: int, **said) -> dict:
        """An execution of the schedule that went well, as an item of a report."""
        return {
            "id": str(execution_id(UUID(str(schedule.uuid)), UUID(self.id), due)),
            "schedule": str(schedule.uuid),
            "due": due,
            "state": "ran",
            "started": due,
            "completed": due + 500_000,
            "exit_code": 0,
            "stdout": "hello world\n",
            "stdout_size": 12,
            **said,
        }
