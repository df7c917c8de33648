"""The DAG file of an attempt: a pure function of the workflow's nodes and of where their files lie.

Commands and syntax are those of HTCondor's manual, 'DAGMan Workflows: DAG Input File'.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.condor.classads import quoted

STATUS_FILE = "workflow.status"
DAG_FILE = "workflow.dag"
STATUS_INTERVAL = 5
"""Least number of seconds between two writings of the status file."""
TOGETHER = 100
"""Parents, and children, that stand in one line."""


@dataclass(frozen=True, slots=True)
class Relations:
    """Who comes before whom.

    Attributes:
        parents: for each node that has any, its parents by name.
    """

    parents: Mapping[str, Sequence[str]]

    def lines(self) -> Iterable[str]:
        """One line for all nodes that have the same parents."""
        together: dict[tuple[str, ...], list[str]] = {}
        for child, parents in self.parents.items():
            if parents:
                together.setdefault(tuple(sorted(parents)), []).append(child)
        for parents, children in together.items():
            for start in range(0, len(children), TOGETHER):
                some = " ".join(children[start : start + TOGETHER])
                for first in range(0, len(parents), TOGETHER):
                    yield f"PARENT {' '.join(parents[first : first + TOGETHER])} CHILD {some}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with the places of its files, as DAGMan sees them from the folder that the node works in.

    Attributes:
        node: a `CondorWorkflowNode`.
        file: its submit file, or its DAG file.
        folder: the folder that it works in, from DAGMan's own.
        pre_script, post_script: its scripts; empty for none.
    """

    node: Any
    file: str
    folder: str
    pre_script: str = ""
    post_script: str = ""


def dag_text(
    placed: Sequence[Placed],
    relations: Relations,
    *,
    max_jobs: Mapping[str, int],
    config: str,
    variables: Mapping[str, str],
    folder: str,
) -> str:
    """The DAG file.

    Args:
        placed: the nodes.
        relations: who comes before whom.
        max_jobs: category to how many of its nodes may be in the queue at once.
        config: DAGMan's own settings, a path from DAGMan's folder; empty for none.
        variables: for the jobs of nodes whose submit file is not of Jobdeck's making.
        folder: where DAGMan's files lie, from its own folder.
    """
    lines = [f"NODE_STATUS_FILE {folder}/{STATUS_FILE} {STATUS_INTERVAL}"]
    if config:
        lines.append(f"CONFIG {config}")
    for one in placed:
        lines += _node_lines(one, variables)
    lines += [f"MAXJOBS {category} {number}" for category, number in max_jobs.items()]
    lines += relations.lines()
    return "\n".join([*lines, ""])


def _node_lines(placed: Placed, variables: Mapping[str, str]) -> Iterable[str]:
    node, keyword = placed.node, placed.node.KEYWORD
    name = node.name
    flags = f"{' NOOP' if node.noop else ''}{' DONE' if node.done else ''}"
    external = "EXTERNAL " if keyword == "SUBDAG" else ""
    yield f"{keyword} {external}{name} {placed.file} DIR {placed.folder}{flags if keyword != 'SPLICE' else ''}"
    if keyword == "SPLICE":
        return
    values = {**node.variables, **(variables if keyword == "SUBDAG" else {})}
    if values:
        yield f"VARS {name} {variables_text(values)}"
    if placed.pre_script:
        yield f"SCRIPT PRE {name} {' '.join(filter(None, [placed.pre_script, node.pre_script_args]))}"
    if placed.post_script:
        yield f"SCRIPT POST {name} {' '.join(filter(None, [placed.post_script, node.post_script_args]))}"
    if node.priority is not None:
        yield f"PRIORITY {name} {node.priority}"
    if node.category:
        yield f"CATEGORY {name} {node.category}"
    if node.retry:
        unless = f" UNLESS-EXIT {node.retry_unless_exit_value}" if node.retry_unless_exit_value is not None else ""
        yield f"RETRY {name} {node.retry}{unless}"
    if node.pre_skip is not None:
        yield f"PRE_SKIP {name} {node.pre_skip}"
    if node.abort_dag_on is not None:
        returns = node.abort_dag_on_return_value
        yield f"ABORT-DAG-ON {name} {node.abort_dag_on}" + (f" RETURN {returns}" if returns is not None else "")


def variables_text(values: Mapping[str, Any]) -> str:
    """Macros as a VARS line has them: backslashes and double quotes in a value are escaped."""
    return " ".join(f"{name}={quoted(str(value))}" for name, value in values.items())


def with_marks(text: str, variables: Mapping[str, str]) -> str:
    """An author's DAG file, with a line that gives all of its nodes our marks, by which the queue is asked for them."""
    return f"{text.rstrip()}\nVARS ALL_NODES {variables_text(variables)}\n"
