"""The real pool, for the tests of what fails on the way to it."""

from tests.condor.conftest import our_pool, pool

__all__ = ["our_pool", "pool"]
