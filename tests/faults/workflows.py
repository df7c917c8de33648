"""A workflow in a real pool that fails and is rescued, whatever is killed around its submission and that of its rescue."""

from collections.abc import Callable
from uuid import uuid4

from jobs.condor.models import CondorWorkflow, CondorWorkflowJobNode
from jobs.engine import make_tag
from jobs.status import Status
from jobs.workspaces import workspace_path
from tests.faults.in_the_pool import PATIENCE, InPool
from tests.faults.scenarios import Problem, Run
from tests.faults.stack import wait_until

POINTS = (
    "worker.claim_intent",
    "worker.claim_job",
    "engine.submit",
    "worker.record_submission",
    "monitor.apply_poll",
    "engine.fetch",
    "worker.record_end",
    "engine.tidy_up",
)
"""Points at which processes are killed; all are passed by the first attempt and by its rescue."""


def killings(in_pool: InPool, points: list[str]) -> list[Callable[[Run], None]]:
    """For each point ('name.before' or 'name.after') two scenarios: killed there in the first attempt, and in the rescue."""
    return [_killing(in_pool, point, attempt) for point in points for attempt in (1, 2)]


def _killing(in_pool: InPool, point: str, attempt: int) -> Callable[[Run], None]:
    def scenario(run: Run) -> None:
        _fails_and_is_rescued(in_pool, run, {attempt: point})

    scenario.__name__ = f"workflow killed at {point} of attempt {attempt}"
    return scenario


def _fails_and_is_rescued(in_pool: InPool, run: Run, killed_at: dict[int, str]) -> None:
    """The second of two nodes fails; when it is mended and the workflow rescued, the first does not run again."""
    run.patience = PATIENCE
    workflow = run.manager.create_job(f"{uuid4()}", run.user, CondorWorkflow)
    in_pool.tags += [make_tag(workflow.uuid, 1), make_tag(workflow.uuid, 2)]
    traces = in_pool.folder / f"workflow-{workflow.uuid}"
    traces.mkdir()
    traces.chmod(0o777)
    first = _node(workflow, traces, "first", "echo wind > wind.txt")
    second = _node(workflow, traces, "second", "exit 3")
    second.add_parent(first)

    if 1 in killed_at:
        run.stack.arm(killed_at[1])
    run.act(workflow, "execute")
    run.wait_for(workflow, Status.VARIOUS_COMPLETE)
    second.set_attribute("arguments", ["-c", f"{_trace(traces, 'second')}; cat wind.txt > out.txt"])
    second.save()
    if 2 in killed_at:
        run.stack.arm(killed_at[2])
    run.act(workflow, "rescue")
    if not wait_until(lambda: workflow.read_row() or workflow.attempt == 2, PATIENCE):
        raise Problem("stuck", f"{run.describe(workflow)}: it was not rescued")
    run.wait_for(workflow, Status.COMPLETE)

    started = {name: (traces / name).read_text().count("\n") for name in ("first", "second")}
    if started != {"first": 1, "second": 2}:
        raise Problem("doubled" if started["first"] > 1 or started["second"] > 2 else "lost", f"started {started}")
    output = workspace_path(workflow) / "second" / "out.txt"
    if not output.exists() or output.read_text() != "wind\n":
        raise Problem("lost", f"{run.describe(workflow)}: its output is not there")
    states = {node.name: (node.attempt, node.status) for node in workflow.nodes.all()}
    if states != {"first": (2, "Complete"), "second": (2, "Complete")}:
        raise Problem("wrong", f"{run.describe(workflow)}: its nodes are {states}")
    in_pool.nothing_left(run, workflow)


def _trace(traces, name: str) -> str:
    return f"echo started >> '{traces}/{name}'"


def _node(workflow, traces, name: str, line: str) -> CondorWorkflowJobNode:
    commands = {"executable": "/bin/sh", "arguments": ["-c", f"{_trace(traces, name)}; {line}"], "priority": 20}
    if name == "second":
        commands["transfer_input_files"] = "../first/wind.txt"
    return CondorWorkflowJobNode.objects.create(workflow=workflow, name=name, attributes=commands)
