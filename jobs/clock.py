"""The one clock that the app reads, so that tests can move time (`jobs.testing.FakeClock`)."""

from datetime import datetime

from django.utils import timezone

_source = timezone.now


def now() -> datetime:
    """The current time, aware, in UTC."""
    return _source()


def use(source) -> None:
    """Read the time from `source()` from now on; `None` brings the machine's clock back."""
    global _source
    _source = source or timezone.now
