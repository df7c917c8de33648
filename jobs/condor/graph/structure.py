"""What is drawn of a workflow: its nodes, those that are alike put together. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.status import FINAL, Status

ALIKE = 12
"""Nodes with the same parents and the same children; where there are more, they are drawn as one box."""

ORDER = ("COM", "VCP", "ERR", "ABT", "RUN", "VAR", "OTH", "PAS", "SUB", "PEN")
"""Statuses in a bar: what is done, what failed, what goes on, what waits."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the database has it.

    Attributes:
        kind: 'job', 'final', 'subdag', 'splice' or 'inner' (a node inside of a splice).
        parents: names.
    """

    pk: int
    name: str
    kind: str
    status_code: str
    tries: int = 0
    parents: tuple[str, ...] = ()

    @property
    def status_display(self) -> str:
        return Status(self.status_code).label


@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn as one: a node, or many that are alike.

    Attributes:
        key: names it in the page's URL; of a node its name.
        nodes: those that it stands for.
    """

    key: str
    nodes: tuple[Node, ...]

    @property
    def is_many(self) -> bool:
        return len(self.nodes) > 1

    @property
    def node(self) -> Node:
        """The only one."""
        return self.nodes[0]

    @property
    def counts(self) -> list[tuple[Status, int]]:
        """How many are in which status."""
        found = Counter(node.status_code for node in self.nodes)
        return [(Status(code), found[code]) for code in ORDER if found[code]]

    @property
    def over(self) -> int:
        return sum(node.status_code in FINAL for node in self.nodes)


def with_final_last(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, a final one as if all that nothing comes after were its parents: that is when it runs."""
    parents = {parent for node in nodes for parent in node.parents}
    last = tuple(node.name for node in nodes if node.kind not in ("final", "inner") and node.name not in parents)
    return [replace(node, parents=last) if node.kind == "final" else node for node in nodes]


def boxes_of(nodes: Sequence[Node], opened: Collection[str]) -> list[Box]:
    """The nodes as boxes.

    Args:
        nodes: those inside of splices are part of their splice and left out.
        opened: keys of the boxes of many that are to be shown as what they hold.
    """
    shown = [node for node in nodes if node.kind != "inner"]
    children: dict[str, list[str]] = {}
    for node in shown:
        for parent in node.parents:
            children.setdefault(parent, []).append(node.name)
    alike: dict[tuple, list[Node]] = {}
    for node in shown:
        kin = tuple(sorted(node.parents)), tuple(sorted(children.get(node.name, ()))), node.kind
        # Nodes without relatives are alike in nothing but that.
        alike.setdefault(kin, []).append(node)
    boxes = []
    for several in alike.values():
        if len(several) > ALIKE and several[0].name not in opened:
            boxes.append(Box(several[0].name, tuple(several)))
        else:
            boxes += [Box(node.name, (node,)) for node in several]
    return boxes


def edges_of(boxes: Iterable[Box]) -> list[tuple[str, str]]:
    """From which box to which, by key."""
    boxes = list(boxes)
    of: Mapping[str, str] = {node.name: box.key for box in boxes for node in box.nodes}
    found = {(of[parent], box.key): None for box in boxes for parent in box.node.parents if parent in of}
    return [edge for edge in found if edge[0] != edge[1]]


def without_rings(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges but those that close a ring: what has not been checked yet can be drawn all the same."""
    following: dict[str, list[str]] = {}
    for first, second in edges:
        following.setdefault(first, []).append(second)
    state: dict[str, int] = {}
    closing: set[tuple[str, str]] = set()
    for start in following:
        if start in state:
            continue
        way = [(start, iter(following[start]))]
        state[start] = 1
        while way:
            here, rest = way[-1]
            for one in rest:
                if state.get(one) == 1:
                    closing.add((here, one))
                elif one not in state:
                    state[one] = 1
                    way.append((one, iter(following.get(one, ()))))
                    break
            else:
                state[here] = 2
                way.pop()
    return [edge for edge in edges if edge not in closing]
