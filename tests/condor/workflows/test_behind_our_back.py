"""What others do to nodes with HTCondor's own commands, and what becomes of them here; what is refused, sends nothing."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.condor.pool import in_pool
from tests.condor.workflows.live import LiveWorkflows, node, row, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def live(our_pool, ann) -> LiveWorkflows:
    """A pool of our own making, where others' commands can be run too."""
    live = LiveWorkflows(our_pool, ann)
    yield live
    live.close()


def under_way(live, line: str = "sleep 600"):
    """A workflow whose second node runs, and a third waits."""
    workflow = live.workflow()
    a = node(workflow, "A", "true")
    b = node(workflow, "B", line, a)
    node(workflow, "C", "true", b)
    workflow.execute()
    live.until_node(workflow, "B", "Running")
    workflow.read_row()
    return workflow


def test_a_node_that_somebody_holds_is_paused_with_the_reason_and_goes_on_when_released(live):
    workflow = under_way(live, "sleep 4")
    in_pool("condor_hold", row(workflow, "B").external_id, "-reason", "disk quota exceeded")
    live.until_node(workflow, "B", "Paused")
    assert "disk quota exceeded" in row(workflow, "B").status_message
    live.until_status(workflow, "Paused")
    assert "B: " in workflow.status_message
    in_pool("condor_release", row(workflow, "B").external_id)
    live.until_over(workflow)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert row(workflow, "B").tries == 1


def test_a_node_that_somebody_removes_has_failed_and_what_comes_after_it_is_not_run(live):
    workflow = under_way(live)
    in_pool("condor_rm", row(workflow, "B").external_id, "-reason", "the pool is being moved")
    live.until_over(workflow)
    assert workflow.cached_status == "Various-Complete"
    assert states(workflow)["A"] == "Complete"
    assert states(workflow)["B"] in ("Error", "Aborted")
    assert states(workflow)["C"] == "Aborted"
    workflow.rescue()
    live.until_node(workflow, "B", "Running")
    assert row(workflow, "A").status == "Complete"


def test_a_workflow_whose_dagman_somebody_removes_is_aborted_with_all_of_its_nodes(live):
    workflow = under_way(live)
    in_pool("condor_rm", workflow.cluster_id, "-reason", "no DAGs here")
    live.until_over(workflow)
    assert workflow.cached_status == "Aborted"
    assert "no DAGs here" in workflow.status_message
    assert states(workflow) == {"A": "Complete", "B": "Aborted", "C": "Aborted"}
    live.until(lambda: not live.queue(workflow), "nothing is left in the queue", workflow)


def test_a_dagman_that_is_killed_is_started_again_and_goes_on(live):
    workflow = under_way(live, "sleep 8; echo done > b.txt")
    [dagman] = dagmans(workflow)
    os.kill(dagman, signal.SIGKILL)
    live.until_over(workflow)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert {name: row(workflow, name).tries for name in "ABC"} == {"A": 1, "B": 1, "C": 1}


def dagmans(workflow) -> list[int]:
    """The processes that are the workflow's DAGMan: they work in the folder of its cluster."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text() == "condor_dagman\n":
                where = str((process / "cwd").readlink())
                found += [int(process.name)] if f"cluster{workflow.cluster_id}." in where else []
    return found


# --- what is refused


def test_what_cannot_run_is_an_error_that_names_the_node_and_nothing_is_sent(live):
    workflow = live.workflow()
    a = node(workflow, "A", "true")
    b = node(workflow, "B", "true", a)
    a.add_parent(b)
    live.ended(workflow)
    assert workflow.cached_status == "Error"
    assert "A" in workflow.status_message
    assert "in a ring" in workflow.status_message
    assert not live.queue(workflow)


def test_a_parent_of_another_workflow_is_refused_though_it_has_the_name_of_one_of_ours(live):
    other = live.workflow()
    foreign = node(other, "A", "true")
    workflow = live.workflow()
    node(workflow, "A", "true")
    node(workflow, "B", "true", foreign)
    live.ended(workflow)
    assert workflow.cached_status == "Error"
    assert f"A (number {foreign.pk}, of another workflow)" in workflow.status_message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"remote_input_files": ["not there"]}, "A: remote_input_files: not there is not there"),
        ({"attributes": {"executable": "model.sh"}}, "A: "),
        ({"pre_script": "not there"}, "A: pre_script: not there is not there"),
        ({"attributes": {"transfer_input_files": "../../etc/passwd"}}, "leads out of the workflow's folder"),
    ],
)
def test_a_file_that_is_not_there_or_may_not_be_named_is_refused(live, fields, message):
    workflow = live.workflow()
    node(workflow, "A", "true", **fields)
    live.ended(workflow)
    assert workflow.cached_status == "Error"
    assert message in workflow.status_message
    assert not live.queue(workflow)
