"""What a parameter takes, from its JSON schema: the kind of field that a form has for it, an example, its type in words."""

import enum
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

DEEPEST = 5
"""Levels of an example; a type may hold itself."""
PLAIN = ("integer", "number", "string")


@dataclass(frozen=True)
class Shape:
    """What kind of value a parameter takes.

    Attributes:
        kind: 'integer', 'number', 'boolean', 'string', 'choice', 'list' (of plain values) or 'json' for all else.
        nullable: None will do, too.
        choices: the values of a choice.
        format: of a string that is no mere text: 'date', 'uuid', ….
        items: of a list, what kind of plain values it holds; empty where nothing is said of them.
        least, most: bounds of a number that are allowed themselves.
    """

    kind: str
    nullable: bool = False
    choices: Sequence[Any] = ()
    format: str = ""
    items: str = ""
    least: float | None = None
    most: float | None = None


def shape_of(schema: dict) -> Shape:
    """The shape that a JSON schema of pydantic's describes."""
    definitions = schema.get("$defs", {})
    schema = _resolved(schema, definitions)
    options = [_resolved(option, definitions) for option in schema.get("anyOf", ())]
    if options:
        others = [option for option in options if option.get("type") != "null"]
        nullable = len(others) < len(options)
        if len(others) == 1:
            return _plain(others[0], definitions, nullable)
        kinds = {option.get("type") for option in others}
        return Shape("number" if kinds == {"integer", "number"} else "json", nullable)
    return _plain(schema, definitions, False)


def _plain(schema: dict, definitions: dict, nullable: bool) -> Shape:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is not None:
        choices = tuple(value for value in values if value is not None)
        return Shape("choice", nullable or len(choices) < len(values), choices)
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return Shape(kind, nullable, least=schema.get("minimum"), most=schema.get("maximum"))
    if kind in ("boolean", "string"):
        return Shape(kind, nullable, format=schema.get("format", ""))
    if kind == "array":
        items = _items(schema, definitions)
        if items is not None:
            return Shape("list", nullable, items=items)
    return Shape("json", nullable)


def _items(schema: dict, definitions: dict) -> str | None:
    """What plain values an array holds; empty for anything; None where they are not plain, or not all of a kind."""
    found = [*schema.get("prefixItems", ())]
    if schema.get("items") or not found:
        found.append(schema.get("items", {}))
    kinds = set()
    for item in found:
        item = _resolved(item, definitions)
        if "enum" in item or "const" in item or not (item == {} or item.get("type") in PLAIN):
            return None
        kinds.add(item.get("type", ""))
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else None


def _resolved(schema: dict, definitions: dict) -> dict:
    for _ in range(DEEPEST):
        if "$ref" not in schema:
            return schema
        schema = {**definitions.get(schema["$ref"].rpartition("/")[2], {}), **_without(schema, "$ref")}
    return {}


def _without(schema: dict, *names: str) -> dict:
    return {name: value for name, value in schema.items() if name not in names}


def example_of(schema: dict) -> Any:
    """A value that may do for a JSON schema, for a person to begin with."""
    return _example(_without(schema, "default"), schema.get("$defs", {}), 0)


def _example(schema: dict, definitions: dict, depth: int) -> Any:
    schema = _resolved(schema, definitions)
    for name in ("default", "const"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    if depth > DEEPEST:
        return None
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if option.get("type") != "null":
            return _example(option, definitions, depth + 1)
    kind = schema.get("type")
    if kind == "object":
        inner = schema.get("properties", {})
        if not inner:
            values = schema.get("additionalProperties")
            return {"name": _example(values, definitions, depth + 1) if isinstance(values, dict) else 1.0}
        return {name: _example(one, definitions, depth + 1) for name, one in inner.items()}
    if kind == "array":
        first = [_example(one, definitions, depth + 1) for one in schema.get("prefixItems", ())]
        return first or [_example(schema.get("items", {}), definitions, depth + 1)]
    number = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"integer": number, "number": float(number), "string": "text", "boolean": True, "null": None}.get(kind, 1.0)


def type_name(annotation: Any) -> str:
    """A type as a person writes it in Python: `int`, `list[float]`, `'fast' | 'exact'`, `dict | None`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(inner[0])
    if origin in (Union, types.UnionType):
        return " | ".join(type_name(one) for one in inner)
    if origin is Literal:
        return " | ".join(repr(one.value if isinstance(one, enum.Enum) else one) for one in inner)
    if annotation in (None, type(None)):
        return "None"
    if annotation in (..., typing.Any):
        return "..." if annotation is ... else "Any"
    if origin is not None:
        return f"{type_name(origin)}[{', '.join(type_name(one) for one in inner)}]"
    return getattr(annotation, "__name__", None) or str(annotation).replace("typing.", "")
