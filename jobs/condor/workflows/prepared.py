"""A workflow's attempt, made ready to be submitted."""

from jobs.condor.classads import quoted
from jobs.condor.models import CondorScheduler
from jobs.condor.reach import Reach
from jobs.condor.submission.description import variables_of
from jobs.condor.submission.prepared import Prepared, refusing
from jobs.condor.workflows.description import describe_dagman
from jobs.condor.workflows.form import check_nodes, check_workflow
from jobs.condor.workflows.layout import Layout, Way
from jobs.condor.workflows.parts import begin_attempt, nodes_and_parents
from jobs.condor.workflows.staging import WorkflowStaging
from jobs.conf import conf
from jobs.manager import callback_url


def prepare_workflow(workflow, scheduler: CondorScheduler, reach: Reach) -> Prepared:
    """Lay out the attempt of a CondorWorkflow, and have its nodes wait for their turn.

    Raises:
        EngineRefused: it cannot run as it is; nothing is left of it.
        EngineUnavailable: not now.
    """
    with refusing(workflow, scheduler) as folders:
        nodes, parents = nodes_and_parents(workflow)
        check_workflow(workflow)
        check_nodes(workflow, nodes, parents)
        layout = Layout(way_of(folders, reach), folders)
        instance = {"JobdeckInstance": quoted(conf.INSTANCE)}
        variables = variables_of(workflow, token_file="", callback_url=callback_url(workflow.pk))
        staging = WorkflowStaging(
            workflow,
            nodes,
            parents,
            layout,
            scheduler.shared_folders,
            marks={"JobdeckWorkflow": quoted(workflow.tag), **instance},
            variables=variables,
        )
        staging.lay_out()
        begin_attempt(workflow.pk, workflow.attempt, staging.done)
        marks = {
            "JobdeckTag": quoted(workflow.tag),
            **instance,
            "JobdeckNodes": str(sum(node.KEYWORD != "SPLICE" for node in nodes)),
            "JobdeckDone": str(len(staging.done)),
        }
        return Prepared(
            describe_dagman(workflow.name, layout, marks, dagman=scheduler.dagman),
            folders,
            staging.files.size,
            workflow.tag,
        )


def way_of(folders, reach: Reach) -> Way:
    """How the files of a workflow get to where DAGMan runs."""
    if folders.shared:
        return Way.SHARED
    return Way.SPOOLED if reach.spools else Way.COPIED
