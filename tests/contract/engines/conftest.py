"""Each test here gets every engine, and calls it as worker and monitor would."""

from contextlib import suppress

import pytest
from django.core.management.base import CommandError
from django.test import TransactionTestCase

from tests.contract.engines.desk import Desk
from tests.contract.worlds import worlds


def pytest_generate_tests(metafunc):
    if "world" in metafunc.fixturenames:
        metafunc.parametrize("world", [_param(world) for world in worlds()], indirect=True)


def _param(world):
    marks = [pytest.mark.django_db(transaction=True)] if world.transactional else []
    return pytest.param(world, id=world.name, marks=marks)


@pytest.fixture(scope="package", autouse=True)
def emptied_beside_workers():
    """Workers look into the tables that are emptied after a test; of two that wait for each other PostgreSQL ends one."""
    empty = TransactionTestCase._fixture_teardown

    def again(case) -> None:
        for _ in range(2):
            with suppress(CommandError):
                empty(case)
                return
        empty(case)

    TransactionTestCase._fixture_teardown = again
    yield
    TransactionTestCase._fixture_teardown = empty


@pytest.fixture(scope="package")
def workers(django_db_setup, tmp_path_factory):
    """Starts the workers of a world when they are first needed. They end with these tests: others have their own."""
    started = {}

    def start(world) -> None:
        if world not in started:
            started[world] = world.start_workers(tmp_path_factory.mktemp(world.name))

    yield start
    for worker in filter(None, started.values()):
        worker.terminate()
        worker.wait(timeout=30)


@pytest.fixture
def world(request, ann, workers, tmp_path):
    """The engine's world, for this test alone."""
    outside = tmp_path / "outside"
    outside.mkdir()
    workers(request.param)
    with request.param.running_engine() as engine:
        world = request.param(ann, outside, engine)
        yield world
        world.close()


@pytest.fixture
def desk(world) -> Desk:
    """Where the test plays worker and monitor."""
    return Desk(world)
