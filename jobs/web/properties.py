"""A job's extended properties as a person reads them: names and values, lists and small tables."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.web.display import words

MOST_ITEMS = 100
DEEPEST = 4


@dataclass(frozen=True)
class Property:
    """One property.

    Attributes:
        name: for people.
        value: of a plain one, or of one that is too deep to be laid out.
        parts: the properties inside of it; `flat` where each of them is plain, so that they fit side by side.
    """

    name: str
    value: str = ""
    parts: Sequence["Property"] = field(default_factory=list)

    @property
    def flat(self) -> bool:
        return bool(self.parts) and not any(part.parts for part in self.parts)


def properties(values: Any) -> list[Property]:
    """The extended properties of a job, in their own order; `MOST_ITEMS` of each level."""
    return _parts(values, 1) if isinstance(values, dict) else []


def _parts(values: dict, depth: int) -> list[Property]:
    return [_property(words(key), value, depth) for key, value in list(values.items())[:MOST_ITEMS]]


def _property(name: str, value: Any, depth: int) -> Property:
    if isinstance(value, dict) and value and depth < DEEPEST:
        return Property(name, parts=_parts(value, depth + 1))
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value) and depth < DEEPEST:
        numbered = {str(number): item for number, item in enumerate(value[:MOST_ITEMS], 1)}
        return Property(name, parts=_parts(numbered, depth + 1))
    return Property(name, _plain(value))


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.12g}"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        more = f", … ({len(value)})" if len(value) > MOST_ITEMS else ""
        return ", ".join(_plain(item) for item in value[:MOST_ITEMS]) + more
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
