"""Workers for Jobdeck's farm runs: `Worker` for programs in Python, `python -m` or the .pyz for any command.

It needs nothing but Python's standard library, and nothing else of Jobdeck.
"""

from .client import Checkout, Farm, HandedOut, Reported
from .errors import FarmError, NotAnswered, Refused, TaskLost
from .library import Task, Worker

__all__ = [
    "Checkout",
    "Farm",
    "FarmError",
    "HandedOut",
    "NotAnswered",
    "Refused",
    "Reported",
    "Task",
    "TaskLost",
    "Worker",
]
