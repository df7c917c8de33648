"""condorpy's templates: named sets of commands for a submit description (seed 001, `condorpy_template_name`)."""

from functools import cache


@cache
def template_names() -> tuple[str, ...]:
    """The templates that there are."""
    return tuple(name for name, value in vars(_templates()).items() if isinstance(value, property))


@cache
def _attributes(name: str) -> tuple[tuple[str, str], ...]:
    return tuple(getattr(_templates()(), name).items())


def template_attributes(name: str) -> dict[str, str]:
    """The commands of a template by name; of an empty name none.

    Raises:
        KeyError: there is no such template.
    """
    if not name:
        return {}
    if name not in template_names():
        raise KeyError(name)
    return dict(_attributes(name))


def _templates() -> type:
    # Here, because condorpy brings an SSH library with it that a page need not wait for.
    from condorpy.templates import Templates

    return Templates
