"""The picture of a graph, ready for its template: every box with its place, every line as a path."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.condor.graph.layout import HEIGHT, MOST_BOXES, WIDTH, Placed, curve, place
from jobs.condor.graph.structure import Box, Node, boxes_of, edges_of, with_final_last, without_rings

LONGEST_NAME = 19
"""Characters of a name that fit into its box."""
DENSE = 3000
"""Width from which the whole picture is too small on a screen to be read; its boxes have the colours of their states then."""
BAR = 120
"""Width of the bar in a box of many."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the bar of a box of many."""

    code: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box with its upper left corner."""

    box: Box
    x: float
    y: float

    @property
    def short_name(self) -> str:
        name = self.box.node.name
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    @property
    def label(self) -> str:
        """What it is called to who does not see it."""
        if self.box.is_many:
            words = ", ".join(f"{count} {status.label}" for status, count in self.box.counts)
            return f"{len(self.box.nodes)} nodes like {self.box.node.name}: {words}. Show them"
        node = self.box.node
        return f"{node.name}: {node.status_display}" + (f", try {node.tries}" if node.tries > 1 else "")

    @property
    def bar(self) -> list[Piece]:
        """The counts of a box of many as widths."""
        pieces, at = [], 0.0
        for status, count in self.box.counts:
            width = BAR * count / len(self.box.nodes)
            pieces.append(Piece(status.value, round(at, 1), round(width, 1)))
            at += width
        return pieces


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture.

    Attributes:
        rings: some nodes come after each other in a ring; the lines that close one are left out.
        opened: keys of the boxes of many that are shown as what they hold.
    """

    placed: Placed
    boxes: list[DrawnBox]
    paths: list[str]
    rings: bool
    opened: list[str]
    box_width: int = WIDTH
    box_height: int = HEIGHT

    @property
    def is_dense(self) -> bool:
        return self.placed.width > DENSE


def draw(nodes: Sequence[Node], opened: Collection[str]) -> Drawing | None:
    """The picture; None where there is nothing to draw, or too much."""
    boxes = boxes_of(with_final_last(nodes), opened)
    if not boxes or len(boxes) > MOST_BOXES:
        return None
    edges = edges_of(boxes)
    straight = without_rings(edges)
    placed = place(tuple(box.key for box in boxes), tuple(straight))
    drawn = [DrawnBox(box, *placed.boxes[box.key]) for box in boxes]
    drawn.sort(key=lambda one: (one.y, one.x))  # the order in which Tab goes through them
    names = {box.key for box in boxes}
    return Drawing(
        placed,
        drawn,
        [curve(points) for points in placed.lines],
        rings=len(straight) < len(edges),
        opened=[key for key in dict.fromkeys(opened) if key in names],
    )
