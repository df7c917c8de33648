"""The engines that the suite runs on: every module of this package holds one `World`."""

import pkgutil
from importlib import import_module
from inspect import isabstract

from tests.contract.worlds.base import World


def worlds() -> list[type[World]]:
    """All worlds, by name. A new file in this folder is found by itself."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return sorted(_concrete(World), key=lambda world: world.name)


def _concrete(world: type[World]) -> list[type[World]]:
    below = [one for subclass in world.__subclasses__() for one in _concrete(subclass)]
    return below if isabstract(world) else [world, *below]
