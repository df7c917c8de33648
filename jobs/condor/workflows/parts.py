"""How the nodes of a workflow are, written down: set-based, and only where it is news."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import connections, router

from jobs.condor.models import CondorWorkflowInnerNode, CondorWorkflowNode
from jobs.engine import Part
from jobs.rowsets import parameter, rowset
from jobs.status import ACTIVE, FINAL, Status
from jobs.transitions import storable

_FIELDS = tuple(sorted(CondorWorkflowNode.STATE))


def store_parts(job_id: int, attempt: int, parts: Iterable[Part]) -> None:
    """Write what parts say about the nodes of a workflow's attempt; nodes of a splice get a row when first heard of.

    None in a part leaves what is known. What a later attempt has said of a node already stands.
    """
    latest = {part.name: part for part in parts}
    if not latest:
        return
    rows = CondorWorkflowNode.objects.non_polymorphic().filter(workflow=job_id)
    known = {row.name: row for row in rows.filter(name__in=latest)}
    for name in latest.keys() - known.keys():
        if "+" in name:
            known[name] = CondorWorkflowInnerNode.objects.create(workflow_id=job_id, name=name)
    changed = [known[name] for name, part in latest.items() if name in known and _apply(known[name], attempt, part)]
    _write(changed)
    if any("+" in name for name in latest):
        _store_splices(job_id, attempt)


def _apply(row, attempt: int, part: Part) -> bool:
    """Have the row say what the part says; whether that is news."""
    if row.attempt > attempt:
        return False
    before = [getattr(row, name) for name in _FIELDS]
    if row.attempt < attempt:
        _reset(row, attempt)
    row.status_code = str(part.status)
    row.tries = max(part.tries, row.tries)
    for name, value in (
        ("status_message", storable(part.message)),
        ("exit_code", part.exit_code),
        ("external_id", part.external_id or None),
        ("start_time", part.started),
        ("completion_time", part.finished),
    ):
        if value is not None:
            setattr(row, name, value)
    if row.status_code not in FINAL:
        row.exit_code = row.completion_time = None
    if row.status_code == Status.COMPLETE and row.exit_code is None and row.tries and not row.post_script:
        # DAGMan may be over, and the rest of the queue be removed with it, before the schedd has noted the last node's end.
        # Without a script after it a node is done just if its job's exit code was 0 (manual, 'DAGMan: Node Success').
        row.exit_code = 0
    return before != [getattr(row, name) for name in _FIELDS]


def _write(changed: Sequence[CondorWorkflowNode]) -> None:
    """Write the state of all of them in one UPDATE; what a later attempt says meanwhile stands."""
    if not changed:
        return
    connection = connections[router.db_for_write(CondorWorkflowNode)]
    fields = {name: CondorWorkflowNode._meta.get_field(name) for name in _FIELDS}
    rows = rowset(connection, {"id": CondorWorkflowNode._meta.pk, **fields})
    table = connection.ops.quote_name(CondorWorkflowNode._meta.db_table)
    assignments = ", ".join(f"{connection.ops.quote_name(field.column)} = w.{name}" for name, field in fields.items())
    sql = (
        f"UPDATE {table} SET {assignments} FROM {rows} "  # noqa: S608 names of our own columns
        f"WHERE {table}.id = w.id AND {table}.attempt <= w.attempt"
    )
    payload = [{"id": row.pk, **{name: getattr(row, name) for name in _FIELDS}} for row in changed]
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter(payload, connection)])


def _reset(row, attempt: int) -> None:
    row.attempt, row.status_code, row.status_message = attempt, str(Status.PENDING), ""
    row.exit_code = row.start_time = row.completion_time = None
    row.tries, row.external_id = 0, ""


def begin_attempt(job_id: int, attempt: int, done: Sequence[str]) -> None:
    """All nodes wait for their turn in the new attempt, but those that an earlier one has done."""
    rows = CondorWorkflowNode.objects.non_polymorphic().filter(workflow=job_id)
    rows.filter(name__in=done).update(attempt=attempt, status_code=Status.COMPLETE, status_message="")
    rows.filter(attempt__lt=attempt).update(
        attempt=attempt,
        status_code=Status.PENDING,
        status_message="",
        exit_code=None,
        tries=0,
        external_id="",
        start_time=None,
        completion_time=None,
    )


def _store_splices(job_id: int, attempt: int) -> None:
    """A splice is as the nodes inside of it are."""
    rows = CondorWorkflowNode.objects.non_polymorphic().filter(workflow=job_id)
    inside: dict[str, list[str]] = {}
    for name, status in rows.filter(name__contains="+", attempt=attempt).values_list("name", "status_code"):
        inside.setdefault(name.split("+")[0], []).append(status)
    for name, statuses in inside.items():
        rows.filter(name=name).update(attempt=attempt, status_code=splice_status(statuses))


def splice_status(statuses: Iterable[str]) -> str:
    """The status of a splice, of those of the nodes inside of it."""
    found = set(statuses)
    if len(found) == 1:
        return found.pop()
    if found <= FINAL:
        return Status.ERROR if Status.ERROR in found else Status.VARIOUS_COMPLETE
    active = found & ACTIVE
    return active.pop() if len(active) == 1 and found <= active | {Status.PENDING} else Status.VARIOUS


def nodes_and_parents(workflow) -> tuple[list, Mapping[str, list[str]]]:
    """A workflow's nodes, each as what it is, and for each that has any its parents by name; in few queries."""
    nodes = [node for node in workflow.nodes.all() if not isinstance(node, CondorWorkflowInnerNode)]
    names = {node.pk: node.name for node in nodes}
    through = CondorWorkflowNode.parent_nodes.through.objects.filter(from_condorworkflownode__workflow=workflow)
    parents: dict[str, list[str]] = {}
    for child, parent, parent_name in through.order_by("pk").values_list(
        "from_condorworkflownode", "to_condorworkflownode", "to_condorworkflownode__name"
    ):
        # One of another workflow is told by its number too: its name may be the name of one of ours.
        shown = names.get(parent, f"{parent_name} (number {parent}, of another workflow)")
        parents.setdefault(names[child], []).append(shown)
    return nodes, parents
