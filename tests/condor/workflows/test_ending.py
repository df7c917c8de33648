"""How a workflow ended: DAGMan's status and rescue files, and what is made of both."""

import pytest

from jobs.condor.workflows.answers import ended_report
from jobs.condor.workflows.rescue import newest_rescue, of_nodes
from jobs.condor.workflows.statusfile import read_status
from jobs.engine import Part, Report
from jobs.status import Status

BEGIN = '[\n  Type = "DagStatus";\n  DagFiles = {\n    "workflow.dag"\n  };\n  NodesTotal = 2;\n]\n'
END = '[\n  Type = "StatusEnd";\n  EndTime = 1700000000; /* "Tue" */\n  NextUpdate = 0; /* "none" */\n]\n'


def node(name: str, status: int, details: str = "", retries: int = 0) -> str:
    return (
        f'[\n  Type = "NodeStatus";\n  Node = "{name}";\n  NodeStatus = {status}; /* "STATUS" */\n'
        f'  StatusDetails = "{details}";\n  RetryCount = {retries};\n  JobProcsQueued = 0;\n  JobProcsHeld = 0;\n]\n'
    )


@pytest.mark.parametrize(
    ("status", "details", "word", "message"),
    [
        (5, "", "Complete", ""),
        (6, "Job proc (12.0.0) failed with status 3", "Error", "Job proc (12.0.0) failed with status 3"),
        (6, "Was STATUS_SUBMITTED", "Aborted", "ended with the workflow"),
        (7, "", "Aborted", "a node before it failed"),
        (0, "", "Aborted", "the workflow ended before"),
        (1, "", "Aborted", "the workflow ended before"),
        (3, "not_idle", "Aborted", "ended with the workflow"),
        (6, 'said \\"no\\"', "Error", 'said "no"'),
    ],
)
def test_every_state_of_a_node_has_a_status(status, details, word, message):
    ended = read_status(BEGIN + node("A", status, details) + END)
    [part] = ended.parts
    assert (part.name, Status(part.status).label) == ("A", word)
    assert message in part.message
    assert ended.whole


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ("Job proc (12.0.0) failed with status 3", 3),
        ("Job proc (12.0.0) failed with signal 9", None),
        ("PRE Script failed with status 3", None),
    ],
)
def test_the_exit_code_of_a_failed_job_is_what_dagman_says(details, code):
    [part] = read_status(BEGIN + node("A", 6, details) + END).parts
    assert part.exit_code == code


@pytest.mark.parametrize(
    ("status", "details", "retries", "tries"),
    [
        (6, "Job proc (12.0.0) failed with status 3", 0, 1),
        (6, "Job proc (12.0.0) failed with status 3 (after 1 node retries)", 1, 2),
        (5, "", 2, 3),
        (5, "", 0, 0),
        (0, "", 0, 0),
    ],
)
def test_dagman_says_how_often_a_node_was_tried_where_the_queue_lost_the_last_try(status, details, retries, tries):
    [part] = read_status(BEGIN + node("A", status, details, retries) + END).parts
    assert part.tries == tries


@pytest.mark.parametrize("text", ["", BEGIN, BEGIN + node("A", 5), BEGIN + node("A", 5) + END[:30]])
def test_a_file_that_was_cut_off_is_not_whole(text):
    assert not read_status(text).whole


def ended(*statuses: str, status=Status.ERROR, aborted=False) -> Report:
    parts = [Part(f"N{number}", one, message="it broke") for number, one in enumerate(statuses)]
    return ended_report(Report("x.1", status, "DAGMan's own words", 1), parts, aborted)


def test_some_nodes_that_failed_make_it_various_complete_and_are_counted():
    said = ended("COM", "ERR", "ABT")
    assert said.status == Status.VARIOUS_COMPLETE
    assert said.message == "1 of 3 nodes failed, 1 was not run. N1: it broke."
    assert said.counts == {"COM": 1, "ERR": 1, "ABT": 1}


@pytest.mark.parametrize(
    ("statuses", "status", "aborted", "found"),
    [
        (["ERR", "ABT"], Status.ERROR, False, Status.ERROR),
        (["COM", "COM"], Status.COMPLETE, False, Status.COMPLETE),
        (["COM", "ABT"], Status.ABORTED, True, Status.ABORTED),
        (["COM", "ERR"], Status.COMPLETE, False, Status.COMPLETE),
    ],
)
def test_how_it_ended_follows_dagman_and_its_nodes(statuses, status, aborted, found):
    assert ended(*statuses, status=status, aborted=aborted).status == found


def test_of_a_workflow_that_was_stopped_the_reason_stands():
    assert ended("COM", "ABT", status=Status.ABORTED, aborted=True).message == "DAGMan's own words"


# --- rescue files

RESCUE = """# Rescue DAG file, created after running
# Total number of Nodes: 3

DONE A

RETRY B 2
DONE S+X
DONE Gone
SCRIPT PRE A /bin/evil
"""


def test_a_rescue_file_speaks_only_of_nodes_that_there_are():
    text, done = of_nodes(RESCUE, {"A", "B", "S"})
    assert done == ["A", "S+X"]
    assert text.splitlines()[1:] == ["DONE A", "RETRY B 2", "DONE S+X"]


def test_the_newest_of_the_rescue_files_counts(tmp_path):
    for number in (1, 2, 10):
        (tmp_path / f"workflow.dag.rescue{number:03}").touch()
    (tmp_path / "workflow.dag.rescue").touch()
    (tmp_path / "other.dag.rescue099").touch()
    assert newest_rescue(tmp_path) == "workflow.dag.rescue010"


def test_without_one_there_is_none_and_no_link_is_followed(tmp_path):
    assert newest_rescue(tmp_path / "not there") is None
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "workflow.dag.rescue001").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert newest_rescue(tmp_path / "link") is None
