"""Each test here gets every engine with every way to carry out what is wanted: whole jobs, from outside."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from tests.contract.life.brokers import Broker
from tests.contract.life.drivers import Processes, Settling, empty_database
from tests.contract.life.site import Site
from tests.contract.worlds import worlds


def pytest_generate_tests(metafunc):
    if "place" in metafunc.fixturenames:
        places = [
            # Processes are slow to start: where pytest-xdist groups (--dist loadgroup), one process has one broker.
            pytest.param((world, driver), id=f"{world.name}-{driver}", marks=pytest.mark.xdist_group(f"life-{driver}"))
            for world in worlds()
            for driver in world.drivers
        ]
        metafunc.parametrize("place", places, indirect=True, scope="module")


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """Rows are really committed, for other processes to see; the tables are emptied when those have ended.

    pytest-django's fixture of this name, which this one replaces here, empties them after each test: under processes
    that use them, which happens to no site.
    """
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def place(request, transactional_db, tmp_path_factory):
    """A world's class, its engine, and the driver, started once for all tests of the module."""
    world, name = request.param
    broker = None if name == "settle" else Broker(name)
    if broker is not None and (trouble := broker.trouble()):
        pytest.skip(trouble)
    with world.running_engine() as engine:
        driver = Settling() if broker is None else Processes(broker, tmp_path_factory.mktemp(name), world)
        try:
            driver.open()
            yield world, engine, driver
        finally:
            driver.close()
            empty_database()


@pytest.fixture
def site(place, tmp_path) -> Site:
    """The place with a world for this test alone, and a person who owns its jobs."""
    model, engine, driver = place
    world = model(User.objects.create_user(f"ann {uuid4()}"), tmp_path, engine)
    yield Site(world, driver)
    world.close()
