"""How long tests of agents wait: programs start, and calls that nobody answers are given up after 20 s, on busy machines too."""

from tests.local.conftest import eventually as soon

PATIENCE = 60.0
"""Seconds."""


def eventually(condition):
    """Wait until the condition holds and return what it answered."""
    return soon(condition, PATIENCE)
