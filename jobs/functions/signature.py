"""A function's parameters: what may be passed for each, and a fingerprint by which two processes know that they agree."""

import hashlib
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from jobs.functions.strict_json import to_json

UNBOUND = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


class ArgumentsError(ValueError):
    """Arguments that do not fit the parameters.

    Attributes:
        problems: by parameter, what is wrong with what was passed for it.
    """

    def __init__(self, problems: Mapping[str, str]):
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as in the function.
        annotation: its type.
        required: it has no default.
        default: what it is where nothing is passed.
    """

    name: str
    annotation: Any
    required: bool
    default: Any = None

    @cached_property
    def adapter(self) -> TypeAdapter:
        """What pydantic makes of the annotation."""
        return TypeAdapter(self.annotation)

    @property
    def type_text(self) -> str:
        """The type as Python writes it: `<class 'int'>`, `list[float]`."""
        return str(self.annotation)

    @cached_property
    def schema(self) -> dict:
        """JSON schema of what may be passed."""
        schema = self.adapter.json_schema()
        return schema if self.required else {**schema, "default": self._default_as_json()}

    def _default_as_json(self):
        try:
            return json.loads(self.adapter.dump_json(self.default, warnings=False))
        except (PydanticSerializationError, ValueError) as error:
            # Whatever else stood for it in the fingerprint might be another in each process.
            raise TypeError(
                f"the parameter {self.name} has a default that is no JSON ({type(self.default).__name__}); use None and "
                "put it in inside"
            ) from error

    def read(self, value: Any) -> Any:
        """The value that the function gets for what was passed, which is JSON.

        No text is taken for a number and no bool for an int; an int is taken for a float.

        Raises:
            ValueError: it does not fit; the message says where and why.
        """
        try:
            return self.adapter.validate_json(to_json(value, "what was passed"), strict=True)
        except ValidationError as error:
            raise ValueError("; ".join(_said(one) for one in error.errors(include_url=False))) from error


def _said(error: Mapping) -> str:
    where = "".join(f"[{step!r}]" for step in error["loc"])
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{where} {message}".strip()


@dataclass(frozen=True)
class Signature:
    """All parameters of one function, in their order."""

    parameters: tuple[Parameter, ...]

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The values by which to call the function.

        Args:
            arguments: by parameter, as JSON; parameters with a default may be missing.

        Raises:
            ArgumentsError: for each parameter that is missing, unknown, or given what does not fit.
        """
        values, problems = {}, {}
        for parameter in self.parameters:
            if parameter.name in arguments:
                try:
                    values[parameter.name] = parameter.read(arguments[parameter.name])
                except ValueError as error:
                    problems[parameter.name] = str(error)
            elif parameter.required:
                problems[parameter.name] = "is missing"
        known = ", ".join(parameter.name for parameter in self.parameters) or "none"
        for name in arguments.keys() - {parameter.name for parameter in self.parameters}:
            problems[str(name)] = f"is no parameter; there are: {known}"
        if problems:
            raise ArgumentsError(problems)
        return values

    def schema(self) -> dict:
        """JSON schema of the arguments as one object."""
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters if parameter.required],
            "additionalProperties": False,
        }


def signature_of(call: Callable) -> Signature:
    """The parameters of a function.

    Raises:
        TypeError: one has no annotation, or one that JSON cannot be read as; or any number of them is taken.
    """
    name = getattr(call, "__qualname__", repr(call))
    hints = typing.get_type_hints(call, include_extras=True)
    parameters = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in UNBOUND:
            raise TypeError(f"{name}: {parameter} cannot be passed by name as JSON; name every parameter")
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name} has no type; write {parameter.name}: int, or so")
        required = parameter.default is inspect.Parameter.empty
        default = None if required else parameter.default
        described = Parameter(parameter.name, hints[parameter.name], required, default)
        try:
            described.schema  # noqa: B018 made now, to fail where the function is defined
        except PydanticUserError as error:
            raise TypeError(
                f"{name}: the parameter {parameter.name} is a {described.type_text}, which no JSON can be read as; "
                f"use a type that pydantic knows ({error.message.splitlines()[0]})"
            ) from error
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from error
        parameters.append(described)
    return Signature(tuple(parameters))


def fingerprint_of(name: str, version: str, signature: Signature) -> str:
    """What is the same in two processes where they mean the same by a function's name: 16 hex digits."""
    said = [name, version, [(one.name, one.required, one.schema) for one in signature.parameters]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
