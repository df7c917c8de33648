"""A workflow: a graph of nodes, as one job, that DAGMan runs in a pool."""

from django.core.exceptions import ValidationError
from django.db import models

from jobs.condor.submission.form import Refusal
from jobs.models import Job


class CondorWorkflow(Job):
    """A directed acyclic graph of nodes as one job (seed 001, 'CONDORWORKFLOW'; HTCondor manual, 'DAGMan Workflows').

    Its nodes are rows of `CondorWorkflowNode`, made after the workflow. They share one folder, the workflow's workspace:
    what a node leaves there its children can name in `transfer_input_files`.
    """

    max_jobs = models.JSONField(
        default=dict, blank=True, help_text="Category to the number of its nodes that may be in the queue at once."
    )
    config = models.CharField(
        max_length=1024,
        blank=True,
        default="",
        help_text="A file of this host with settings for DAGMan; app code only.",
    )
    restricted = models.BooleanField(
        default=False, help_text="What it asks for came from a user and not from app code: the allow-list holds."
    )

    class Meta:
        app_label = "jobs_condor"
        verbose_name = "HTCondor workflow"
        verbose_name_plural = "HTCondor workflows"

    @property
    def cluster_id(self) -> int:
        """The number that the schedd gave to the current attempt's DAGMan; 0 before it is submitted."""
        return int(self.external_id or 0)

    @property
    def num_jobs(self) -> int:
        """Processes of the attempt itself: DAGMan's only one."""
        return 1

    @property
    def attributes(self) -> dict:
        """Commands for the attempt itself: its author sets none; those of the nodes are the nodes' own."""
        return {}

    @property
    def condorpy_template_name(self) -> str:
        """There is no template for DAGMan itself."""
        return ""

    def rescue(self) -> None:
        """Run a workflow that is over once more, from where it failed, as a new attempt; `resubmit` runs all of it."""
        self._want("rescue")

    def clean(self):
        """Check what no database can.

        Raises:
            ValidationError: by the attribute that is wrong.
        """
        from jobs.condor.workflows.form import check_workflow

        super().clean()
        try:
            check_workflow(self)
        except Refusal as refusal:
            raise ValidationError({refusal.field: str(refusal).removeprefix(f"{refusal.field}: ")}) from refusal
