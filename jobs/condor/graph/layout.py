"""Where the boxes of a graph are drawn: in ranks from above, by the library grandalf (Sugiyama's layout). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

WIDTH, HEIGHT = 168, 44
"""Of a box, in units of the picture."""
GAP_X, GAP_Y = 22, 46
MARGIN = 12
MOST_BOXES = 1000
"""A graph of two thousand takes seconds to lay out; nobody reads one."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where everything is.

    Attributes:
        width, height: of the whole picture.
        boxes: by key the upper left corner.
        lines: the points that each edge goes through, from its beginning to its end.
    """

    width: float
    height: float
    boxes: dict[str, tuple[float, float]]
    lines: tuple[tuple[tuple[float, float], ...], ...]


@lru_cache(maxsize=64)
def place(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> Placed:
    """Lay out a graph without rings; once for each structure, whatever becomes of its nodes.

    Args:
        keys, edges: as tuples.
    """
    from grandalf.graphs import Edge, Graph, Vertex
    from grandalf.layouts import SugiyamaLayout
    from grandalf.routing import EdgeViewer, route_with_lines

    vertices = {key: Vertex(key) for key in keys}
    for vertex in vertices.values():
        vertex.view = _View()
    drawn = [Edge(vertices[first], vertices[second]) for first, second in edges]
    for edge in drawn:
        edge.view = EdgeViewer()
    left, height = float(MARGIN), 0.0
    boxes: dict[str, tuple[float, float]] = {}
    lines = []
    for part in sorted(Graph(list(vertices.values()), drawn).C, key=lambda part: -part.order()):
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = GAP_X, GAP_Y
        layout.init_all(optimize=True)
        layout.route_edge = route_with_lines
        layout.draw()
        corners = [(vertex, vertex.view.xy[0] - WIDTH / 2, vertex.view.xy[1] - HEIGHT / 2) for vertex in part.sV]
        shift_x = left - min(x for _, x, _ in corners)
        shift_y = MARGIN - min(y for _, _, y in corners)
        boxes |= {vertex.data: (round(x + shift_x, 1), round(y + shift_y, 1)) for vertex, x, y in corners}
        for edge in part.sE:
            lines.append(tuple((round(x + shift_x, 1), round(y + shift_y, 1)) for x, y in edge.view._pts))
        left = max(x for x, _ in (boxes[vertex.data] for vertex, _, _ in corners)) + WIDTH + GAP_X * 2
        height = max(height, *(boxes[vertex.data][1] + HEIGHT + MARGIN for vertex, _, _ in corners))
    return Placed(left - GAP_X * 2 + MARGIN, height, boxes, tuple(lines))


class _View:
    """What grandalf wants to know of a box."""

    def __init__(self):
        self.w, self.h = WIDTH, HEIGHT
        self.xy = (0.0, 0.0)


def curve(points: Sequence[tuple[float, float]]) -> str:
    """A line through points as the path of an SVG, bent so that it leaves and comes from above."""
    (x, y), *rest = points
    text = f"M{x} {y}"
    for a, b in rest:
        middle = round((y + b) / 2, 1)
        text += f"C{x} {middle} {a} {middle} {a} {b}"
        x, y = a, b
    return text
