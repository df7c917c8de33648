"""The pool and the sites on which the documentation's lines are done."""

import pytest

from tests.condor.conftest import pool
from tests.condor.live import Live

__all__ = ["pool"]


@pytest.fixture
def live(pool, ann):
    """The pool, as a site uses it; its jobs are gone when the test is over."""
    folders = [pool.shared_folder] if pool.shared_folder else []
    live = Live(pool, ann, shared_folders=folders)
    live.scheduler.name = "Lab pool"
    live.scheduler.save(update_fields=["name"])
    yield live
    live.close()
