"""Which tests apply to which engine: what an engine does not claim to do is not tested on it."""

import pytest

from tests.contract.worlds.base import World


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*what): only for engines and ways to run them that have all this")
    config.addinivalue_line("markers", "once: the broker has no part in it, so one of an engine's drivers will do")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        world, driver = _world(item)
        if world is not None and (only := world.only_on or world.driver_on.get(driver)):
            item.add_marker(only)
    kept = [item for item in items if _applies(item)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if not _applies(item)])
        items[:] = kept


def _world(item: pytest.Item) -> tuple[type[World] | None, str | None]:
    """The world that a test is about, and what drives it; None for a test about none."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if "place" in params:
        return params["place"]
    world = params.get("world")
    return (world, None) if isinstance(world, type) and issubclass(world, World) else (None, None)


def _applies(item: pytest.Item) -> bool:
    world, driver = _world(item)
    if world is None:
        return True
    if driver is not None and item.get_closest_marker("once") and driver != world.drivers[0]:
        return False
    wanted = [what for mark in item.iter_markers("needs") for what in mark.args]
    return all(_has(world, driver, what) for what in wanted)


def _has(world: type[World], driver: str | None, what: str) -> bool:
    if what == "processes":
        return driver not in (None, "settle")
    if what in ("exit_codes", "full_answers", "has_messages", "can_be_away", "makes_schedulers"):
        return getattr(world, what)
    return getattr(world.supports, what)
