"""Agents that listen are called where `AVAILABLE_SERVERS` says, when there is a new schedule for them (taskscheduler's way).

A call is no more than a hint: the agent that takes it asks the site, and one that misses it asks soon by itself. So what
was called lives in the memory of the monitor.
"""

import json
import logging
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import F

from jobs.conf import conf
from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    CALL_SCHEME,
    answer_signature,
    call_signature,
    equal,
    header,
    listener_proof,
)
from jobs.schedules.authority import key_of
from jobs.schedules.models import Agent, Assignment

log = logging.getLogger(__name__)

DEADLINE = 3.0
"""Seconds for one call."""
ASK_AGAIN = 10.0
"""Seconds between two tries at an address where no agent of ours was found."""
MOST_CALLS = 20
"""Schedules that one agent is told at once; it asks for all of them anyway."""
LARGEST_ANSWER = 10_000


class CallFailed(Exception):
    """An agent was not reached, or what answered is not the agent; the message says which."""


class Contacts:
    """Who is called where, and with what they were called last."""

    def __init__(self):
        self._calls = ThreadPoolExecutor(8, thread_name_prefix="agents")
        self._under_way: dict[str, Future] = {}
        self._not_before: dict[str, float] = {}
        self._called: dict[str, int] = {}
        self._said: dict[str, str] = {}

    def tend(self) -> None:
        """Begin the calls that are due, and note what came of those before; waits for none."""
        found = {agent.address: agent for agent in Agent.objects.enrolled().exclude(address="")}
        for address in conf.AVAILABLE_SERVERS:
            call = self._under_way.get(address)
            if call is not None:
                if call.done():
                    del self._under_way[address]
                    self._note(address, call)
                continue
            if time.monotonic() < self._not_before.get(address, 0.0):
                continue
            agent = found.get(address)
            if agent is None:
                self._not_before[address] = time.monotonic() + ASK_AGAIN
                self._under_way[address] = self._calls.submit(who_listens, address)
            elif agent.told < agent.revision and self._called.get(address) != agent.revision:
                self._called[address] = agent.revision
                bodies = _bodies(agent)
                self._under_way[address] = self._calls.submit(tell, address, str(agent.uuid), key_of(agent), bodies)

    def _note(self, address: str, call: Future) -> None:
        error = call.exception()
        trouble = str(error) if error else ""
        if isinstance(error, CallFailed):
            self._not_before[address] = time.monotonic() + ASK_AGAIN
        elif error is not None:
            raise error
        elif isinstance(uuid := call.result(), UUID):
            known = Agent.objects.enrolled().filter(uuid=uuid)
            Agent.objects.filter(address=address).exclude(uuid=uuid).update(address="")
            if not known.update(address=address):
                trouble = f"the agent there, {uuid}, is not enrolled at this site"
        if trouble and trouble != self._said.get(address):
            log.warning("AVAILABLE_SERVERS: %s: %s", address, trouble)
        self._said[address] = trouble


contacts = Contacts()
"""Of this process."""


def _bodies(agent: Agent) -> list[bytes]:
    """The newest schedules of an agent, as taskscheduler's server sends them."""
    rows = Assignment.objects.standing().filter(agent=agent).select_related("schedule")
    newest = rows.order_by(F("since").desc(), "-pk")[:MOST_CALLS]
    return [
        json.dumps(
            {
                "task_id": str(row.schedule.uuid),
                "command": row.schedule.shell or " ".join(row.schedule.argv),
                "frequency": row.schedule.frequency,
            }
        ).encode()
        for row in newest
    ]


def who_listens(address: str) -> UUID:
    """The id of the agent that listens at an address; it has proved nothing yet.

    Raises:
        CallFailed: none does.
    """
    return UUID(_nonce(address, secrets.token_hex(16))[0])


def tell(address: str, agent: str, key: bytes, bodies: list[bytes]) -> None:
    """Tell an agent schedules.

    Args:
        address: where it listens.
        agent: its id.
        key: its key.
        bodies: what to send, one call each.

    Raises:
        CallFailed: it was not reached, or is another one.
    """
    for body in bodies:
        challenge = secrets.token_hex(16)
        found, nonce, proof = _nonce(address, challenge)
        if found != agent:
            raise CallFailed(f"another agent listens there now: {found}")
        # A command may hold secrets: nobody is told it who has not proved to be the agent.
        if not equal(proof, listener_proof(key, agent, challenge, nonce)):
            raise CallFailed("what listens there is not the agent: it does not know the agent's key")
        signature = call_signature(key, agent, nonce, "schedule", body)
        authorization = header(CALL_SCHEME, agent=agent, nonce=nonce, signature=signature)
        status, answer, proof = _ask(address, "POST", "/api/v1/tasks/schedule", body, authorization)
        if not equal(proof, answer_signature(key, signature, status, answer)):
            raise CallFailed(
                f"what answered ({status}) is not the agent: its answer is not signed with the agent's key"
            )
        if status != 200:
            raise CallFailed(f"it answered {status}: {answer[:200].decode(errors='replace')}")


def _nonce(address: str, challenge: str) -> tuple[str, str, str]:
    status, answer, _ = _ask(address, "GET", f"/api/v1/nonce?challenge={challenge}", None, "")
    try:
        said = json.loads(answer) if status == 200 else None
        return str(UUID(said["agent"])), str(said["nonce"])[:100], str(said.get("proof", ""))[:100]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CallFailed("no agent of Jobdeck listens there") from None


def _ask(address: str, method: str, path: str, body: bytes | None, authorization: str) -> tuple[int, bytes, str]:
    place = urlsplit(address)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if authorization:
        headers["Authorization"] = authorization
    connection = kind(place.hostname or "", place.port, timeout=DEADLINE)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST_ANSWER), answer.headers.get(ANSWER_HEADER, "")
    except (OSError, HTTPException, ValueError) as error:
        raise CallFailed(f"it cannot be reached: {error}") from error
    finally:
        connection.close()
