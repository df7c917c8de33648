"""How agents are let in, named, and removed."""

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from jobs import clock
from jobs.errors import JobError
from jobs.faultpoints import FaultPoint
from jobs.schedules.assigning import end_assignments, have_agents_ask, reconcile
from jobs.schedules.due import give_up_removed
from jobs.schedules.models import Agent, EnrolToken
from jobs.schedules.models.agent import NAME
from jobs.secret import SecretUnreadable
from jobs.transactions import committing

ENROL = FaultPoint("schedules.enrol")

PREFIX = "jobdeck-agent_"
GOOD_FOR = timedelta(hours=24)
MOST_TAGS = 50


class EnrolInvalid(JobError, ValueError):
    """A name, tag or key that an agent cannot have.

    Attributes:
        errors: field to what is wrong with it and what would do.
    """

    def __init__(self, errors: dict[str, str]):
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))
        self.errors = errors


class TokenRefused(JobError):
    """The token lets nobody in."""


def make_enrol_token(
    made_by, *, name: str = "", tags: Iterable[str] = (), expires: datetime | None = None
) -> tuple[EnrolToken, str]:
    """Make a token that lets one agent in.

    Args:
        made_by: who lets it in; None: the site itself.
        name: of the agent; empty: as it calls itself.
        tags: of the agent, beside those that it says itself.
        expires: None for a day from now.

    Returns:
        Its row, and its text, which is kept nowhere.

    Raises:
        EnrolInvalid: the name or a tag cannot be one.
    """
    tags = _checked(name, tags, may_be_empty=True)
    now = clock.now()
    text = PREFIX + secrets.token_urlsafe(32)
    row = EnrolToken.objects.create(
        digest=EnrolToken.digest_of(text),
        ending=text[-4:],
        name=name,
        tags=tags,
        made_by=made_by,
        created=now,
        expires=expires or now + GOOD_FOR,
    )
    return row, text


def enrol(text: str, key: str, *, name: str, tags: Iterable[str] = (), facts: Mapping[str, Any] | None = None) -> Agent:
    """Let an agent in by a token; with the same token and key once more, it is the same agent.

    Args:
        text: of the token.
        key: that the agent has made: 64 hexadecimal digits.
        name: as it calls itself, where the token does not say.
        tags: as it says itself.
        facts: fields of `Agent` that it said of itself.

    Raises:
        TokenRefused: the token is not known, was used, or is too old.
        EnrolInvalid: names what is wrong; the token is still good.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        raise EnrolInvalid({"key": "must be 64 hexadecimal digits"})
    try:
        with committing(ENROL):
            token = EnrolToken.objects.select_for_update(no_key=True).filter(digest=EnrolToken.digest_of(text)).first()
            if token is not None and token.agent_id is not None:
                known = Agent.objects.enrolled().filter(pk=token.agent_id).first()
                # Its answer was lost. The key is as good a proof as any.
                if known is not None and _has_key(known, key):
                    return known
            if token is None or token.used is not None or token.expires <= clock.now():
                raise TokenRefused("this token is not known here, was used already, or is too old; have a new one made")
            name = token.name or name
            checked = _checked(name, [*token.tags, *tags])
            agent = Agent.objects.enrolled().filter(name=name).first()
            # With another token, after it has lost its first one: who has the key is the agent.
            if agent is None or not _has_key(agent, key):
                agent = Agent(name=name, tags=checked, enrolled=clock.now(), key=key, **(facts or {}))
                agent.save()
            token.used, token.agent = clock.now(), agent
            token.save(update_fields=["used", "agent"])
    except IntegrityError as error:
        raise EnrolInvalid({"name": _taken(name)}) from error
    reconcile()
    return agent


def change_agent(agent: Agent, *, name: str | None = None, tags: Iterable[str] | None = None) -> Agent:
    """Change the name or the tags of an agent; schedules that choose by them follow.

    Raises:
        EnrolInvalid: names what is wrong.
    """
    name = agent.name if name is None else name
    tags = _checked(name, agent.tags if tags is None else tags)
    try:
        with transaction.atomic():
            Agent.objects.filter(pk=agent.pk).update(name=name, tags=tags)
            have_agents_ask([agent.pk])
    except IntegrityError as error:
        raise EnrolInvalid({"name": _taken(name)}) from error
    agent.name, agent.tags = name, tags
    reconcile()
    return agent


def remove_agent(agent: Agent) -> None:
    """Remove an agent: its key opens nothing any more, and what it has yet to say is not heard. Its past stays."""
    with transaction.atomic():
        # Assignments before agents, as everywhere.
        end_assignments(agent.assignments.all())
        Agent.objects.enrolled().filter(pk=agent.pk).update(removed=clock.now(), address="")
    give_up_removed()


def _has_key(agent: Agent, key: str) -> bool:
    try:
        return hmac.compare_digest(agent.key.reveal(), key)
    except SecretUnreadable:
        return False


def _checked(name: str, tags: Iterable[str], *, may_be_empty: bool = False) -> list[str]:
    errors = {}
    if name or not may_be_empty:
        try:
            NAME(name)
        except ValidationError as error:
            errors["name"] = f"{name!r} {error.message}"
    kept = list(dict.fromkeys(tags))
    try:
        for tag in kept:
            NAME(tag)
    except ValidationError as error:
        errors["tags"] = f"{tag!r} {error.message}"
    if len(kept) > MOST_TAGS:
        errors["tags"] = f"may be at most {MOST_TAGS}"
    if errors:
        raise EnrolInvalid(errors)
    return kept


def _taken(name: str) -> str:
    return f"there is an agent called {name!r} already; choose another name, or remove that one first"
