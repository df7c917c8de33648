"""Functions of app code that travel through a page: by dotted path, signed, never as anything that could run."""

from collections.abc import Callable

from django.utils.module_loading import import_string


def path_of(function: Callable, option: str) -> str:
    """The dotted path from which another process imports `function`.

    Args:
        function: at the top level of a module.
        option: the name of the option that it was given for, for the message.

    Raises:
        ValueError: a lambda, a method, or a function inside of another one.
    """
    path = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    try:
        found = import_string(path)
    except ImportError:
        found = None
    if found is not function:
        raise ValueError(
            f"{option}: {path} cannot be found again when the page asks for it; use a function at the top level of a module"
        )
    return path
