"""The ways to the pool that workflows go."""

import pytest

from tests.condor.workflows.live import WAYS, LiveWorkflows


@pytest.fixture
def live(pool, ann) -> LiveWorkflows:
    """The pool, which shares no folder with this machine."""
    live = LiveWorkflows(pool, ann)
    yield live
    live.close()


@pytest.fixture(params=WAYS)
def any_way(request, pool, ann) -> LiveWorkflows:
    """The pool, by each of the ways to it."""
    live = WAYS[request.param](pool, ann)
    yield live
    live.close()
