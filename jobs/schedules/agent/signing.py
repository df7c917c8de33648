"""How site and agent prove to each other who speaks: HMAC-SHA256 (RFC 2104) with the agent's own key.

A request of the agent bears a session, which the site made, a counter that rises with each request of the session, and a
nonce of the agent; its signature covers these, what it is for, and its body. So no request can be altered, and none be
sent twice. The signature of an answer covers that of its request: an answer belongs to one request. No clock of the agent
comes into it.
"""

import hashlib
import hmac

SCHEME = "Jobdeck-Agent"
"""Of the header `Authorization` of an agent's request."""
CALL_SCHEME = "Jobdeck-Site"
"""The same of a site's call to an agent that listens."""
ANSWER_HEADER = "Jobdeck-Signature"


def request_signature(key: bytes, agent: str, session: str, counter: int, nonce: str, purpose: str, body: bytes) -> str:
    """Of what an agent asks.

    Args:
        key: the agent's, 32 bytes.
        agent: its id.
        session: as the site gave it.
        counter: of this request in the session.
        nonce: 32 hexadecimal digits at random.
        purpose: the last part of the URL's path, such as `sync`, or its last two where the one before is a task's id.
        body: as it is sent.
    """
    return _sign(key, "request", agent, session, str(counter), nonce, purpose, _digest(body))


def answer_signature(key: bytes, request: str, status: int, body: bytes) -> str:
    """Of the answer to the request with the signature `request`."""
    return _sign(key, "answer", request, str(status), _digest(body))


def session_proof(key: bytes, agent: str, nonce: str, session: str, now: int) -> str:
    """Of the answer to `hello`: that the site which gives the session knows the key, and heard this agent's nonce."""
    return _sign(key, "session", agent, nonce, session, str(now))


def call_signature(key: bytes, agent: str, nonce: str, purpose: str, body: bytes) -> str:
    """Of what a site asks of an agent that listens; the nonce is the agent's, and good for one call."""
    return _sign(key, "call", agent, nonce, purpose, _digest(body))


def listener_proof(key: bytes, agent: str, challenge: str, nonce: str) -> str:
    """Of an agent that listens: that it knows the key, before it is told anything.

    Args:
        key: the agent's.
        agent: its id.
        challenge: 32 hexadecimal digits at random, of the site.
        nonce: of the agent, for the call that follows.
    """
    return _sign(key, "listener", agent, challenge, nonce)


def header(scheme: str, **values) -> str:
    """The header `Authorization`."""
    return f"{scheme} " + ", ".join(f"{name}={value}" for name, value in values.items())


def read_header(text: str, scheme: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """The values in a header `Authorization` of that scheme; None where it is none, or one is missing."""
    found, _, rest = text.partition(" ")
    if found != scheme:
        return None
    pairs = (part.strip().partition("=") for part in rest.split(","))
    values = {name: value for name, _, value in pairs}
    return values if set(values) == set(names) else None


def equal(one: str, other: str) -> bool:
    """Whether two signatures are the same; takes the same time either way."""
    return hmac.compare_digest(one.encode(), other.encode())


def _sign(key: bytes, kind: str, *parts: str) -> str:
    text = "\n".join((f"jobdeck 1 {kind}", *parts))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
