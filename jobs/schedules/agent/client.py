"""Signed requests to the site. What is not signed as the answer to the very request is not believed, whatever it says."""

import json
import logging
import re
import secrets
import threading

from jobs.schedules.agent.clock import Clock
from jobs.schedules.agent.records import Identity
from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    SCHEME,
    answer_signature,
    equal,
    header,
    request_signature,
    session_proof,
)
from jobs.schedules.agent.transport import Answer, Away, Transport

# What stands in a header and in a signature must end where it seems to.
_SESSION = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,200}")

log = logging.getLogger("jobdeck-agent")


class Refused(Exception):
    """The site answered, and does not want it.

    Attributes:
        status: of HTTP.
        is_certain: whether the answer was signed.
        code: what the site calls it.
    """

    def __init__(self, answer: Answer, is_certain: bool):
        super().__init__(f"{answer.detail or 'no reason given'} ({answer.status})")
        self.status, self.is_certain = answer.status, is_certain
        self.code = str(answer.json().get("code", ""))


class Client:
    """An agent's word with its site; from any thread, one after the other.

    Args:
        who: the agent, let in.
        transport: to its site.
        clock: learns from each answer that says what time it is.
    """

    def __init__(self, who: Identity, transport: Transport, clock: Clock):
        self._who, self._transport, self._clock = who, transport, clock
        self._lock = threading.Lock()
        self._session = ""
        self._counter = 0

    def ask(self, purpose: str, what: dict) -> dict:
        """Send a request, signed.

        Returns: what the site answered.

        Raises:
            Away: there was no answer, or none that is the site's.
            Refused: it does not take it.
        """
        body = json.dumps(what, ensure_ascii=False).encode()
        with self._lock:
            for _ in range(4):
                if not self._session:
                    # On a connection of its own: one that was kept may be none any more.
                    self._transport.hang_up()
                    self._say_hello()
                try:
                    answer, sent, received = self._send(purpose, body)
                except Away as error:
                    if error.is_stale:
                        continue
                    raise
                if answer is not None:
                    break
            else:
                raise Away("it does not keep the sessions that it gives")
        said = answer.json()
        if isinstance(now := said.get("now"), int):
            self._clock.learn(sent, received, now)
        if answer.status >= 500 or answer.status == 429:
            raise Away(f"it says {answer.status} {answer.detail}".rstrip())
        if answer.status != 200:
            raise Refused(answer, is_certain=True)
        return said

    def _send(self, purpose: str, body: bytes) -> tuple[Answer | None, int, int]:
        """One try; no answer where another session is needed."""
        self._counter += 1
        nonce = secrets.token_hex(16)
        who, session, counter = self._who, self._session, self._counter
        signature = request_signature(who.key, who.agent, session, counter, nonce, purpose, body)
        login = header(SCHEME, agent=who.agent, session=session, counter=counter, nonce=nonce, signature=signature)
        sent = self._clock.steady()
        answer = self._transport.post(purpose, body, {"Authorization": login})
        received = self._clock.steady()
        expected = answer_signature(who.key, signature, answer.status, answer.body)
        if equal(answer.header(ANSWER_HEADER), expected):
            return answer, sent, received
        code = answer.json().get("code") if answer.status == 401 else None
        if code == "session":
            self._session = ""
            return None, 0, 0
        if code == "signature":
            raise Refused(answer, is_certain=False)
        raise Away(f"an answer ({answer.status}) is not signed by the site, and not believed")

    def _say_hello(self) -> None:
        who, nonce = self._who, secrets.token_hex(16)
        sent = self._clock.steady()
        answer = self._transport.post("hello", json.dumps({"agent": who.agent, "nonce": nonce}).encode())
        received = self._clock.steady()
        if answer.status == 403:
            raise Refused(answer, is_certain=False)
        said = answer.json()
        session, now, proof = said.get("session"), said.get("now"), said.get("proof")
        if (
            answer.status != 200
            or not isinstance(session, str)
            or not isinstance(now, int)
            or not isinstance(proof, str)
        ):
            raise Away(f"it gives no session ({answer.status} {answer.detail})".rstrip())
        if not _SESSION.fullmatch(session):
            raise Away("its session is none")
        if not equal(proof, session_proof(who.key, who.agent, nonce, session, now)):
            raise Away("who answers there does not know this agent's key: it is not the site")
        self._session, self._counter = session, 0
        self._clock.learn(sent, received, now)
