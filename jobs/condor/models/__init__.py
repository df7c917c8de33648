"""HTCondor: pools, and the jobs and workflows that run in them."""

from jobs.condor.models.job import CondorJob
from jobs.condor.models.nodes import (
    CondorWorkflowFinalNode,
    CondorWorkflowInnerNode,
    CondorWorkflowJobNode,
    CondorWorkflowNode,
    CondorWorkflowSpliceNode,
    CondorWorkflowSubdagNode,
)
from jobs.condor.models.scheduler import CondorScheduler
from jobs.condor.models.task import HtcTask, TrackerNote
from jobs.condor.models.workflow import CondorWorkflow

__all__ = [
    "CondorJob",
    "CondorScheduler",
    "CondorWorkflow",
    "CondorWorkflowFinalNode",
    "CondorWorkflowInnerNode",
    "CondorWorkflowJobNode",
    "CondorWorkflowNode",
    "CondorWorkflowSpliceNode",
    "CondorWorkflowSubdagNode",
    "HtcTask",
    "TrackerNote",
]
