"""Whether a call comes from the agent that it names, is as the agent sent it, and comes for the first time."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication

from jobs import clock
from jobs.schedules.agent.signing import (
    ANSWER_HEADER,
    SCHEME,
    answer_signature,
    equal,
    read_header,
    request_signature,
    session_proof,
)
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Agent
from jobs.secret import SecretUnreadable

OFFER = timedelta(seconds=60)
"""Within which a session must be used first."""
LARGEST = 2_000_000
"""Bytes of a body."""
_NAMES = ("agent", "session", "counter", "nonce", "signature")
_LONGEST_COUNT = 18
"""Digits; the column holds all such numbers."""


class CallRefused(exceptions.AuthenticationFailed):
    """A call that is not taken for the agent's; `code` says what it should do."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


STATUSES = {"removed": 403, "header": 400}
"""Of the codes of `CallRefused`; of the others, 401."""


@dataclass(frozen=True)
class AgentCaller:
    """Who an agent's call is made by; it is nobody of the site's people."""

    agent: Agent
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    pk: None = None

    def has_perm(self, permission, obj=None) -> bool:
        """It has none."""
        return False

    def __str__(self):
        return f"agent {self.agent}"


class SignedByAgent(BaseAuthentication):
    """Takes a signed call for its agent's: `request.user` is an `AgentCaller`, `request.auth` the call's signature."""

    def authenticate(self, request):
        header = request.headers.get("Authorization", "")
        if not header.startswith(f"{SCHEME} "):
            return None
        values = read_header(header, SCHEME, _NAMES)
        counter = values and values["counter"]
        if not values or not (counter.isascii() and counter.isdigit() and len(counter) <= _LONGEST_COUNT):
            raise CallRefused(
                f"Authorization: must be '{SCHEME} agent=…, session=…, counter=…, nonce=…, signature=…'", "header"
            )
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            raise CallRefused(f"The body is larger than {LARGEST:,} bytes.", "header")
        agent = agent_of(values["agent"])
        key = agent and key_of(agent)
        purpose = request.path.rstrip("/").rpartition("/")[2]
        if task := request.parser_context["kwargs"].get("task_id"):
            purpose = f"{task}/{purpose}"
        signed = key and request_signature(
            key,
            values["agent"],
            values["session"],
            int(counter),
            values["nonce"],
            purpose,
            request._request.body,
        )
        if not signed or not equal(signed, values["signature"]):
            if agent:
                _note_refused(agent, "a call in its name was not signed with its key, or was altered on its way")
            raise CallRefused("No agent is known by that id here, or the call is not signed with its key.", "signature")
        # From here on the answer is signed: the agent can believe what it says.
        request._request.signed_for = key, signed
        if agent.removed is not None:
            raise CallRefused("This agent was removed from the site.", "removed")
        if not _counts(agent, values["session"], int(counter)):
            if values["session"] == agent.session:
                _note_refused(agent, "a call of it came a second time")
            raise CallRefused("The session is over, or the call came before; say hello.", "session")
        return AgentCaller(agent), signed

    def authenticate_header(self, request) -> str:
        return SCHEME


class SignsAnswers:
    """A view that answers under a signature what was asked under one, whatever the answer is."""

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        signed_for = getattr(self.request._request, "signed_for", None)
        if signed_for:
            response.add_post_render_callback(lambda rendered: _sign(rendered, *signed_for))
        return response


def _sign(response, key: bytes, signature: str) -> None:
    response[ANSWER_HEADER] = answer_signature(key, signature, response.status_code, response.content)


def agent_of(text: str) -> Agent | None:
    """The agent with that id, be it removed."""
    try:
        return Agent.objects.filter(uuid=UUID(text)).first()
    except ValueError:
        return None


def key_of(agent: Agent) -> bytes:
    """The agent's key; one that nobody has where the site cannot read it any more."""
    try:
        return bytes.fromhex(agent.key.reveal())
    except SecretUnreadable:
        return secrets.token_bytes(32)


def offer_session(agent: Agent, nonce: str) -> dict:
    """A session for an agent, and the proof that it is this site that offers it. Nothing is kept until it is used."""
    now = microseconds(clock.now())
    # Newer than the one before also where the site's clock was set back since.
    text = f"{max(now, agent.session_made + 1)}-{secrets.token_hex(8)}"
    session = f"{text}-{_seal(agent, text)}"
    return {"session": session, "now": now, "proof": session_proof(key_of(agent), str(agent.uuid), nonce, session, now)}


def _counts(agent: Agent, session: str, counter: int) -> bool:
    """Whether the call is a new one; if so it is noted as a sign of life, in one statement that only one call can win."""
    going_on = Q(session=session, counter__lt=counter)
    made = _made(agent, session)
    if made is not None and microseconds(clock.now()) - made <= OFFER // timedelta(microseconds=1):
        going_on |= Q(session_made__lt=made)
    row = Agent.objects.enrolled().filter(going_on, pk=agent.pk)
    values = {"counter": counter, "last_seen": clock.now()}
    if session != agent.session:
        values |= {"session": session, "session_made": made or 0}
    return bool(row.update(**values))


def _made(agent: Agent, session: str) -> int | None:
    """When this site offered the session; None where it did not."""
    text, _, seal = session.rpartition("-")
    number = text.partition("-")[0]
    if not number.isdigit() or not hmac.compare_digest(seal.encode(), _seal(agent, text).encode()):
        return None
    return int(number)


def _seal(agent: Agent, text: str) -> str:
    message = f"jobdeck agent session {agent.uuid.hex} {text}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()[:32]


def _note_refused(agent: Agent, reason: str) -> None:
    Agent.objects.filter(pk=agent.pk).update(refused=F("refused") + 1, refused_time=clock.now(), refused_reason=reason)
