"""The DAG file as text: what each attribute of a node becomes, and that DAGMan itself reads it so."""

import pytest

from jobs.condor.models import (
    CondorWorkflowFinalNode,
    CondorWorkflowJobNode,
    CondorWorkflowSpliceNode,
    CondorWorkflowSubdagNode,
)
from jobs.condor.workflows.dagfile import TOGETHER, Placed, Relations, dag_text, variables_text, with_marks


def placed(node, **places) -> Placed:
    return Placed(node, f"../../dag/{node.name}.sub", f"run/{node.name}", **places)


def lines(*nodes: Placed, parents=None, max_jobs=None, config="", variables=None) -> list[str]:
    text = dag_text(
        nodes,
        Relations(parents or {}),
        max_jobs=max_jobs or {},
        config=config,
        variables=variables or {},
        folder="dag",
    )
    assert text.endswith("\n")
    return text.splitlines()


def test_every_attribute_of_a_node_has_its_command():
    node = CondorWorkflowJobNode(
        name="A",
        variables={"place": 'Lake "2"', "n": 3, "path": "C:\\x"},
        pre_script_args="1 2",
        priority=-5,
        category="heavy",
        retry=3,
        retry_unless_exit_value=2,
        pre_skip=7,
        abort_dag_on=9,
        abort_dag_on_return_value=1,
        noop=True,
        done=True,
    )
    said = lines(
        placed(node, pre_script="../x/pre", post_script="/bin/true"), max_jobs={"heavy": 2}, config="dag/config"
    )
    assert said == [
        "NODE_STATUS_FILE dag/workflow.status 5",
        "CONFIG dag/config",
        "JOB A ../../dag/A.sub DIR run/A NOOP DONE",
        'VARS A place="Lake \\"2\\"" n="3" path="C:\\\\x"',
        "SCRIPT PRE A ../x/pre 1 2",
        "SCRIPT POST A /bin/true",
        "PRIORITY A -5",
        "CATEGORY A heavy",
        "RETRY A 3 UNLESS-EXIT 2",
        "PRE_SKIP A 7",
        "ABORT-DAG-ON A 9 RETURN 1",
        "MAXJOBS heavy 2",
    ]


@pytest.mark.parametrize(
    ("node", "line"),
    [
        (CondorWorkflowJobNode(name="N"), "JOB N ../../dag/N.sub DIR run/N"),
        (CondorWorkflowFinalNode(name="N"), "FINAL N ../../dag/N.sub DIR run/N"),
        (CondorWorkflowSpliceNode(name="N"), "SPLICE N ../../dag/N.sub DIR run/N"),
        (CondorWorkflowSubdagNode(name="N", noop=True), "SUBDAG EXTERNAL N ../../dag/N.sub DIR run/N NOOP"),
    ],
)
def test_every_kind_of_node_has_its_command(node, line):
    assert lines(placed(node))[1:] == [line]


def test_nodes_that_have_the_same_parents_share_a_line():
    said = lines(parents={"B": ["A"], "C": ["A"], "D": ["C", "B"], "E": []})
    assert said[1:] == ["PARENT A CHILD B C", "PARENT B C CHILD D"]


def test_lines_do_not_grow_without_end():
    parents = [f"P{number}" for number in range(TOGETHER + 1)]
    said = lines(parents={f"C{number}": parents for number in range(TOGETHER + 1)})[1:]
    assert len(said) == 4
    assert max(len(line.split()) for line in said) == 2 * TOGETHER + 2
    pairs = {
        (parent, child)
        for line in said
        for parent in line.split(" CHILD ")[0].split()[1:]
        for child in line.split(" CHILD ")[1].split()
    }
    assert len(pairs) == (TOGETHER + 1) ** 2


def test_only_a_dag_of_its_own_gets_our_marks_as_variables():
    marks = {"My.JobdeckWorkflow": '"x.1"'}
    said = lines(placed(CondorWorkflowJobNode(name="A")), placed(CondorWorkflowSubdagNode(name="U")), variables=marks)
    assert [line for line in said if line.startswith("VARS")] == ['VARS U My.JobdeckWorkflow="\\"x.1\\""']


def test_an_authors_dag_file_gets_our_marks_on_all_its_nodes():
    assert with_marks("JOB X x.sub", {"a": "1"}) == 'JOB X x.sub\nVARS ALL_NODES a="1"\n'


def test_quotes_and_backslashes_in_a_value_are_escaped():
    assert variables_text({"a": '\\"'}) == 'a="\\\\\\""'
