"""JSON as the standard has it: no NaN, no Infinity, nothing made a text behind somebody's back."""

import json


class NotJson(ValueError):
    """JSON cannot hold a value; the message names the place."""


def to_json(value, place: str = "result") -> str:
    """A value as JSON, and nothing that only looks like it.

    Args:
        place: what to call the value in an error.

    Raises:
        NotJson: JSON cannot hold it; the message names the place and what is there.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        where, what = _find(value, place, set()) or (place, str(error))
        raise NotJson(f"{where} is {what}, which JSON cannot hold") from error


def _find(value, place: str, above: set[int]) -> tuple[str, str] | None:
    """The first place below `value` that JSON cannot hold, and what is there."""
    if value is None or isinstance(value, str | bool | int):
        return None
    if isinstance(value, float):
        return None if value - value == 0 else (place, f"the number {value}")
    if id(value) in above:
        return place, "inside itself"
    if isinstance(value, dict):
        for key in value:
            if not (key is None or isinstance(key, str | bool | int | float)):
                return place, f"a dictionary with the key {key!r}"
        inner = ((f"{place}[{key!r}]", one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        inner = ((f"{place}[{number}]", one) for number, one in enumerate(value))
    else:
        kind = type(value)
        hint = " (return its .tolist())" if hasattr(value, "tolist") else ""
        return place, f"a {kind.__module__}.{kind.__qualname__}{hint}".replace("builtins.", "")
    if len(above) > 900:
        return place, "too deep"
    for where, one in inner:
        found = _find(one, where, above | {id(value)})
        if found:
            return found
    return None
