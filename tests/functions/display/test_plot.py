"""Line charts: which arrays are drawn over which, and what their lines keep."""

import math
import random

import pytest

from jobs.functions.display.plot import HEIGHT, PRECISION, WIDTH
from jobs.functions.display.shape import display
from tests.functions.display.results import flight


def charts(result):
    return display(result).plot.charts


def axis_name(result):
    return charts(result)[0].title.partition(" over ")[2]


def line(values, axis=None):
    """The only line of an array of values."""
    (chart,) = charts({"t": axis or list(range(len(values))), "value": values})
    (found,) = chart.lines
    return found


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ({"x": [1, 2, 3], "time": [1, 2, 3], "t": [1, 2, 3]}, "t"),
        ({"x": [1, 2, 3], "time": [1, 2, 3]}, "time"),
        ({"a": [1, 2, 3], "x": [3, 2, 1]}, "x"),
        ({"a": [1, 5, 3], "b": [1, 2, 3], "c": [1, 2, 3]}, "b"),
        ({"a": [1, 5, 3], "t": [1, 1, 3], "c": [9, 8, 7]}, "c"),
        ({"t": [1, None, 3], "c": [9, 8, 7]}, "c"),
        ({"t": [[1], [2], [3]], "c": [9, 8, 7]}, "c"),
    ],
)
def test_the_axis_is_t_time_x_or_else_the_first_array_that_only_rises_or_falls(result, name):
    assert axis_name(result) == name


def test_of_arrays_of_several_lengths_those_are_drawn_that_are_most():
    shown = display({"t": [1, 2, 3, 4], "u": [1, 2, 3, 4], "s": [1, 2, 3], "a": [4, 5, 6], "b": [7, 8, 9]})
    assert [chart.title for chart in shown.plot.charts] == ["a over s", "b over s"]
    assert [pair.name for pair in shown.pairs.items] == ["t", "u"]


@pytest.mark.parametrize("bad", [[1, 2, "3"], [1, 2, True], [1, 2, 10**400], [[1], [2], [3, 4]], [[1, 2, 3, 4, 5]] * 3])
def test_what_is_not_all_numbers_or_too_wide_is_not_drawn(bad):
    shown = display({"t": [1, 2, 3], "v": [4, 5, 6], "bad": bad})
    assert [chart.name for chart in shown.plot.charts] == ["v"]
    assert [pair.name for pair in shown.pairs.items] == ["bad"]


def test_each_component_is_a_line_with_a_word_a_style_and_its_range():
    chart = next(chart for chart in charts(flight()) if chart.name == "v")
    assert [(one.word, one.style, one.words) for one in chart.lines] == [
        ("x", 1, "x is always 10."),
        ("y", 2, "y is always 10."),
        ("z", 3, "z lies between -9.61019 and 10."),
    ]
    assert chart.title == "v over t"
    assert chart.description.startswith("t goes from 0 to 1.999. x is always 10.")
    (four,) = charts({"t": [1, 2, 3], "q": [[1, 2, 3, 4]] * 3})
    assert [one.word for one in four.lines] == ["x", "y", "z", "w"]


def test_a_line_goes_from_the_left_to_the_right_and_up_with_its_values():
    ((first, *_, last),) = line([1, 2, 3, 4]).runs
    assert first[0] < last[0]
    assert first[1] > last[1]
    ((first, *_, last),) = line([1, 2, 3, 4], axis=[8, 6, 5, 1]).runs
    assert first[0] > last[0]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_long_line_is_drawn_by_400_points_and_keeps_every_spike(sign):
    random.seed(7)
    values = [random.random() for _ in range(20_000)]
    values[4321], values[17_000] = 50.0, -50.0
    found = line(values, axis=[sign * number for number in range(20_000)])
    points = [point for run in found.runs for point in run]
    assert 350 <= len(points) <= 400
    heights = [y for _, y in points]
    assert found.words == "It lies between -50 and 50."
    # One point each, of a line that is flat beside them.
    spikes = [y for y in heights if abs(y - sorted(heights)[200]) > HEIGHT * PRECISION / 10]
    assert sorted(spikes) == [min(heights), max(heights)]


def test_the_ends_of_a_long_line_are_drawn():
    values = [math.sin(number / 50) for number in range(5000)]
    ((first, *_, last),) = line(values, axis=[number / 10 for number in range(5000)]).runs
    ((begin, *_),), ((*_, end),) = line(values[:300]).runs, line(values[:3] + values[-297:]).runs
    assert first == begin
    assert abs(last[1] - end[1]) <= 1


def test_where_times_are_dense_no_more_is_kept_than_can_be_seen_and_where_they_are_sparse_everything():
    axis = [number / 1e6 for number in range(10_000)] + [1.0 + number for number in range(100)]
    found = line([number % 7 for number in range(10_100)], axis)
    right = [x for run in found.runs for x, _ in run if x > WIDTH * PRECISION * 0.3]
    assert len(set(right)) >= 70


def test_a_missing_value_is_a_gap_and_one_alone_between_gaps_a_dot():
    found = line([1, 2, None, 4, None, 6, 7])
    assert [len(run) for run in found.runs] == [2, 1, 2]
    assert found.words == "It lies between 1 and 7, with 2 of 7 values missing."
    assert "h1M" in found.d


def test_gaps_stay_in_a_long_line():
    values = [float(number) for number in range(3000)]
    values[1000:1500] = [None] * 500
    runs = line(values).runs
    assert len(runs) == 2
    assert runs[1][0][0] - runs[0][-1][0] > WIDTH * PRECISION / 10


def test_not_a_number_and_infinite_are_gaps_too():
    assert [len(run) for run in line([1.0, math.nan, 3.0, math.inf, 5.0]).runs] == [1, 1, 1]


def test_a_row_that_is_missing_is_a_gap_in_each_line():
    (chart,) = charts({"t": [1, 2, 3, 4], "v": [[1, 2], None, [3, 4], [None, 5]]})
    assert [[len(run) for run in one.runs] for one in chart.lines] == [[1, 1], [1, 2]]


def test_an_array_with_a_single_number_has_a_dot():
    (run,) = line([None, 3, None]).runs
    assert len(run) == 1


def test_a_component_without_any_value_says_so():
    (chart,) = charts({"t": [1, 2, 3], "v": [[1, None], [2, None], [3, None]]})
    assert (chart.lines[1].runs, chart.lines[1].words) == ((), "y has no values.")


@pytest.mark.parametrize(
    "values",
    [[0, 0, 0], [1e308, -1e308, 1.7e308], [5e-324, 0.0, 1e-300], [10**300, 1, 2], [2**70, 2**70 + 1, 2**70 + 2],
     [1.7e9, 1.7e9 + 1e-6, 1.7e9]],
)  # fmt: skip
def test_any_numbers_are_drawn_inside_of_the_picture(values):
    for x, y in (point for run in line(values).runs for point in run):
        assert 0 < x < WIDTH * PRECISION
        assert 0 < y < HEIGHT * PRECISION


def test_charts_of_one_result_have_their_lines_at_the_same_place():
    first, second = charts({"t": [1, 2, 3], "small": [1, 2, 3], "large": [10_000, 20_000, 90_000]})
    assert first.lines[0].runs[0][0][0] == second.lines[0].runs[0][0][0]


def test_the_longest_label_has_its_place_in_the_picture():
    (chart,) = charts({"t": [1, 2, 3], "v": [-99_999, 0, 99_999]})
    label = next(label for label in chart.labels if label.text == "\N{MINUS SIGN}100000")
    assert label.x + label.dx * 12 - len(label.text) * 7 >= 0


def test_a_list_of_numbers_is_a_line_over_its_index():
    (chart,) = charts([1, 2, 3, 4, 5, 6, 7, 8, None])
    assert chart.title == "value over index"
    assert chart.description == "index goes from 0 to 8. It lies between 1 and 8, with 1 of 9 values missing."


def test_the_first_numbers_are_there_as_a_table():
    table = display(flight()).plot.table
    assert [column.name for column in table.columns][:5] == ["t", "r x", "r y", "r z", "v x"]
    assert [value.text for _, value in table.rows[1]][:4] == ["0.001", "0.51", "0.51", "0.509995"]
    assert table.note == "The first 20 of 2,000 rows are shown."
