"""What the queue says of the nodes of workflows: the ads of their jobs in, parts of reports out; pure.

A node's job bears `JobdeckWorkflow`, the tag of its workflow's attempt, and `DAGNodeName`. Each try of a node is a cluster
of its own; those that have ended stay in the queue until the workflow is forgotten.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jobs.condor.answers import FACTS, ProcessState, report, state_of
from jobs.engine import Part, Report
from jobs.status import FINAL, Status

PROJECTION = ("JobdeckWorkflow", "JobdeckNodes", "JobdeckDone", "DAGNodeName", "DAG_NodesTotal")
"""What a query asks for beside what it asks of any job."""

_Tries = dict[tuple[int, int], tuple]


class WorkflowsView:
    """The nodes of one schedd's workflows: the last whole answer and the deltas since, added up."""

    def __init__(self):
        self._nodes: dict[str, dict[str, _Tries]] = {}
        self._totals: dict[str, tuple[int, int]] = {}
        self._told: dict[str, dict[str, Part]] = {}

    def apply(self, ads: Iterable[Mapping[str, Any]], *, full: bool) -> set[str]:
        """Take an answer in; the tags of the workflows of which something is different now."""
        nodes: dict[str, dict[str, _Tries]] = {} if full else self._nodes
        changed: set[str] = set()
        for ad in ads:
            get = ad.get
            if (count := get("JobdeckNodes")) is not None and (tag := get("JobdeckTag")) is not None:
                self._totals[tag] = max(count, get("DAG_NodesTotal") or 0), get("JobdeckDone") or 0
            tag, name = get("JobdeckWorkflow"), get("DAGNodeName")
            if tag is None or name is None:
                continue
            tries = nodes.setdefault(tag, {}).setdefault(name, {})
            key, facts = (ad["ClusterId"], ad["ProcId"]), tuple(map(get, FACTS))
            if not full and tries.get(key) != facts:
                changed.add(tag)
            tries[key] = facts
        if full:
            changed = {tag for tag in nodes.keys() | self._nodes.keys() if nodes.get(tag) != self._nodes.get(tag)}
            self._nodes = nodes
        return changed

    def keep(self, tags: Iterable[str]) -> None:
        """Forget all other workflows: nobody asks about them any more."""
        kept = set(tags)
        for known in (self._totals, self._told):
            for tag in known.keys() - kept:
                del known[tag]

    def forget_told(self) -> None:
        """Say everything again: what was said last was not written down."""
        self._told.clear()

    def extended(self, said: Report) -> Report:
        """What is to be said of an attempt: of a workflow, also how its nodes are, as far as that is news."""
        totals = self._totals.get(said.tag)
        if totals is None:
            return said
        states = {name: _node_state(tries) for name, tries in self._nodes.get(said.tag, {}).items()}
        parts = {name: _part(name, *state) for name, state in states.items()}
        told = self._told.get(said.tag, {})
        news = [part for name, part in parts.items() if told.get(name) != part]
        self._told[said.tag] = parts
        going_on = any(state.status not in FINAL for state, _, _ in states.values())
        if said.status in FINAL and going_on:
            # Their programs are being ended.
            said = replace(said, status=Status.RUNNING, message=said.message or "What it started is being ended.")
        return workflow_report(said, parts, *totals, news=news)


def _node_state(tries: _Tries) -> tuple[ProcessState, int, int]:
    """How a node is by its last try, how often it was tried, and the last try's cluster."""
    clusters = sorted({cluster for cluster, _ in tries})
    last = {number: state_of(facts) for (cluster, number), facts in tries.items() if cluster == clusters[-1]}
    said = report("", last, len(last))
    state = ProcessState(
        said.status,
        said.message or "",
        said.exit_code,
        int(said.started.timestamp()) if said.started else None,
        int(said.finished.timestamp()) if said.finished else None,
    )
    return state, len(clusters), clusters[-1]


def _part(name: str, state: ProcessState, tries: int, cluster: int) -> Part:
    return Part(
        name,
        state.status,
        state.exit_code,
        tries,
        str(cluster),
        message=state.message,
        started=_time(state.started),
        finished=_time(state.finished),
    )


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def workflow_report(said: Report, parts: Mapping[str, Part], nodes: int, done: int, *, news: Iterable[Part]) -> Report:
    """The report about a workflow, of what is said of its DAGMan and of its nodes.

    Args:
        said: of DAGMan's own job.
        parts: the nodes of which the queue knows.
        nodes: how many there are in all.
        done: how many of them an earlier attempt has done.
        news: what of `parts` is to be written.
    """
    counts = Counter(str(part.status) for part in parts.values())
    counts[str(Status.COMPLETE)] += done
    waiting = max(0, nodes - sum(counts.values()))
    counts[str(Status.PENDING)] += waiting
    counts = +counts
    over = counts[str(Status.COMPLETE)]
    status, message = said.status, said.message
    if said.status == Status.RUNNING:
        status, message = _while_it_runs(counts, parts, said)
    return replace(
        said,
        status=status,
        message=message,
        counts=dict(counts),
        progress=round(100 * over / nodes, 1) if nodes else None,
        parts=tuple(news),
    )


def _while_it_runs(counts: Mapping[str, int], parts: Mapping[str, Part], said: Report) -> tuple[str, str | None]:
    going_on = counts.keys() - FINAL - {Status.PENDING}
    held = [part for part in parts.values() if part.status == Status.PAUSED]
    message = said.message
    if held:
        first = held[0]
        message = f"{len(held)} of {sum(counts.values())} nodes held. {first.name}: {first.message}".strip()
    if going_on == {Status.PAUSED}:
        return Status.PAUSED, message  # nothing of it moves
    if len(counts) > 1 and going_on:
        return Status.VARIOUS, message
    # All alike; or none of the nodes is in the queue just now, as between one and the next.
    return (next(iter(going_on)) if going_on else Status.RUNNING), message


def ended_report(said: Report, parts: Iterable[Part], aborted: bool) -> Report:
    """The report about a workflow that is over, when its status file is here.

    Args:
        said: what is known of its end without that: DAGMan's own status, message and exit code.
        parts: all of its nodes, splices left out.
        aborted: it was stopped.
    """
    parts = list(parts)
    counts = Counter(str(part.status) for part in parts)
    failed = [part for part in parts if part.status == Status.ERROR]
    unrun = counts[str(Status.ABORTED)]
    status = said.status
    if not aborted and status != Status.COMPLETE and counts[str(Status.COMPLETE)]:
        status = Status.VARIOUS_COMPLETE
    message = said.message
    if (failed or unrun) and not aborted:
        words = [f"{len(failed)} of {len(parts)} nodes failed"] if failed else []
        words += [f"{unrun} {'was' if unrun == 1 else 'were'} not run"] if unrun else []
        reasons = [f"{part.name}: {part.message}" for part in failed[:1]]
        message = ". ".join([", ".join(words), *reasons]).rstrip(".") + "."
    return replace(said, status=status, message=message, counts=dict(counts), parts=tuple(parts))
