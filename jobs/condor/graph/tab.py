"""The tab 'Graph' of a workflow's page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from jobs import clock
from jobs.condor.graph.drawing import Drawing, draw
from jobs.condor.graph.structure import Node
from jobs.condor.models import CondorWorkflowNode
from jobs.condor.workflows.logs import node_files, node_logs
from jobs.status import Status
from jobs.workspaces import workspace_path

ZOOMS = (25, 50, 75, 100, 150, 200)
"""Percent."""
PAGE = 500
"""Rows of the list on one page."""
TAIL = 16_384
"""Bytes of the end of each of a node's logs that are shown."""

_STATE = (
    "pk",
    "name",
    "polymorphic_ctype",
    "attempt",
    "status_code",
    "tries",
    "exit_code",
    "start_time",
    "completion_time",
)


@dataclass(frozen=True)
class NodeLog:
    """The end of a log of a node."""

    name: str
    file: str
    text: str
    cut: bool


def graph(request: HttpRequest, job, row):
    """The nodes as a picture or a list, and one of them in detail (`?node=`)."""
    states = _states(job)
    edges = _edges(job)
    chosen = request.GET.get("node", "")

    def body() -> dict:
        nodes = _nodes(job, states, edges)
        drawing = draw(nodes, request.GET.getlist("open"))
        return {
            "view": "list" if request.GET.get("view") == "list" or drawing is None else "graph",
            "drawing": drawing,
            "zoom": _Zoom(request, drawing),
            "rows": _rows(request, nodes, states),
            "count": len(nodes),
            "chosen": chosen,
            "detail": _detail(job, chosen, nodes) if chosen else None,
        }

    # What a node's page says beside its state changes only with it.
    return (row.signature, states, edges, chosen), body


def _states(job) -> list[tuple]:
    """Of all nodes what changes; of an earlier attempt's state only that it is one."""
    rows = CondorWorkflowNode.objects.non_polymorphic().filter(workflow=job.pk).order_by("pk")
    return [
        row if row[3] == job.attempt else (*row[:3], job.attempt, Status.PENDING.value, 0, None, None, None)
        for row in rows.values_list(*_STATE)
    ]


def _edges(job) -> list[tuple[int, int]]:
    through = CondorWorkflowNode.parent_nodes.through.objects.filter(from_condorworkflownode__workflow=job.pk)
    return list(through.order_by("pk").values_list("to_condorworkflownode", "from_condorworkflownode"))


def _nodes(job, states, edges) -> list[Node]:
    names = {state[0]: state[1] for state in states}
    parents: dict[int, list[str]] = {}
    for parent, child in edges:
        if parent in names:
            parents.setdefault(child, []).append(names[parent])
    kinds = {key: _kind(key) for key in {state[2] for state in states}}
    return [
        Node(pk, name, kinds[ctype], status, tries, tuple(parents.get(pk, ())))
        for pk, name, ctype, _, status, tries, *_ in states
    ]


def _kind(content_type: int | None) -> str:
    if content_type is None:
        return "job"
    model = ContentType.objects.get_for_id(content_type).model
    return model.removeprefix("condorworkflow").removesuffix("node") or "job"


class _Zoom:
    """How large the picture is, and the links that make it larger or smaller."""

    def __init__(self, request: HttpRequest, drawing: Drawing | None):
        self.request = request
        asked = request.GET.get("zoom", "")
        self.percent = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in ZOOMS else 0
        self.width = drawing.placed.width if drawing is not None else 0
        here = self.percent or 100
        self.smaller = next((one for one in reversed(ZOOMS) if one < here), None)
        self.larger = next((one for one in ZOOMS if one > here), None)

    @property
    def pixels(self) -> int:
        """Width of the picture; 0 for as wide as there is room, but never larger than it is."""
        return round(self.width * self.percent / 100) if self.percent else 0


def _rows(request: HttpRequest, nodes: list[Node], states: list[tuple]) -> dict:
    page = request.GET.get("page", "1")
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    first = (number - 1) * PAGE
    chosen = list(zip(nodes, states, strict=True))[first : first + PAGE]
    now = clock.now()
    rows = []
    for node, (*_, exit_code, start, end) in chosen:
        took = max((end or now) - start, timedelta(0)) if start else None
        rows.append({"node": node, "exit_code": exit_code, "start": start, "end": end, "took": took})
    more = len(nodes) > first + PAGE
    return {
        "rows": rows,
        "number": number,
        "first": first + 1,
        "last": first + len(rows),
        "next": number + 1 if more else None,
    }


def _detail(job, name: str, nodes: list[Node]) -> dict[str, Any] | None:
    """What there is to say of one node; None where there is none of that name."""
    node = next((one for one in nodes if one.name == name), None)
    if node is None:
        return None
    row = CondorWorkflowNode.objects.get(pk=node.pk)
    return {
        "node": node,
        "row": row,
        "is_current": row.attempt == job.attempt,
        "kind": KINDS[node.kind],
        "parents": [one for one in nodes if one.name in node.parents],
        "children": [one for one in nodes if name in one.parents],
        "logs": _logs(job, row),
        "files": node_files(job, row),
        "inside": [one for one in nodes if one.kind == "inner" and one.name.startswith(f"{name}+")],
    }


KINDS = {
    "job": "Job",
    "final": "Final node, after all others",
    "subdag": "Workflow of its own",
    "splice": "Splice of another DAG file",
    "inner": "Node inside of a splice",
}


def _logs(job, row) -> list[NodeLog]:
    base = workspace_path(job)
    found = []
    for log in node_logs(job, row, base):
        try:
            text = log.read(-TAIL)
        except OSError:  # it is gone meanwhile
            continue
        name = str(log.path.relative_to(base))
        found.append(
            NodeLog(log.name.removeprefix(f"{row.name} "), name, text.decode(errors="replace"), log.size > TAIL)
        )
    return found
