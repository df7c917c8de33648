"""What a result is shown as."""

import json
import time

import pytest

from jobs.functions.display.shape import display
from tests.functions.display.results import flight

NUMBERS = [4, 2.5, 3, -1, 0, 7, 8, 2]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (3, "value"),
        ("text", "value"),
        ({"mean": 0.5, "ok": True, "label": None}, "pairs"),
        (NUMBERS, "plot"),
        (NUMBERS[:7], "table"),
        ([*NUMBERS, True], "table"),
        ([*NUMBERS, "a"], "table"),
        ([None] * 9, "table"),
        ([10**400] * 9, "table"),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], "table"),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4, "why": "late"}], "table"),
        ([{"a": 1}, {"b": 2}], "json"),
        ([{"id": 1, "a": 1, "b": 2}, {"id": 2, "c": 3}], "json"),
        ([[1, 2], [3, 4]], "table"),
        ([[1, 2], [3]], "json"),
        ([[[1], [2]], [[3], [4]]], "json"),
        ([1, [2]], "json"),
        ({"name": ["a", "b"], "score": [1, 2]}, "table"),
        ({"name": ["a", "b"], "score": [1]}, "json"),
        ({"deep": {"er": 1}, "n": 2}, "json"),
        ({"t": [0, 1, 2], "v": [5, 5, 5]}, "plot"),
        ({"t": [0, 1], "v": [5, 5]}, "table"),
        ({"t": [0, 1, 1], "v": [5, 4, 5]}, "table"),
        ({"t": [0, 1, 2]}, "table"),
    ],
)
def test_the_shape_of_a_result_decides(result, kind):
    shown = display(result)
    assert shown.kind == kind
    assert getattr(shown, "value" if kind == "json" else kind) is not None


def test_names_and_values_keep_their_order_with_long_ones_at_the_end():
    pairs = display({"b": 1.5, "long": "x" * 500, "a": "short"}).pairs
    assert [(pair.name, pair.value.text) for pair in pairs.items] == [("b", "1.5"), ("a", "short"), ("long", "x" * 500)]


def test_of_very_many_names_the_first_are_shown_and_the_others_counted():
    shown = display({f"k{number}": number for number in range(1234)})
    assert len(shown.pairs.items) == 200
    assert shown.pairs.more == "1,034 more are not shown."
    assert shown.is_cut


def test_what_does_not_fit_into_a_plot_is_shown_below_it():
    result = {"seed": 7, "t": [0, 1, 2], "short": [1, 2], "x": [1, 4, 9], "names": ["a", "b", "c"], "more": {"a": [1]}}
    shown = display(result)
    assert [chart.name for chart in shown.plot.charts] == ["x"]
    assert {pair.name: pair.value.text for pair in shown.pairs.items} == {
        "seed": "7",
        "short": "[1, 2]",
        "names": '["a", "b", "c"]',
        "more": json.dumps({"a": [1]}, indent=2),
    }


def test_arrays_beyond_the_twelfth_are_shown_as_values_with_how_many_there_are():
    shown = display({"t": list(range(2000)), **{f"a{number}": list(range(2000)) for number in range(14)}})
    assert len(shown.plot.charts) == 12
    assert [pair.name for pair in shown.pairs.items] == ["a12", "a13"]
    assert shown.pairs.items[0].value.note == "Only the beginning of a list of 2,000 is shown."
    assert shown.pairs.items[0].value.text.startswith("[0, 1, 2, ")


def test_what_has_no_shape_is_json_cut_at_a_line_with_its_true_size():
    result = {"a": {"b": [number / 7 for number in range(5000)]}}
    shown = display(result, size=123_456)
    assert 19_000 < len(shown.value.text) <= 20_002
    assert json.dumps(result, indent=2).startswith(shown.value.text.removesuffix("\n…") + "\n")
    assert "120.6\N{NO-BREAK SPACE}KB" in shown.value.note
    assert shown.is_cut


def test_the_size_is_counted_where_nobody_knows_it():
    assert "29.3\N{NO-BREAK SPACE}KB" in display([["ä"] * 6000, 1]).value.note


def test_json_that_fits_is_whole():
    shown = display({"a": {"b": [1, 2]}})
    assert json.loads(shown.value.text) == {"a": {"b": [1, 2]}}
    assert not shown.is_cut


def test_what_is_nested_very_deeply_is_cut():
    result = []
    for _ in range(50_000):
        result = [result]
    shown = display([result, 1]).value
    assert shown.text.startswith("[\n  [\n")
    assert shown.note == "Only the beginning is shown."


@pytest.mark.parametrize(
    "result",
    [
        flight(10_500),
        [number / 7 for number in range(155_000)],
        {"t": list(range(150_000)), "v": [number % 1000 for number in range(150_000)]},
        {"a": {"b": [number / 7 for number in range(155_000)]}},
        [{"a": number / 7, "b": number / 9} for number in range(60_000)],
        {f"k{number}": [1.5, 2.5, 3.5] for number in range(100_000)},
        {f"k{number}": number / 7 for number in range(100_000)},
    ],
    ids=["flight", "list", "integers", "nested", "rows", "arrays", "pairs"],
)
def test_three_megabytes_are_shown_in_a_fraction_of_a_second(result, record_property, request):
    times = []
    for _ in range(3):
        began = time.process_time()
        shown = display(result, size=3_000_000)
        times.append(time.process_time() - began)
    record_property("figures", f"3 MB of {request.node.callspec.id}, shown as {shown.kind}: {min(times) * 1000:.0f} ms")
    assert min(times) < 0.25
