"""Each test here gets every engine, and calls it as worker and monitor would."""

import pytest

from tests.contract.engines.desk import Desk
from tests.contract.worlds import worlds


def pytest_generate_tests(metafunc):
    if "world" in metafunc.fixturenames:
        metafunc.parametrize("world", worlds(), ids=lambda world: world.name, indirect=True)


@pytest.fixture
def world(request, ann, tmp_path):
    """The engine's world, for this test alone."""
    outside = tmp_path / "outside"
    outside.mkdir()
    with request.param.running_engine() as engine:
        world = request.param(ann, outside, engine)
        yield world
        world.close()


@pytest.fixture
def desk(world) -> Desk:
    """Where the test plays worker and monitor."""
    return Desk(world)
