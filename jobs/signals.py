"""Signals for app code, sent after the change is in the database."""

from django.dispatch import Signal

jobs_moved = Signal()
"""Jobs changed status: sent once for each call of the transition function, with `moves`, a list of `jobs.transitions.Move`."""
