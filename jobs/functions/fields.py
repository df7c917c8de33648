"""A form's field for each parameter of a function: what is typed there becomes JSON, what stands there at first was JSON."""

import json
import re
from typing import Any, get_args

from django import forms
from django.utils.html import format_html

from jobs.forms import code_area
from jobs.functions.docstrings import marked
from jobs.functions.shapes import Shape, example_of, shape_of, type_name
from jobs.functions.signature import Parameter
from jobs.functions.strict_json import to_json

EMPTY = object()
"""Nothing was typed."""
SHORT = 70
"""Characters of JSON that stand on one line."""

_INTEGER = re.compile(r"[+-]?\d{1,4000}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class ListArgument(forms.CharField):
    """Plain values with commas or spaces between, or JSON."""

    def __init__(self, items: str, **kwargs):
        self.items = items
        attrs = {"spellcheck": "false", "autocapitalize": "off"}
        super().__init__(**{"widget": forms.TextInput(attrs=attrs)} | kwargs)

    def clean(self, value):
        """The list.

        Raises:
            ValidationError: one of the values is of another kind.
        """
        text = super().clean(value)
        if not text:
            return EMPTY
        if text.startswith("["):
            return read_json(text)
        return [self._one(word) for word in re.split(r"\s*,\s*|\s+", text.strip(", \t\r\n"))]

    def _one(self, word: str):
        if self.items == "string":
            return word
        if _INTEGER.fullmatch(word):
            return int(word)
        if self.items == "integer":
            raise forms.ValidationError(f"{word[:60]!r} is no whole number.")
        if _NUMBER.fullmatch(word):
            return float(word)
        hint = "" if self.items else ' A list of other things is written as JSON: ["a", "b"]'
        raise forms.ValidationError(f"{word[:60]!r} is no number.{hint}")


class JsonArgument(forms.CharField):
    """Anything, as JSON."""

    def __init__(self, **kwargs):
        super().__init__(**{"widget": code_area(3)} | kwargs)

    def clean(self, value):
        """The value.

        Raises:
            ValidationError: it is no JSON; the message says where that ends.
        """
        text = super().clean(value)
        return read_json(text) if text else EMPTY


def read_json(text: str) -> Any:
    """A value of JSON.

    Raises:
        ValidationError: it is none.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise forms.ValidationError(f"This is no JSON: {error.msg} ({where}). Texts stand in double quotes.") from error
    except (ValueError, RecursionError) as error:  # a number of too many digits, too many brackets
        raise forms.ValidationError("This is more than can be read here.") from error


def _refuse_constant(name: str):
    raise forms.ValidationError(f"{name} is no number of JSON.")


class ChoiceArgument(forms.TypedChoiceField):
    """One of some values, which need not be texts."""

    def __init__(self, values, *, blank: str = "", **kwargs):
        plain = all(isinstance(value, str) and value for value in values)
        self.keys = {(value if plain else to_json(value)): value for value in values}
        labels = [(key, _word(value)) for key, value in self.keys.items()]
        first = [("", blank)] if blank else []
        super().__init__(choices=[*first, *labels], coerce=self.keys.get, empty_value=EMPTY, **kwargs)

    def key_of(self, value: Any) -> str:
        """What stands in the page for a value."""
        return next((key for key, one in self.keys.items() if one == value and type(one) is type(value)), "")


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def field_for(parameter: Parameter, said: str) -> forms.Field:
    """The field of a parameter; what `clean()` gives is JSON, or None or `EMPTY` where nothing was typed.

    Args:
        parameter: of the function.
        said: what its docstring says of it.
    """
    shape = shape_of(parameter.schema)
    field = _bare(shape, required=parameter.required and not shape.nullable)
    field.label = format_html(
        '<span class="jd-mono">{}</span> <span class="jd-soft">{}</span>',
        parameter.name,
        type_name(parameter.annotation),
    )
    field.help_text = marked(" ".join(filter(None, [description_of(parameter, said), _hint(shape, parameter)])))
    if not parameter.required and _is_readable(parameter):
        put(field, shape, parameter.schema["default"])
    return field


def _is_readable(parameter: Parameter) -> bool:
    """Whether its default comes out again where it is passed as JSON."""
    try:
        return bool(parameter.read(parameter.schema["default"]) == parameter.default)
    except ValueError:
        return False


def _bare(shape: Shape, required: bool) -> forms.Field:
    if shape.kind == "integer":
        return forms.IntegerField(required=required, widget=forms.NumberInput(attrs=_bounds(shape)))
    if shape.kind == "number":
        return forms.FloatField(required=required, widget=forms.NumberInput(attrs=_bounds(shape) | {"step": "any"}))
    if shape.kind == "boolean" and not shape.nullable:
        return forms.BooleanField(required=False)
    if shape.kind in ("choice", "boolean"):
        blank = "none" if shape.nullable else "Choose…" if required else ""
        return ChoiceArgument(shape.choices or (True, False), blank=blank, required=required)
    if shape.kind == "string":
        return forms.CharField(required=required, strip=False, empty_value="")
    return ListArgument(shape.items, required=required) if shape.kind == "list" else JsonArgument(required=required)


def _bounds(shape: Shape) -> dict:
    return {name: value for name, value in (("min", shape.least), ("max", shape.most)) if value is not None}


def put(field: forms.Field, shape: Shape, value: Any) -> None:
    """Have a value, which is JSON, stand in the field at first."""
    if isinstance(field, ChoiceArgument):
        field.initial = field.key_of(value)
    elif value is None:
        field.initial = None
    elif shape.kind == "list" and isinstance(value, list):
        field.initial = _line(value, shape)
    elif isinstance(field, JsonArgument | ListArgument):
        text = json.dumps(value, ensure_ascii=False)
        field.initial = text if len(text) <= SHORT else json.dumps(value, ensure_ascii=False, indent=2)
    else:
        field.initial = value
    if shape.kind == "string" and isinstance(value, str) and "\n" in value:
        widen(field)


def widen(field: forms.Field) -> None:
    """Give a text several lines."""
    field.widget = code_area(4)
    field.widget.is_required = field.required


def _line(values: list, shape: Shape) -> str:
    """A list as it can be typed on one line."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    plain = shape.items == "string" or not any(isinstance(value, str | bool | list | dict | None) for value in values)
    if values and plain and all(text and not re.search(r"[\s,\[]", text) for text in texts):
        return ", ".join(texts)
    return json.dumps(values, ensure_ascii=False)


def description_of(parameter: Parameter, said: str) -> str:
    """What a parameter means: from `Field(description=…)`, from the docstring, or from that of its type."""
    own = (getattr(one, "description", None) for one in get_args(parameter.annotation)[1:])
    text = next(filter(None, own), None) or said or parameter.schema.get("description", "")
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}" + ("" if not text or text.endswith((".", "?", "!")) else ".")


LISTS = {
    "integer": "Whole numbers with commas or spaces between: `1, 2, 3`; or JSON.",
    "number": "Numbers with commas or spaces between: `0, 1.5, 2`; or JSON.",
    "string": "Texts with commas or spaces between: `one, two`; or JSON.",
    "": "Numbers with commas or spaces between: `0, 1.5, 2`; lists of other things as JSON.",
}


def _hint(shape: Shape, parameter: Parameter) -> str:
    """How to write a value, and what an empty field stands for."""
    hint = LISTS[shape.items] if shape.kind == "list" else ""
    if shape.kind == "json":
        has_default = not parameter.required and parameter.default is not None
        example = json.dumps(example_of(parameter.schema), ensure_ascii=False)
        hint = "JSON." if has_default else f"JSON, for example `{example}`"
    if parameter.required or shape.nullable or shape.kind in ("string", "boolean", "choice"):
        return hint
    default = json.dumps(parameter.schema["default"], ensure_ascii=False)
    return f"{hint} Empty stands for {f'`{default}`' if len(default) <= SHORT else 'its default'}.".strip()
