"""Being let in: the agent makes its key, keeps it, and sends it once with a token that is good once."""

import dataclasses
import json
import platform
import re
import secrets
import socket
import time

from jobs.schedules.agent import VERSION
from jobs.schedules.agent.records import Identity
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.transport import Answer, Away, Transport

_TRIES = 5
_TOKEN = re.compile(r"[\x21-\x7e]{1,500}")


class NotLetInError(Exception):
    """The agent was not let in; says why, and what to do."""


def host_facts() -> dict[str, str]:
    """What the site shows of the host."""
    return {
        "version": VERSION,
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def enrol(store: Store, site: str, token: str, name: str, tags: tuple[str, ...], ca: str = "") -> Identity:
    """Be let in by the site. Repeated with the same store it is the same agent, also where an answer was lost.

    Raises:
        NotLetInError: the site refuses, does not answer, or another one has let this agent in.
    """
    who = store.identity()
    if who is not None and who.agent:
        raise NotLetInError(
            f"this folder is that of the agent {who.name} of {who.site}; give another one a folder of its own with --data"
        )
    if not _TOKEN.fullmatch(token):
        raise NotLetInError("the token is none: it is empty, or has characters that no token has")
    key = who.key if who is not None and who.site == site else secrets.token_bytes(32)
    who = Identity(site, key, name, tags, ca)
    store.keep_identity(who)
    body = {"token": token, "key": key.hex(), "name": name, "tags": list(tags), **host_facts()}
    answer = _answer(Transport(site, ca), json.dumps(body).encode())
    said = answer.json()
    if answer.status != 200:
        raise NotLetInError(
            f"{site} does not let this agent in: {answer.detail or 'no reason given'} ({answer.status})"
        )
    agent, name, tags = said.get("agent"), said.get("name"), said.get("tags")
    if not isinstance(agent, str) or not isinstance(name, str) or not isinstance(tags, list):
        raise NotLetInError(f"{site} answers, but not as a Jobdeck site does; check the address")
    who = dataclasses.replace(who, agent=agent, name=name, tags=tuple(map(str, tags)))
    store.keep_identity(who)
    return who


def _answer(transport: Transport, body: bytes) -> Answer:
    for tried in range(1, _TRIES + 1):
        try:
            answer = transport.post("enrol", body)
            if answer.status < 500:
                return answer
            why = f"{answer.status} {answer.detail}".rstrip()
        except Away as error:
            why = str(error)
        if tried < _TRIES:
            time.sleep(0.1 * 2**tried)
    raise NotLetInError(
        f"the site does not answer ({why}). Do the same again when it does: the token is good until the site has answered"
    )
