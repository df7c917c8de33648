"""The HTCondor engine as an app."""

from django.apps import AppConfig


class CondorConfig(AppConfig):
    name = "jobs.condor"
    label = "jobs_condor"
    verbose_name = "Jobs in HTCondor pools"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.condor.engine import CondorEngine
        from jobs.condor.models import CondorJob, CondorWorkflow
        from jobs.condor.taskapi import account  # noqa: F401 its system check
        from jobs.condor.taskapi.tasks import move_on
        from jobs.condor.workflows.parts import store_parts
        from jobs.permissions import RUN_COMMANDS
        from jobs.types import JobType, Plugin, Service, Tab, register

        engine = CondorEngine()
        register(
            JobType(
                name="CONDOR",
                label="HTCondor",
                model=CondorJob,
                engine=engine,
                aliases=("CONDORJOB",),
                description="One program, or many processes of it, in an HTCondor pool.",
                form="jobs.condor.forms.CondorJobForm",
                serializer="jobs.condor.serializers.CondorJobSerializer",
                permission=RUN_COMMANDS,
                panels=("jobs_condor/condor.html",),
            )
        )
        register(
            JobType(
                name="CONDORWORKFLOW",
                label="HTCondor workflow",
                model=CondorWorkflow,
                engine=engine,
                description="A graph of programs that pass files to each other, in an HTCondor pool.",
                serializer="jobs.condor.serializers.CondorWorkflowSerializer",
                permission=RUN_COMMANDS,
                panels=("jobs_condor/workflow.html",),
                tabs=(
                    Tab(
                        "graph",
                        "Graph",
                        "jobs.condor.graph.tab.graph",
                        "jobs_condor/graph.html",
                        assets=("jobs_condor/graph.css", "jobs_condor/graph.js"),
                    ),
                ),
                store_parts=store_parts,
                rescue=True,
            )
        )
        register(Plugin("taskapi", services=(Service("taskapi", move_on, 0.5),)))
