"""What an agent knows: who it is, what it has decided to run, and what it leaves out."""

from dataclasses import dataclass

THROWN_AWAY = "its output was thrown away"
"""Begins the reason of an execution whose output was."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the agent is.

    Attributes:
        site: address of the site, with a slash at its end.
        key: 32 bytes that site and agent share.
        agent: its id; empty where the site has not let it in yet.
        ca: file with the certificates that are believed; empty for the system's.
    """

    site: str
    key: bytes
    name: str
    tags: tuple[str, ...] = ()
    ca: str = ""
    agent: str = ""

    def __repr__(self) -> str:
        return f"Identity({self.name!r} of {self.site!r})"


@dataclass(frozen=True, slots=True)
class Open:
    """An execution that was decided to run, and of which the end is not known.

    Attributes:
        document: its schedule, as it was when it was decided.
        boot: of the host, then.
    """

    id: str
    schedule: str
    due: int
    asked: bool
    document: dict
    boot: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A due time that is not run."""

    id: str
    schedule: str
    due: int
    state: str
    """`skipped` or `missed`."""
    reason: str
    asked: bool = False
