"""Which tests apply to which engine: what an engine does not claim to do is not tested on it."""

import pytest

from tests.contract.worlds.base import World


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*what): only for engines and ways to run them that have all this")
    config.addinivalue_line("markers", "once: the broker has no part in it, so one of an engine's drivers will do")


def pytest_collection_modifyitems(config, items):
    kept = [item for item in items if _applies(item)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if not _applies(item)])
        items[:] = kept


def _applies(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if "place" in params:
        world, driver = params["place"]
    elif isinstance(params.get("world"), type) and issubclass(params["world"], World):
        world, driver = params["world"], None
    else:
        return True
    if driver is not None and item.get_closest_marker("once") and driver != world.drivers[0]:
        return False
    wanted = [what for mark in item.iter_markers("needs") for what in mark.args]
    return all(_has(world, driver, what) for what in wanted)


def _has(world: type[World], driver: str | None, what: str) -> bool:
    if what == "processes":
        return driver not in (None, "settle")
    if what in ("exit_codes", "full_answers", "can_be_away"):
        return getattr(world, what)
    return getattr(world.supports, what)
