"""The engines that the suite runs on: every module of this package holds one `World`."""

import pkgutil
from importlib import import_module

from tests.contract.worlds.base import World


def worlds() -> list[type[World]]:
    """All worlds, by name. A new file in this folder is found by itself."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return sorted(World.__subclasses__(), key=lambda world: world.name)
