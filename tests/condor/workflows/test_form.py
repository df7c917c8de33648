"""What is refused of a workflow before anything is sent, and that no name and no value becomes another line of its DAG file."""

import pytest

from jobs.condor.models import (
    CondorWorkflow,
    CondorWorkflowFinalNode,
    CondorWorkflowJobNode,
    CondorWorkflowSpliceNode,
    CondorWorkflowSubdagNode,
)
from jobs.condor.submission.allowlist import Refusal
from jobs.condor.workflows.form import KEYWORDS, check_nodes, check_workflow

COMMANDS = {"executable": "/bin/true"}


def workflow(**fields) -> CondorWorkflow:
    return CondorWorkflow(name="wind", **fields)


def job(name="A", **fields) -> CondorWorkflowJobNode:
    return CondorWorkflowJobNode(name=name, **{"attributes": COMMANDS, **fields})


def refusal(*nodes, of=None, **parents) -> str:
    """What is said against these nodes."""
    with pytest.raises(Refusal) as found:
        check_nodes(of or workflow(), nodes, parents)
    return str(found.value)


def test_a_diamond_is_fine():
    nodes = [job(name) for name in "ABCD"]
    check_nodes(workflow(), nodes, {"B": ["A"], "C": ["A"], "D": ["B", "C"]})


@pytest.mark.parametrize("name", ["A", "a_1", "0", "wind-speed", "x" * 200, "Done1", "parents"])
def test_names_that_dagman_can_carry(name):
    check_nodes(workflow(), [job(name)], {})


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a\nJOB evil x", "a+b", "a.b", "-a", "é", 'a"', "a#", "$(X)", "ALL_NODES", "parent", "Done", "JOB"],
)
def test_names_that_it_cannot_carry(name):
    assert f"{name!r}: DAGMan cannot carry" in refusal(job(name))


@pytest.mark.parametrize("name", sorted(KEYWORDS))
def test_none_of_its_own_words_is_a_name(name):
    assert "DAGMan's own words" in refusal(job(name.upper()))


# --- how nodes hang together


def test_a_ring_is_shown():
    said = refusal(*[job(name) for name in "ABC"], A=["C"], B=["A"], C=["B"])
    assert "in a ring" in said
    assert all(name in said for name in "ABC")


@pytest.mark.parametrize(
    ("parents", "message"),
    [({"A": ["A"]}, "A: is its own parent"), ({"A": ["X"]}, "A: its parent X is no node of this workflow")],
)
def test_parents_that_are_none(parents, message):
    assert message in refusal(job("A"), **parents)


def test_no_node_at_all():
    assert "needs at least one" in refusal()


def final(name="F") -> CondorWorkflowFinalNode:
    return CondorWorkflowFinalNode(name=name, attributes=COMMANDS)


@pytest.mark.parametrize(
    ("nodes", "parents", "message"),
    [
        ([final("F"), final("G"), job("A")], {}, "F, G: DAGMan knows one final node"),
        ([final("F"), job("A")], {"F": ["A"]}, "F: a final node has neither parents nor children"),
        ([final("F"), job("A")], {"A": ["F"]}, "F: a final node has neither parents nor children"),
        ([final("F")], {}, "no node before the final one"),
    ],
)
def test_final_nodes(nodes, parents, message):
    assert message in refusal(*nodes, **parents)


# --- values


@pytest.mark.parametrize("name", ["pre_script", "pre_script_args", "post_script_args", "dir", "category"])
@pytest.mark.parametrize("sign", ["\n", "\r", "\x00", "\x85", "\u2028"])
def test_no_value_adds_a_line(name, sign):
    fields = {"pre_script": "/bin/true", "post_script": "/bin/true"} | {name: f"x{sign}JOB evil y"}
    assert f"A: {name}: has a line break or another control character" in refusal(job(**fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"category": "a b"}, "category: 'a b'"),
        ({"dir": "/etc"}, "dir: '/etc': must be a folder in the workspace"),
        ({"dir": "../x"}, "dir: '../x'"),
        ({"dir": "a b"}, "dir: 'a b'"),
        ({"pre_script_args": "x"}, "pre_script_args: there is no script"),
        ({"post_script_args": "x"}, "post_script_args: there is no script"),
        ({"retry": "3"}, "retry: '3': must be a whole number"),
        ({"priority": True}, "priority: True: must be a whole number"),
        ({"retry_unless_exit_value": 3}, "retry_unless_exit_value: says nothing without retry"),
        ({"abort_dag_on_return_value": 1}, "says nothing without abort_dag_on"),
        ({"abort_dag_on": 1, "abort_dag_on_return_value": 256}, "an exit code is 0 to 255"),
        ({"abort_dag_on": 1, "abort_dag_on_return_value": 3}, "asks to be started again"),
        ({"pre_skip": 1}, "pre_skip: says nothing without pre_script"),
        ({"variables": ["x"]}, "variables: must be a dictionary"),
        ({"variables": {"a b": "x"}}, "variables: 'a b'"),
        ({"variables": {"queue_1": "x"}}, "variables: 'queue_1'"),
        ({"variables": {"1a": "x"}}, "variables: '1a'"),
        ({"variables": {"a": "x\ny"}}, "variables: a: must be a number, or one line"),
        ({"variables": {"a": None}}, "variables: a: must be a number, or one line"),
        ({"num_jobs": 0}, "A: num_jobs"),
        ({"attributes": {**COMMANDS, "queue": "5"}}, "A: attributes: queue"),
    ],
)
def test_what_is_wrong_with_a_node_is_said_with_its_name_and_the_field(fields, message):
    said = refusal(job(**fields))
    assert said.startswith("nodes: A: ")
    assert message in said


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"retry": 2}, "retry: a splice has none"),
        ({"pre_script": "/bin/true"}, "pre_script: a splice has none"),
        ({"noop": True}, "neither noop nor done"),
        ({"dag_file": ""}, "dag_file: a SPLICE node needs one"),
    ],
)
def test_what_a_splice_cannot_have(fields, message):
    node = CondorWorkflowSpliceNode(name="S", **{"dag_file": "inner.dag", **fields})
    assert message in refusal(node)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"max_jobs": [1]}, "max_jobs"),
        ({"max_jobs": {"a b": 1}}, "max_jobs"),
        ({"max_jobs": {"a\nJOB x y": 1}}, "max_jobs"),
        ({"max_jobs": {"a": 0}}, "max_jobs"),
        ({"max_jobs": {"a": True}}, "max_jobs"),
        ({"config": "x", "restricted": True}, "config"),
    ],
)
def test_what_is_wrong_with_the_workflow_itself(fields, field):
    with pytest.raises(Refusal) as found:
        check_workflow(workflow(**fields))
    assert found.value.field == field


# --- what came from a user


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (job(pre_script="/bin/true"), "only app code may have them"),
        (job(post_script="/bin/true"), "only app code may have them"),
        (job(variables={"executable": "/bin/sh"}), "write the values into the node's attributes"),
        (job(attributes={**COMMANDS, "getenv": "true"}), "A: attributes: getenv"),
        (job(attributes={**COMMANDS, "+Evil": "1"}), "A: attributes: +Evil"),
        (job(attributes={**COMMANDS, "universe": "local"}), "A: attributes: universe"),
        (CondorWorkflowSpliceNode(name="A", dag_file="x"), "only app code may bring DAG files"),
        (CondorWorkflowSubdagNode(name="A", dag_file="x"), "only app code may bring DAG files"),
    ],
)
def test_the_allow_list_holds_for_each_node_of_a_restricted_workflow(node, message):
    check_nodes(workflow(), [node], {})
    assert message in refusal(node, of=workflow(restricted=True))
