"""What a caller of REST may say about a new CondorJob or CondorWorkflow; the allow-list holds."""

from django.db import transaction
from rest_framework import serializers

from jobs.condor.models import (
    CondorJob,
    CondorScheduler,
    CondorWorkflow,
    CondorWorkflowFinalNode,
    CondorWorkflowJobNode,
    CondorWorkflowNode,
)
from jobs.condor.submission.form import MOST_PROCESSES, Refusal
from jobs.condor.workflows.form import check_nodes
from jobs.condor.workflows.parts import nodes_and_parents
from jobs.serializers import LONGEST_TIMEOUT, JobSerializer, StrictSerializer, StrictText

MOST_NODES = 1000
"""Nodes that one request may bring; each is a row of three tables."""


def pool_field() -> serializers.SlugRelatedField:
    """A pool by its name."""
    return serializers.SlugRelatedField(
        slug_field="name",
        queryset=CondorScheduler.objects.all(),
        required=False,
        allow_null=True,
        default=None,
        help_text="The pool, by name; the default one without.",
    )


class CondorJobSerializer(JobSerializer):
    """One program, or many processes of it, in an HTCondor pool; its files are uploaded before it runs."""

    model = CondorJob

    attributes_ = serializers.DictField(
        source="commands", help_text="Commands of the submit description by name; `executable` at least."
    )
    remote_input_files = serializers.ListField(
        child=StrictText(), required=False, default=list, help_text="Files in its workspace, or in a shared folder."
    )
    num_jobs = serializers.IntegerField(min_value=1, max_value=MOST_PROCESSES, default=1, help_text="Processes.")
    scheduler = pool_field()
    timeout = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TIMEOUT, required=False, allow_null=True, default=None, help_text="Seconds."
    )

    def get_fields(self):
        # In Python the name is taken: `attributes` says what the model gets.
        fields = super().get_fields()
        fields["attributes"] = fields.pop("attributes_")
        return fields

    def attributes(self, values: dict) -> dict:
        scheduler = values.pop("scheduler")
        commands = values.pop("commands")
        if scheduler is not None:
            values["scheduler"] = scheduler.scheduler_ptr
        return {**values, "attributes": commands, "restricted": True}


class NodeSerializer(StrictSerializer):
    """A node of a workflow: a job, with what comes before it."""

    name = StrictText(max_length=200)
    parents = serializers.ListField(child=StrictText(max_length=200), required=False, default=list)
    attributes = serializers.DictField(help_text="Commands of its submit description; `executable` at least.")
    remote_input_files = serializers.ListField(child=StrictText(), required=False, default=list)
    num_jobs = serializers.IntegerField(min_value=1, max_value=MOST_PROCESSES, default=1)
    category = StrictText(max_length=100, required=False, allow_blank=True, default="")
    priority = serializers.IntegerField(required=False, allow_null=True, default=None)
    retry = serializers.IntegerField(min_value=0, max_value=1000, required=False, allow_null=True, default=None)
    retry_unless_exit_value = serializers.IntegerField(required=False, allow_null=True, default=None)
    abort_dag_on = serializers.IntegerField(required=False, allow_null=True, default=None)
    abort_dag_on_return_value = serializers.IntegerField(required=False, allow_null=True, default=None)
    final = serializers.BooleanField(default=False, help_text="It runs when all others are over.")


class CondorWorkflowSerializer(JobSerializer):
    """A graph of jobs in an HTCondor pool, as one job; the allow-list holds for each node."""

    model = CondorWorkflow

    nodes = NodeSerializer(many=True, allow_empty=False, max_length=MOST_NODES, help_text=f"At most {MOST_NODES:,}.")
    max_jobs = serializers.DictField(
        child=serializers.IntegerField(min_value=1), required=False, default=dict, help_text="By category."
    )
    scheduler = pool_field()

    def attributes(self, values: dict) -> dict:
        scheduler = values.pop("scheduler", None)
        if scheduler is not None:
            values["scheduler"] = scheduler.scheduler_ptr
        return {**values, "restricted": True}

    def create(self, validated_data: dict) -> CondorWorkflow:
        """Make the workflow with its nodes; all of it, or nothing."""
        nodes = validated_data.pop("nodes")
        with transaction.atomic():
            workflow = super().create(validated_data)
            made = {}
            for values in nodes:
                values = dict(values)
                parents, final = values.pop("parents"), values.pop("final")
                kind = CondorWorkflowFinalNode if final else CondorWorkflowJobNode
                if values["name"] in made:
                    raise serializers.ValidationError({"nodes": [f"{values['name']}: there are two of this name"]})
                made[values["name"]] = (kind.objects.create(workflow=workflow, **values), parents)
            through = CondorWorkflowNode.parent_nodes.through
            edges = []
            for node, parents in made.values():
                if missing := [name for name in parents if name not in made]:
                    raise serializers.ValidationError({"nodes": [f"{node.name}: there is no node {missing[0]}"]})
                for name in dict.fromkeys(parents):
                    edges.append(through(from_condorworkflownode_id=node.pk, to_condorworkflownode_id=made[name][0].pk))
            through.objects.bulk_create(edges, batch_size=1000)
            try:
                check_nodes(workflow, *nodes_and_parents(workflow))
            except Refusal as refusal:
                text = str(refusal).removeprefix("nodes: ")
                raise serializers.ValidationError({"nodes": [text]}) from refusal
        return workflow
