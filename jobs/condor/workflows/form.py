"""The form that a workflow and its nodes must have, so that its DAG file says just what they say.

A DAG file is lines of words (HTCondor manual, 'DAGMan Workflows: DAG Input File'): no name and no value must become
another word or another line, and no graph may be one that DAGMan never comes to an end with.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jobs.condor.submission.allowlist import Refusal, check_attributes, check_form
from jobs.condor.workflows.description import RESTART

MOST_NODES = 20_000

KEYWORDS = frozenset(
    {"job", "parent", "child", "splice", "final", "provisioner", "service", "script", "pre", "post", "hold", "vars"}
    | {"priority", "category", "maxjobs", "retry", "unless-exit", "return", "pre_skip", "abort-dag-on", "dot", "config"}
    | {
        "node_status_file",
        "jobstate_log",
        "subdag",
        "external",
        "dir",
        "noop",
        "done",
        "all_nodes",
        "reject",
        "include",
    }
    | {"set_job_attr", "connect", "pin_in", "pin_out", "save_point_file", "env", "submit-description"}
)
"""Words that stand for themselves in a DAG file."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_CATEGORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"(?!queue)[A-Za-z][A-Za-z0-9_]*", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPLICE_HAS_NONE = (
    "pre_script",
    "post_script",
    "priority",
    "category",
    "retry",
    "pre_skip",
    "abort_dag_on",
    "variables",
)


def check_workflow(workflow) -> None:
    """Check what must hold for a workflow itself.

    Raises:
        Refusal: what it says cannot be said to DAGMan.
    """
    if _CONTROL.search(workflow.name):
        raise Refusal("name", "has a line break or another control character; a name is one line of text")
    if not isinstance(workflow.max_jobs, Mapping):
        raise Refusal("max_jobs", "must be a dictionary of category and number, for example {'download': 5}")
    for category, number in workflow.max_jobs.items():
        if not isinstance(category, str) or not _CATEGORY.fullmatch(category):
            raise Refusal("max_jobs", f"{category!r}: the name of a category is letters, digits, '_', '.' and '-'")
        if type(number) is not int or number < 1:
            raise Refusal("max_jobs", f"{category}: {number!r}: must be a number of nodes, at least 1")
    if workflow.config and workflow.restricted:
        raise Refusal("config", "sets how DAGMan runs on the pool's machine; only app code may name one")


def check_nodes(workflow, nodes: Sequence[Any], parents: Mapping[str, Iterable[str]]) -> None:
    """Check the nodes of a workflow, and how they hang together, before anything is sent.

    Args:
        nodes: the rows of `CondorWorkflowNode`, each as what it is.
        parents: for each node that has any, its parents by name.

    Raises:
        Refusal: the first thing that is wrong, with the node's name.
    """
    if not nodes:
        raise Refusal("nodes", "a workflow needs at least one; CondorWorkflowJobNode(workflow=…, name=…) makes one")
    if len(nodes) > MOST_NODES:
        raise Refusal(
            "nodes", f"there are {len(nodes)} of them, and at most {MOST_NODES} are taken; use num_jobs in a node"
        )
    known = {node.name for node in nodes}
    for node in nodes:
        check_node(workflow, node)
    _check_parents(nodes, parents, known)
    _check_finals(nodes, parents)
    _check_cycles(parents)


def check_node(workflow, node) -> None:
    """Check one node by itself.

    Raises:
        Refusal: what it says cannot be said to DAGMan, or its maker may not say it.
    """
    if not isinstance(node.name, str) or not _NAME.fullmatch(node.name) or node.name.lower() in KEYWORDS:
        raise Refusal(
            "nodes",
            f"{node.name!r}: DAGMan cannot carry a node of this name; use letters, digits, '_' and '-', and none of "
            "DAGMan's own words (PARENT, JOB, DONE, …)",
        )
    if node.KEYWORD == "SPLICE":
        _check_splice(node)
    _check_words(node)
    _check_numbers(node)
    _check_variables(node)
    if node.KEYWORD in ("JOB", "FINAL"):
        _about(node, check_form, NodeJob(workflow, node))
    if workflow.restricted:
        _check_restricted(workflow, node)


class NodeJob:
    """A job node as the checks for jobs know a job: its own commands and files, its workflow's folder and maker."""

    def __init__(self, workflow, node):
        self.workflow = workflow
        self.node = node
        self.name = node.name
        self.attributes = node.attributes
        self.condorpy_template_name = node.condorpy_template_name
        self.remote_input_files = node.remote_input_files
        self.num_jobs = node.num_jobs
        self.restricted = workflow.restricted

    def __getattr__(self, name: str):
        return getattr(self.workflow, name)


def _about(node, check, job) -> None:
    try:
        check(job)
    except Refusal as refusal:
        text = str(refusal).removeprefix(f"{refusal.field}: ")
        raise Refusal("nodes", f"{node.name}: {refusal.field}: {text}") from refusal


def _check_splice(node) -> None:
    for name in _SPLICE_HAS_NONE:
        if getattr(node, name) not in ("", None, {}):
            raise Refusal("nodes", f"{node.name}: {name}: a splice has none; set it at the nodes inside of it")
    if node.noop or node.done:
        raise Refusal("nodes", f"{node.name}: a splice is neither noop nor done; its nodes inside may be")


def _check_words(node) -> None:
    for name in ("pre_script", "pre_script_args", "post_script", "post_script_args", "dir", "dag_file", "category"):
        value = getattr(node, name, "")
        if value and _CONTROL.search(value):
            raise Refusal("nodes", f"{node.name}: {name}: has a line break or another control character")
    if node.category and not _CATEGORY.fullmatch(node.category):
        raise Refusal("nodes", f"{node.name}: category: {node.category!r}: use letters, digits, '_', '.' and '-'")
    parts = node.dir.split("/")
    if node.dir and (node.dir.startswith("/") or ".." in parts or re.search(r"[\s\"\\]", node.dir)):
        raise Refusal(
            "nodes", f"{node.name}: dir: {node.dir!r}: must be a folder in the workspace, without spaces and quotes"
        )
    for name in ("pre_script_args", "post_script_args"):
        if getattr(node, name) and not getattr(node, name.removesuffix("_args")):
            raise Refusal("nodes", f"{node.name}: {name}: there is no script that would get them")
    if getattr(node, "dag_file", None) == "":
        raise Refusal("nodes", f"{node.name}: dag_file: a {node.KEYWORD} node needs one")


def _check_numbers(node) -> None:
    for name in (
        "priority",
        "retry",
        "retry_unless_exit_value",
        "pre_skip",
        "abort_dag_on",
        "abort_dag_on_return_value",
    ):
        value = getattr(node, name)
        if value is not None and type(value) is not int:
            raise Refusal("nodes", f"{node.name}: {name}: {value!r}: must be a whole number")
    if node.retry_unless_exit_value is not None and not node.retry:
        raise Refusal("nodes", f"{node.name}: retry_unless_exit_value: says nothing without retry")
    if node.abort_dag_on_return_value is not None:
        if node.abort_dag_on is None:
            raise Refusal("nodes", f"{node.name}: abort_dag_on_return_value: says nothing without abort_dag_on")
        if not 0 <= node.abort_dag_on_return_value <= 255:
            raise Refusal("nodes", f"{node.name}: abort_dag_on_return_value: an exit code is 0 to 255")
        if node.abort_dag_on_return_value == RESTART:
            raise Refusal(
                "nodes",
                f"{node.name}: abort_dag_on_return_value: by {RESTART} DAGMan asks to be started again; use another",
            )
    if node.pre_skip is not None and not node.pre_script:
        raise Refusal("nodes", f"{node.name}: pre_skip: says nothing without pre_script")


def _check_variables(node) -> None:
    if not isinstance(node.variables, Mapping):
        raise Refusal("nodes", f"{node.name}: variables: must be a dictionary, for example {{'station': 'Seattle'}}")
    for name, value in node.variables.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise Refusal(
                "nodes",
                f"{node.name}: variables: {name!r}: a name is letters, digits and '_', beginning with a letter, and not "
                "with 'queue'",
            )
        if not isinstance(value, str | int | float) or (isinstance(value, str) and _CONTROL.search(value)):
            raise Refusal("nodes", f"{node.name}: variables: {name}: must be a number, or one line of text")


def _check_restricted(workflow, node) -> None:
    if node.KEYWORD not in ("JOB", "FINAL"):
        raise Refusal("nodes", f"{node.name}: only app code may bring DAG files of its own")
    if node.pre_script or node.post_script:
        raise Refusal(
            "nodes",
            f"{node.name}: scripts before and after a node run on the machine of the schedd, as the account of all jobs of "
            "this site; only app code may have them. Make it a node of its own",
        )
    if node.variables:
        # They come over what was looked at.
        raise Refusal("nodes", f"{node.name}: variables: write the values into the node's attributes")
    _about(node, check_attributes, NodeJob(workflow, node))


def _check_parents(nodes, parents, known: set[str]) -> None:
    for child, names in parents.items():
        for parent in names:
            if parent not in known:
                raise Refusal("nodes", f"{child}: its parent {parent} is no node of this workflow")
            if parent == child:
                raise Refusal("nodes", f"{child}: is its own parent; take that away")


def _check_finals(nodes, parents) -> None:
    finals = [node.name for node in nodes if node.KEYWORD == "FINAL"]
    if len(finals) > 1:
        raise Refusal("nodes", f"{', '.join(finals)}: DAGMan knows one final node at most")
    for name in finals:
        if parents.get(name) or any(name in names for names in parents.values()):
            raise Refusal("nodes", f"{name}: a final node has neither parents nor children; it comes after all others")
    if len(finals) == len(nodes):
        raise Refusal("nodes", f"{finals[0]}: there is no node before the final one")


def _check_cycles(parents: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        ring = " → ".join(error.args[1])
        raise Refusal("nodes", f"{ring}: come after each other in a ring; take one of these parents away") from error
