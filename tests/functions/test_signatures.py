"""What may be passed to a function, and the fingerprint by which processes agree."""

import sys
from typing import Literal

import pytest

from jobs.functions.registry import get_function
from jobs.functions.signature import ArgumentsError, fingerprint_of, signature_of
from tests.exampleapp.functions import Point

ALL = {
    "whole": 1,
    "number": 0.5,
    "flag": True,
    "text": "wind",
    "numbers": [1.0, 2.5],
    "kind": "fast",
    "point": {"x": 1.0},
}


def read(**arguments):
    return get_function("typed").signature.read({**ALL, **arguments})


def problems(**arguments) -> dict:
    with pytest.raises(ArgumentsError) as error:
        read(**arguments)
    return error.value.problems


def test_json_becomes_what_the_annotations_say():
    values = read(more=None)
    assert values["point"] == Point(1.0, 0.0)
    assert (values["whole"], values["numbers"], values["more"]) == (1, [1.0, 2.5], None)


def test_a_parameter_with_a_default_may_be_left_out():
    assert "more" not in read()


def test_a_whole_number_will_do_for_a_float_and_in_a_list_of_floats():
    values = read(number=2, numbers=[1, 2])
    assert (values["number"], values["numbers"]) == (2.0, [1.0, 2.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", True),
        ("whole", 1.5),
        ("whole", 1.0),
        ("whole", "1"),
        ("whole", None),
        ("number", True),
        ("number", "1.5"),
        ("number", float("nan")),
        ("flag", 1),
        ("flag", "true"),
        ("text", 3),
        ("numbers", 3),
        ("numbers", [1, "two"]),
        ("kind", "slow"),
        ("point", {"y": 1.0}),
        ("point", {"x": "here"}),
        ("more", [1]),
    ],
)
def test_what_does_not_fit_is_refused_at_its_parameter(name, value):
    assert problems(**{name: value}).keys() == {name}


def test_the_message_says_where_in_a_value_it_is_wrong():
    assert problems(numbers=[1, "two"])["numbers"].startswith("[1] ")
    assert problems(point={"x": "here"})["point"].startswith("['x'] ")


def test_all_that_is_missing_unknown_and_wrong_is_told_at_once():
    with pytest.raises(ArgumentsError) as error:
        get_function("typed").signature.read({**ALL, "whole": "x", "other": 1} | {"text": "t"})
    assert error.value.problems.keys() == {"whole", "other"}
    with pytest.raises(ArgumentsError) as error:
        get_function("fail").signature.read({})
    assert error.value.problems == {"outside": "is missing", "code": "is missing"}


def test_the_schema_says_what_may_be_passed():
    schema = get_function("typed").signature.schema()
    assert schema["required"] == ["whole", "number", "flag", "text", "numbers", "kind", "point"]
    assert schema["properties"]["kind"]["enum"] == ["fast", "exact"]
    assert schema["properties"]["more"]["default"] is None


def test_types_are_written_as_python_writes_them():
    types = {one.name: one.type_text for one in get_function("typed").signature.parameters}
    assert (types["whole"], types["flag"], types["numbers"]) == ("<class 'int'>", "<class 'bool'>", "list[float]")


def untyped(x, y: int):
    """No type for x."""


def any_number(*values: int):
    """As many as you like."""


def by_place_only(x: int, /):
    """Not by name."""


def unreadable(handle: type(sys.stdout)):
    """Nothing that JSON could be."""


def with_a_default_that_is_no_json(anything: object = object()):
    """It would have another fingerprint in each process."""


@pytest.mark.parametrize(
    ("function", "word"),
    [
        (with_a_default_that_is_no_json, "anything"),
        (untyped, "x"),
        (any_number, "values"),
        (by_place_only, "x"),
        (unreadable, "handle"),
    ],
)
def test_a_function_that_json_cannot_be_passed_to_is_refused_where_it_is_defined(function, word):
    with pytest.raises(TypeError, match=word):
        signature_of(function)


def fingerprint(function, version="") -> str:
    return fingerprint_of("f", version, signature_of(function))


def test_the_fingerprint_is_the_same_where_the_signature_is():
    def one(x: int, y: float = 1.0): ...

    def other(x: int, y: float = 1.0):
        """Does something else."""

    assert fingerprint(one) == fingerprint(other)


def test_the_fingerprint_tells_names_types_defaults_order_and_version_apart():
    def base(x: int, y: int | None = 1): ...

    def name(x: int, z: int | None = 1): ...

    def kind(x: float, y: int | None = 1): ...

    def default(x: int, y: int | None = 2): ...

    def required(x: int, y: int | None): ...

    def order(y: int | None = 1, x: int = 1): ...

    def choice(x: int, y: Literal[1, 2] = 1): ...

    others = [fingerprint(one) for one in (base, name, kind, default, required, order, choice)]
    assert len({*others, fingerprint(base, "2")}) == len(others) + 1
