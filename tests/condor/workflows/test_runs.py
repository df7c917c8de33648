"""Whole workflows in a real pool, from app code to the files in the workspace."""

import pytest

from jobs.condor.models import CondorWorkflowSpliceNode, CondorWorkflowSubdagNode
from jobs.engine import handle_of
from jobs.testing import settle
from tests.condor.workflows.live import final, node, read, row, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

COPIES = {"transfer_input_files": "../A/a.txt"}


def logs(workflow) -> dict[str, str]:
    """The logs that the engine has, by name."""
    return {log.name: log.read().decode() for log in workflow.type.engine.logs(handle_of(workflow))}


def test_a_diamond_passes_files_from_node_to_node(any_way, tmp_path):
    (tmp_path / "wind speed é.txt").write_text("3\n")
    workflow = any_way.workflow()
    a = node(workflow, "A", "cat 'wind speed é.txt' > a.txt", remote_input_files=[str(tmp_path / "wind speed é.txt")])
    b = node(workflow, "B", "cat a.txt a.txt > b.txt", a, attributes=COPIES)
    c = node(workflow, "C", "cat a.txt a.txt a.txt > c.txt", a, attributes=COPIES)
    node(
        workflow,
        "D",
        "cat b.txt c.txt | wc -l > d.txt; echo counted",
        b,
        c,
        attributes={"transfer_input_files": ["../B/b.txt", "../C/c.txt"]},
    )
    any_way.ended(workflow)
    assert (workflow.cached_status, workflow.exit_code) == ("Complete", 0), workflow.status_message
    assert read(workflow, "D/d.txt").strip() == "5"
    assert states(workflow) == dict.fromkeys("ABCD", "Complete")
    assert workflow.resources["counts"] == {"COM": 4}
    for name in "ABCD":
        ended = row(workflow, name)
        assert (ended.exit_code, ended.tries) == (0, 1)
        assert int(ended.external_id) > workflow.cluster_id
        assert ended.completion_time is None or ended.start_time <= ended.completion_time
    found = logs(workflow)
    assert found["D stdout"] == "counted\n"
    assert "ULOG_JOB_TERMINATED" in found["DAGMan"]
    any_way.until(lambda: not any_way.queue(workflow), "nothing is left in the queue", workflow)


def test_a_node_that_fails_is_tried_again_and_what_failed_is_rescued(any_way):
    workflow = any_way.workflow()
    a = node(workflow, "A", "date +%N > a.txt")
    b = node(workflow, "B", "cat a.txt > b.txt; exit 3", a, attributes=COPIES, retry=1)
    node(workflow, "C", "cat b.txt > c.txt", b, attributes={"transfer_input_files": "../B/b.txt"})
    any_way.ended(workflow)
    assert (workflow.cached_status, workflow.exit_code) == ("Various-Complete", 1)
    assert workflow.status_message.startswith("1 of 3 nodes failed, 1 was not run. B: ")
    assert states(workflow) == {"A": "Complete", "B": "Error", "C": "Aborted"}
    assert (row(workflow, "B").tries, row(workflow, "B").exit_code) == (2, 3)
    assert row(workflow, "C").status_message == "It was not run: a node before it failed."
    first, earlier = read(workflow, "A/a.txt"), row(workflow, "A").external_id

    b.set_attribute("arguments", ["-c", "cat a.txt > b.txt"])
    b.save()
    workflow.rescue()
    any_way.ended(workflow)
    assert (workflow.cached_status, workflow.attempt, workflow.continues) == ("Complete", 2, 1), workflow.status_message
    assert read(workflow, "C/c.txt") == first, "A has not run again"
    assert states(workflow) == dict.fromkeys("ABC", "Complete")
    assert row(workflow, "A").external_id == earlier

    workflow.resubmit()
    any_way.ended(workflow)
    assert (workflow.cached_status, workflow.attempt, workflow.continues) == ("Complete", 3, None)
    assert read(workflow, "C/c.txt") != first, "from the start, A has run again"


def test_the_final_node_runs_however_the_others_ended(live):
    workflow = live.workflow()
    node(workflow, "A", "exit 1")
    final(workflow, "Tidy", "echo tidied > tidied.txt")
    live.ended(workflow)
    assert workflow.cached_status == "Complete", "as DAGMan has it, the final node's end is the workflow's"
    assert read(workflow, "Tidy/tidied.txt") == "tidied\n"
    assert states(workflow) == {"A": "Error", "Tidy": "Complete"}


def test_no_more_nodes_of_a_category_run_at_once_than_it_may_have(live):
    workflow = live.workflow(max_jobs={"heavy": 2})
    for number in range(6):
        node(workflow, f"N{number}", "sleep 2", category="heavy")
    workflow.execute()
    most = 0
    while not workflow.is_over:
        settle()
        workflow.read_row()
        at_once = sum(state in ("Submitted", "Running") for state in states(workflow).values())
        most = max(most, at_once)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert most == 2


def test_nodes_of_a_splice_and_of_a_dag_of_its_own_are_those_of_other_dag_files(live, tmp_path):
    (tmp_path / "step.sub").write_text(
        "executable = /bin/sh\ntransfer_executable = false\narguments = \"-c 'echo $(word) > $(word).txt'\"\n"
        "should_transfer_files = YES\nqueue\n"
    )
    (tmp_path / "inner.dag").write_text(
        'JOB X step.sub\nJOB Y step.sub\nVARS X word="one"\nVARS Y word="two"\nPARENT X CHILD Y\n'
    )
    files = {"dag_file": str(tmp_path / "inner.dag"), "remote_input_files": [str(tmp_path / "step.sub")]}
    workflow = live.workflow()
    a = node(workflow, "A", "true")
    splice = CondorWorkflowSpliceNode.objects.create(workflow=workflow, name="S", **files)
    splice.add_parent(a)
    subdag = CondorWorkflowSubdagNode.objects.create(workflow=workflow, name="U", **files)
    subdag.add_parent(splice)
    live.ended(workflow)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert states(workflow) == dict.fromkeys(["A", "S", "U", "S+X", "S+Y"], "Complete")
    assert row(workflow, "S+X").exit_code == 0, "its job was seen in the queue"
    for place in ("S/one.txt", "S/two.txt", "U/one.txt", "U/two.txt"):
        assert read(workflow, place).strip() in place


def test_scripts_variables_priorities_and_nodes_that_do_nothing(live, tmp_path):
    script = tmp_path / "be fore.sh"
    script.write_text('#!/bin/sh\necho "$@" > said.txt\n')
    (tmp_path / "after.sh").write_text("#!/bin/sh\nexit 0\n")
    workflow = live.workflow()
    a = node(
        workflow,
        "A",
        "",
        variables={"place": "Seattle"},
        attributes={
            "arguments": ["-c", "cat said.txt > $(place).txt; exit 5"],
            "transfer_input_files": "said.txt",
        },
        pre_script=str(script),
        pre_script_args="wind 'and weather' $JOB",
        post_script=str(tmp_path / "after.sh"),
        priority=7,
    )
    b = node(workflow, "B", "exit 1", a, noop=True)
    node(workflow, "C", "exit 1", b, done=True)
    live.ended(workflow)
    assert workflow.cached_status == "Complete", f"{workflow.status_message} {logs(workflow)}"
    assert read(workflow, "A/Seattle.txt") == read(workflow, "A/said.txt") == "wind 'and weather' A\n"
    assert states(workflow) == dict.fromkeys("ABC", "Complete")


def test_a_node_can_end_the_whole_workflow(live):
    workflow = live.workflow()
    a = node(workflow, "A", "exit 9", abort_dag_on=9, abort_dag_on_return_value=4)
    node(workflow, "B", "true", a)
    live.ended(workflow)
    assert (workflow.cached_status, workflow.exit_code) == ("Error", 4)
    assert states(workflow) == {"A": "Error", "B": "Aborted"}


def test_stopping_removes_all_of_it(any_way):
    workflow = any_way.workflow()
    a = node(workflow, "A", "true")
    node(workflow, "B", "sleep 600", a)
    node(workflow, "C", "sleep 600", a)
    workflow.execute()
    any_way.until_node(workflow, "C", "Running")
    workflow.stop()
    any_way.until_over(workflow)
    assert workflow.cached_status == "Aborted"
    assert states(workflow) == {"A": "Complete", "B": "Aborted", "C": "Aborted"}
    any_way.until(lambda: not any_way.queue(workflow), "nothing is left in the queue", workflow)
    workflow.rescue()
    any_way.until_node(workflow, "C", "Running")
    assert (row(workflow, "A").status, row(workflow, "A").attempt) == ("Complete", 2)
    assert workflow.cached_status == "Various"


def test_a_paused_workflow_goes_on_where_it_was(live):
    workflow = live.workflow()
    a = node(workflow, "A", "true")
    b = node(workflow, "B", "sleep 3; echo done > b.txt", a)
    node(workflow, "C", "true", b)
    workflow.execute()
    live.until_node(workflow, "B", "Running")
    workflow.pause()
    live.until_status(workflow, "Paused")
    assert row(workflow, "B").status == "Paused"
    workflow.resume()
    live.until_over(workflow)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert (row(workflow, "A").tries, row(workflow, "B").tries) == (1, 1)


def test_two_hundred_nodes_are_known_by_one_query_a_look(live):
    workflow = live.workflow()
    first = node(workflow, "First", "true")
    for number in range(199):
        # Behind those of other tests.
        node(workflow, f"N{number}", "true", first, attributes={"priority": -20})
    live.ended(workflow)
    assert workflow.cached_status == "Complete", workflow.status_message
    assert set(states(workflow).values()) == {"Complete"}
