"""Workflows in the test pool: this process plays worker and monitor, the pool is real."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.models import CondorWorkflow, CondorWorkflowFinalNode, CondorWorkflowJobNode
from jobs.condor.reach import reach_of
from jobs.manager import JobManager
from jobs.workspaces import workspace_path
from tests.condor.live import Live


class LiveWorkflows(Live):
    """A scheduler row for the pool, and what a test does with workflows there."""

    folder: Path | None = None
    """Where workspaces are to lie; None for where they lie by themselves."""

    def workflow(self, **fields) -> CondorWorkflow:
        """A pending workflow without nodes."""
        if self.folder is not None:
            fields |= {"workspace": str(self.folder / uuid4().hex)}
        self.jobs.append(JobManager("app").create_job("wind {id}", self.user, "CONDORWORKFLOW", **fields))
        return self.jobs[-1]

    def queue(self, workflow) -> list[dict]:
        """What the queue has of the workflow's attempt, its nodes' jobs included."""
        ours = f'JobdeckTag == "{workflow.tag}" || JobdeckWorkflow == "{workflow.tag}"'
        return reach_of(self.scheduler).query(ours, ["ClusterId", "JobStatus", "DAGNodeName", "HoldReason"])

    def until_node(self, workflow, name: str, word: str) -> CondorWorkflowJobNode:
        """Wait until a node's status is shown with the word."""
        self.until(lambda: row(workflow, name).status == word, f"{name} is {word}: {states(workflow)}", workflow)
        return row(workflow, name)

    def close(self) -> None:
        super().close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def shared(pool, user, **fields) -> LiveWorkflows:
    """The pool with the folder that it shares with this machine, where the workspaces are to lie."""
    if not pool.shared_folder:
        pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
    live = LiveWorkflows(pool, user, shared_folders=[pool.shared_folder], **fields)
    live.folder = Path(pool.shared_folder) / f"workflows of {uuid4().hex}"
    live.folder.mkdir()
    return live


def by_ssh(pool, user, **fields) -> LiveWorkflows:
    """The pool, by SSH."""
    if not pool.ssh_host:
        pytest.skip("nobody can log in at the pool of JOBDECK_POOL_ADDRESS (JOBDECK_POOL_SSH_HOST)")
    return LiveWorkflows(pool, user, schedd_name="", **{**pool.ssh, **fields})


WAYS: dict[str, Callable] = {"spooled": LiveWorkflows, "shared": shared, "ssh": by_ssh}
"""The ways to the pool."""


def node(workflow, name: str, line: str, *parents, kind=CondorWorkflowJobNode, **fields):
    """A node that has the pool's /bin/sh read a line."""
    commands = {"executable": "/bin/sh", "arguments": ["-c", line], "priority": 20, **fields.pop("attributes", {})}
    made = kind.objects.create(workflow=workflow, name=name, attributes=commands, **fields)
    for parent in parents:
        made.add_parent(parent)
    return made


def final(workflow, name: str, line: str, **fields):
    """The node that comes after all others."""
    return node(workflow, name, line, kind=CondorWorkflowFinalNode, **fields)


def row(workflow, name: str):
    """A node as the database has it."""
    return workflow.nodes.non_polymorphic().get(name=name)


def states(workflow) -> dict[str, str]:
    """The nodes' statuses, as words."""
    return {node.name: node.status for node in workflow.nodes.non_polymorphic()}


def read(workflow, name: str) -> str:
    """A file in the workflow's folder."""
    return (workspace_path(workflow) / name).read_text()
