"""The picture of a path in space or in the plane."""

import math

import pytest

from jobs.functions.display.plot import PRECISION
from jobs.functions.display.shape import display
from tests.functions.display.results import flight


def path(places, name="r"):
    return display({"t": list(range(len(places))), name: places}).plot.trajectory


def points(found):
    return [(x / PRECISION, y / PRECISION) for run in found.runs for x, y in run]


def words(found):
    return [label.text for label in found.labels]


def test_the_flight_starts_and_ends_where_its_array_does():
    found = display(flight()).plot.trajectory
    assert found.name == "r"
    assert found.start.coordinates == "(0.5, 0.5, 0.5)"
    assert found.end.coordinates == "(20.49, 20.49, 0.889615)"
    assert points(found)[0] == (found.start.x, found.start.y)
    assert points(found)[-1] == (found.end.x, found.end.y)
    assert len(points(found)) <= 400
    assert found.title == "Path of r in space"
    assert "starts at (0.5, 0.5, 0.5) and ends at (20.49, 20.49, 0.889615). x lies between 0.5 and" in found.description


@pytest.mark.parametrize("name", ["r", "position", "path", "trajectory"])
def test_an_array_is_a_path_by_its_name(name):
    assert path([[1, 2, 3], [2, 3, 4], [3, 4, 5]], name).name == name
    assert path([[1, 2, 3], [2, 3, 4], [3, 4, 5]], f"{name}s") is None
    assert path([1, 2, 4], name) is None
    assert path([[1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]], name) is None


def test_x_goes_down_to_the_right_y_up_to_the_right_and_z_up():
    (at, along_x, along_y, up) = points(path([[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]]))
    assert along_x[0] > at[0] < along_y[0]
    assert along_x[1] > at[1] > along_y[1]
    assert up[0] == at[0]
    assert up[1] < at[1]


def test_all_axes_have_one_scale_so_that_a_circle_stays_one():
    (left, right, front, back) = points(path([[-5, 0], [5, 0], [0, -5], [0, 5]], "path"))
    assert right[0] - left[0] == pytest.approx(front[1] - back[1], abs=0.2)
    assert path([[0, 0, 0], [9, 5, 1], [10, 7, 2]]).note == ""


def test_a_path_that_is_twice_as_long_as_wide_looks_so():
    (at, right, up) = points(path([[0, 0], [10, 0], [0, 5]], "path"))
    assert right[0] - at[0] == pytest.approx(2 * (at[1] - up[1]), abs=0.2)


def test_axes_that_differ_too_much_have_scales_of_their_own_and_this_is_said():
    found = path([[0, 0.0, 0], [500, 0.5, 1], [1000, 1.0, 2]])
    assert found.note == "Each axis has a scale of its own."
    assert points(found)[-1][1] < points(found)[0][1] - 20


def test_a_path_in_the_plane_has_neither_shadow_nor_height():
    found = path([[0, 0], [1, 2], [2, 1]])
    assert (found.shadow, found.stems) == ("", "")
    assert found.title == "Path of r in the plane"
    assert "z" not in words(found)
    assert {"x", "y"} < set(words(found))


def test_a_path_in_space_casts_a_shadow_as_long_as_itself():
    found = path([[0, 0, 0], [1, 2, 5], [2, 1, 3]])
    assert found.shadow.count(" ") >= 3
    assert {"x", "y", "z"} < set(words(found))


def test_the_outermost_places_of_a_long_path_are_kept():
    places = [[math.cos(n / 100), math.sin(n / 100), n / 10_000] for n in range(10_000)]
    places[5000] = [9.0, 0.0, 0.5]
    found = path(places)
    assert 300 <= len(points(found)) <= 400
    assert max(x for x, _ in points(found)) > sorted(x for x, _ in points(found))[-2] + 50


def test_a_path_is_broken_where_a_place_is_missing():
    found = path([[0, 0, 0], [1, 1, 1], None, [2, 2, 2], [3, None, 3], [4, 4, 4]])
    assert [len(run) for run in found.runs] == [2, 1, 1]


def test_without_a_single_whole_place_there_is_no_picture():
    assert path([[0, None, 0], [None, 1, 1], [1, 1, None]]) is None


@pytest.mark.parametrize(
    "places",
    [
        [[3, 3, 3]] * 4,
        [[1, 2, 100], [1, 2, 50], [1, 2, 0]],
        [[1e18, 0, 1], [1e18, 3, 2], [1e18, 5, 5]],
        [[5e6, 0, 1], [5e6, 3, 2], [5e6, 5, 5]],
        [[1e308, -1e308, 0], [-1e308, 1e308, 1], [0, 0, 2]],
        [[1e-320, 0, 0], [0, 1e-320, 0], [0, 0, 0]],
        [[1e-9, 0], [2e-9, 3e-9], [0, 0]],
    ],
)
def test_any_path_lies_inside_of_its_picture(places):
    found = path(places)
    assert 60 < found.height <= 260
    for x, y in points(found):
        assert 0 < x < found.width
        assert 0 < y < found.height
    assert all(0 <= label.x <= found.width and 0 <= label.y <= found.height for label in found.labels)
