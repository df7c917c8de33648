"""Single values as a person reads them; the exact one is kept beside what is rounded or cut."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat

LONGEST_NAME = 60
LONGEST_CELL = 120
"""Characters of a text in a table; what is longer is cut."""
LONGEST_LINE = 200
"""Characters from which a text stands in a block of its own."""
LONGEST_TEXT = 20_000
"""Characters of a value that is the whole result."""
LONGEST_EXACT = 300
"""Characters of an exact value that is offered beside a short one."""
LONGEST_PART = 4000
"""Characters of a value that is a part of the result."""
LONGEST_INTEGER = 40
"""Digits of an integer that are shown."""
LARGEST_PLAIN = 10**15
MOST_PAIRS = 200

_BEGINNING = "Only the beginning is shown."
_WORDS = {None: ("none", "null"), True: ("yes", "true"), False: ("no", "false")}


@dataclass(frozen=True, slots=True)
class Value:
    """A value.

    Attributes:
        text: what is shown.
        exact: all of it, where `text` is not.
        kind: 'number', 'word' (none, yes, no), 'text', or 'json' for lists and dictionaries.
        block: it stands in lines of its own.
        note: how much of it is shown, where that is not all.
        is_cut: `text` on its line is not all of it.
    """

    text: str
    exact: str = ""
    kind: str = "text"
    block: bool = False
    note: str = ""
    is_cut: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind == "number"


@dataclass(frozen=True, slots=True)
class Pair:
    """A value with its name; `exact` is the name where it was cut."""

    name: str
    value: Value
    exact: str = ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values; `more` says how many are left out."""

    items: tuple[Pair, ...]
    more: str = ""


def is_scalar(value: Any) -> bool:
    """Whether a JSON value is neither list nor dictionary."""
    return not isinstance(value, list | dict)


def are_scalars(values: Iterable[Any]) -> bool:
    """Whether none of the values is a list or dictionary; a million of them are looked at in 20 ms."""
    return {list, dict}.isdisjoint(map(type, values))


def figure(number: float) -> str:
    """A number with up to six significant digits: '0.333333', '1.5e-7'; an integer with all up to fifteen."""
    if isinstance(number, int) and abs(number) < LARGEST_PLAIN:
        return str(number)
    mantissa, _, exponent = f"{number:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def whole(value: Any, most: int = LONGEST_PART) -> Value:
    """A value that has a place of its own: up to `most` characters of a text, a list or dictionary laid out."""
    if isinstance(value, str):
        return Value(
            writable(value[:most]),
            block=len(value) > LONGEST_LINE or "\n" in value,
            note=f"The first {most:,} of {len(value):,} characters are shown." if len(value) > most else "",
        )
    if is_scalar(value):
        return short(value)
    what = "list" if isinstance(value, list) else "dictionary"
    return _laid_out(value, most, lambda: f"Only the beginning of a {what} of {len(value):,} is shown.")


def short(value: Any) -> Value:
    """A value on one line, as in a cell of a table."""
    if value is None or isinstance(value, bool):
        return Value(*_WORDS[value], kind="word")
    if isinstance(value, float):
        text, exact = figure(value), repr(value)
        return Value(text, exact if exact != text else "", "number")
    if isinstance(value, int):
        text = str(value)
        if len(text) <= LONGEST_INTEGER:
            return Value(text, kind="number")
        return Value(f"{text[:20]}…{text[-8:]}", _beside(text), "number", is_cut=True)
    if isinstance(value, str):
        return Value(_cut(writable(value[: LONGEST_CELL + 1])), _beside(value), is_cut=len(value) > LONGEST_CELL)
    text, complete = _beginning(value, LONGEST_CELL, None)
    return Value(text if complete else f"{text}…", kind="json", is_cut=not complete)


def laid_out(value: Any, size: int | None = None) -> Value:
    """A list or dictionary as indented JSON, or its beginning.

    Args:
        value: what JSON can say.
        size: bytes of the whole as it is downloaded. Where nobody knows them they are counted, 25 ms for a megabyte.
    """

    def note() -> str:
        length = size or _size(value)
        return f"Only the beginning is shown; all of it is {filesizeformat(length)}." if length else _BEGINNING

    return _laid_out(value, LONGEST_TEXT, note)


def _laid_out(value: Any, most: int, note: Callable[[], str]) -> Value:
    plain_list = isinstance(value, list) and are_scalars(value)
    text, complete = _beginning(value, most, None if plain_list else 2)
    if complete:
        return Value(text, kind="json", block=True)
    if plain_list:
        return Value(f"{text.rpartition(' ')[0] or text} …", kind="json", block=True, note=note())
    return Value((text.rpartition("\n")[0] or text) + "\n…", kind="json", block=True, note=note())


def pairs(values: dict[str, Any]) -> Pairs:
    """A dictionary as names and values in its own order, first what fits into a line."""
    items = []
    for key in list(values)[:MOST_PAIRS]:
        name = name_of(key)
        items.append(Pair(name, whole(values[key]), _beside(key) if name != key else ""))
    items.sort(key=lambda pair: pair.value.block)
    left = len(values) - len(items)
    return Pairs(tuple(items), f"{left:,} more are not shown." if left > 0 else "")


def name_of(key: str, most: int = LONGEST_NAME) -> str:
    """A key as it can stand in a heading."""
    return _cut(writable(str(key)[: most + 1]), most)


def writable(text: str) -> str:
    """A text that UTF-8 can say: JSON may hold halves of surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode()


def _cut(text: str, most: int = LONGEST_CELL) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _beside(text: str) -> str:
    """What is offered beside a text that may be cut; empty where it is not, or where that is too long as well."""
    return writable(text) if LONGEST_INTEGER < len(text) <= LONGEST_EXACT else ""


def _beginning(value: Any, most: int, indent: int | None) -> tuple[str, bool]:
    """The first characters of a value's JSON, and whether that is all; no more is written than is needed."""
    parts: list[str] = []
    length = 0
    for part in json.JSONEncoder(indent=indent, ensure_ascii=False, default=str).iterencode(value):
        parts.append(part)
        length += len(part)
        if length > most:
            break
    return writable("".join(parts)[:most]), length <= most


def _size(value: Any) -> int:
    """Bytes of its JSON; 0 where it is nested too deeply to be written."""
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace"))
    except RecursionError:
        return 0
