"""What is drawn of a workflow, and where: pure."""

import time

from jobs.condor.graph.drawing import draw
from jobs.condor.graph.layout import HEIGHT, WIDTH, place
from jobs.condor.graph.structure import ALIKE, Node, boxes_of, without_rings


def nodes_of(**parents: str) -> list[Node]:
    """Nodes by name, with the names of their parents in one text."""
    return [
        Node(number, name, "job", "PEN", 0, tuple(text.split())) for number, (name, text) in enumerate(parents.items())
    ]


def fan(width: int) -> list[Node]:
    names = {f"N{number}": "First" for number in range(width)}
    return nodes_of(First="", **names, Last=" ".join(names))


def test_children_stand_below_their_parents_and_no_box_covers_another():
    drawing = draw(nodes_of(A="", B="A", C="A", D="B C", E="A"), ())
    at = {one.box.key: (one.x, one.y) for one in drawing.boxes}
    assert at["A"][1] < at["B"][1] == at["C"][1] < at["D"][1]
    corners = sorted(at.values())
    for number, (x, y) in enumerate(corners):
        assert all(abs(x - a) >= WIDTH or abs(y - b) >= HEIGHT for a, b in corners[number + 1 :])
    assert min(x for x, _ in corners) >= 0
    assert max(x for x, _ in corners) + WIDTH <= drawing.placed.width
    assert max(y for _, y in corners) + HEIGHT <= drawing.placed.height


def test_many_nodes_that_are_alike_are_one_box_until_it_is_opened():
    nodes = fan(200)
    closed = boxes_of(nodes, ())
    assert [len(box.nodes) for box in closed] == [1, 200, 1]
    assert len(boxes_of(nodes, [closed[1].key])) == 202
    assert len(boxes_of(fan(ALIKE), ())) == ALIKE + 2


def test_a_ring_is_drawn_without_a_line_of_it():
    drawing = draw(nodes_of(A="C", B="A", C="B"), ())
    assert drawing.rings
    assert len(drawing.paths) == 2
    assert len(without_rings([("A", "B"), ("B", "A"), ("B", "C")])) == 2


def test_a_structure_is_laid_out_once_whatever_becomes_of_its_nodes():
    place.cache_clear()
    nodes = fan(3)
    draw(nodes, ())
    began = time.perf_counter()
    draw([Node(one.pk, one.name, one.kind, "COM", 1, one.parents) for one in nodes], ())
    assert place.cache_info().misses == 1, f"{time.perf_counter() - began}"


def test_what_is_too_large_to_be_read_is_not_drawn():
    chain = nodes_of(N0="", **{f"N{number}": f"N{number - 1}" for number in range(1, 1500)})
    assert draw(chain, ()) is None
    assert draw([], ()) is None
