"""Workflows in the test pool, each of one node."""

from jobs.condor.models import CondorWorkflow, CondorWorkflowJobNode
from jobs.condor.reach import reach_of
from tests.contract.worlds.condor import CondorWorld
from tests.contract.worlds.shell import START


class CondorWorkflowWorld(CondorWorld):
    """The same shell lines, each as the only node of a workflow."""

    name = "condor-workflow"
    model = CondorWorkflow
    exit_codes = False
    """That of a workflow is DAGMan's, which is 1 whatever a node's was."""
    only_on = "on_sqlite"
    drivers = ()
    """What processes do with jobs is the same whatever runs in the pool."""

    def shell(self, line: str, **attributes) -> CondorWorkflow:
        files = attributes.pop("remote_input_files", [])
        workflow = self.job(**attributes)
        commands = {
            "executable": "/bin/sh",
            "arguments": ["-c", START + line],
            "environment": {"OUTSIDE": str(self.outside)},
            "priority": 20,
        }
        CondorWorkflowJobNode.objects.create(
            workflow=workflow, name="work", dir=".", attributes=commands, remote_input_files=files
        )
        return workflow

    def _queue(self, job) -> list[dict]:
        ours = " || ".join(f'JobdeckTag == "{tag}" || JobdeckWorkflow == "{tag}"' for tag in self.tags(job))
        return reach_of(self.scheduler).query(ours, ["ClusterId", "ProcId", "JobStatus", "DAGNodeName"])
