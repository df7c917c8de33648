"""The nodes of a workflow, and how each of them is."""

from datetime import timedelta

from django.db import models
from polymorphic.models import PolymorphicModel

from jobs import clock
from jobs.condor.models.description import SubmitDescription
from jobs.condor.models.workflow import CondorWorkflow
from jobs.status import FINAL, Status


class CondorWorkflowNode(PolymorphicModel):
    """What all kinds of nodes have in common, in the words of condorpy's `Node` and of DAGMan.

    Its state is written by the engine alone, and is about the attempt `attempt` of the workflow.
    """

    KEYWORD = "JOB"
    """What DAGMan calls this kind of node."""

    workflow = models.ForeignKey(CondorWorkflow, on_delete=models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=200)
    parent_nodes = models.ManyToManyField("self", symmetrical=False, related_name="child_nodes", blank=True)
    pre_script = models.CharField(max_length=1024, blank=True, default="", help_text="Runs before it, beside DAGMan.")
    pre_script_args = models.CharField(max_length=1024, blank=True, default="")
    post_script = models.CharField(max_length=1024, blank=True, default="", help_text="Runs after it, beside DAGMan.")
    post_script_args = models.CharField(max_length=1024, blank=True, default="")
    variables = models.JSONField(default=dict, blank=True, help_text="Macros for its submit description by name.")
    priority = models.IntegerField(null=True, blank=True)
    category = models.CharField(max_length=100, blank=True, default="", help_text="See max_jobs of the workflow.")
    retry = models.PositiveIntegerField(null=True, blank=True, help_text="How often it is tried again.")
    retry_unless_exit_value = models.IntegerField(null=True, blank=True)
    pre_skip = models.IntegerField(null=True, blank=True, help_text="Exit code of the pre script that skips the node.")
    abort_dag_on = models.IntegerField(null=True, blank=True, help_text="Exit code that ends the whole workflow.")
    abort_dag_on_return_value = models.IntegerField(null=True, blank=True)
    dir = models.CharField(max_length=1024, blank=True, default="", help_text="Folder in the workspace it works in.")
    noop = models.BooleanField(default=False, help_text="Nothing of it runs; it counts as done in its turn.")
    done = models.BooleanField(default=False, help_text="It counts as done from the beginning.")

    attempt = models.PositiveIntegerField(default=0, editable=False, help_text="The attempt that its state is of.")
    status_code = models.CharField(
        max_length=3, choices=Status.choices, default=Status.PENDING, db_column="status", editable=False
    )
    status_message = models.TextField(blank=True, default="", editable=False)
    exit_code = models.IntegerField(null=True, blank=True, editable=False)
    tries = models.PositiveIntegerField(default=0, editable=False, help_text="How often it was submitted.")
    external_id = models.CharField(max_length=40, blank=True, default="", editable=False, help_text="Its last cluster.")
    start_time = models.DateTimeField(null=True, blank=True, editable=False)
    completion_time = models.DateTimeField(null=True, blank=True, editable=False)

    STATE = frozenset(
        {
            "attempt",
            "status_code",
            "status_message",
            "exit_code",
            "tries",
            "external_id",
            "start_time",
            "completion_time",
        }
    )
    """Fields that `save()` writes at the insert only."""

    class Meta:
        app_label = "jobs_condor"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["workflow", "name"], name="jobs_condor_node_name_once")]

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        """Insert the node, or write what its author may change."""
        if not self._state.adding:
            wanted = set(update_fields) if update_fields is not None else self._savable_fields()
            update_fields = wanted - self.STATE
        super().save(*args, update_fields=update_fields, **kwargs)

    def _savable_fields(self) -> set[str]:
        unread = self.get_deferred_fields()
        return {
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key and not getattr(field.remote_field, "parent_link", False)
            if field.attname not in unread
        }

    # --- the graph, in condorpy's words

    def add_parent(self, parent: "CondorWorkflowNode") -> None:
        """Have it begin after `parent` has ended well. Both have to be saved."""
        self.parent_nodes.add(parent)

    def remove_parent(self, parent: "CondorWorkflowNode") -> None:
        """Take back `add_parent`."""
        self.parent_nodes.remove(parent)

    def add_child(self, child: "CondorWorkflowNode") -> None:
        """Have `child` begin after it has ended well. Both have to be saved."""
        child.add_parent(self)

    def remove_child(self, child: "CondorWorkflowNode") -> None:
        """Take back `add_child`."""
        child.remove_parent(self)

    # --- its state

    @property
    def status(self) -> str:
        """The display word of its status, as the object was read."""
        return Status(self.status_code).label

    @property
    def run_time(self) -> timedelta | None:
        """From its last start to its end, or to now; None before it starts."""
        if self.start_time is None:
            return None
        end = self.completion_time or (clock.now() if self.status_code not in FINAL else None)
        return max(end - self.start_time, timedelta(0)) if end else None


class CondorWorkflowJobNode(SubmitDescription, CondorWorkflowNode):
    """A node that is a job: one or many processes of a program."""

    class Meta:
        app_label = "jobs_condor"


class CondorWorkflowFinalNode(SubmitDescription, CondorWorkflowNode):
    """A job that runs when all other nodes are over, however they ended. A workflow has at most one; it has no relatives."""

    KEYWORD = "FINAL"

    class Meta:
        app_label = "jobs_condor"


class DagFile(models.Model):
    """A DAG file of the author's own, with what it names."""

    dag_file = models.CharField(max_length=1024, help_text="The DAG file, a path of this host.")
    remote_input_files = models.JSONField(
        default=list, blank=True, help_text="What it names (submit files, scripts, inputs), to lie beside it."
    )

    class Meta:
        abstract = True


class CondorWorkflowSubdagNode(DagFile, CondorWorkflowNode):
    """A node that is a workflow of its own, run by a DAGMan of its own (`SUBDAG EXTERNAL`)."""

    KEYWORD = "SUBDAG"

    class Meta:
        app_label = "jobs_condor"


class CondorWorkflowSpliceNode(DagFile, CondorWorkflowNode):
    """The nodes of another DAG file, put in its place (`SPLICE`); inside of it they are called NAME+THEIRS."""

    KEYWORD = "SPLICE"

    class Meta:
        app_label = "jobs_condor"


class CondorWorkflowInnerNode(CondorWorkflowNode):
    """A node that DAGMan found in a splice; the engine makes its row when it first hears of it."""

    KEYWORD = ""

    class Meta:
        app_label = "jobs_condor"
