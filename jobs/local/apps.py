"""The embedded engine as an app."""

from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "jobs.local"
    label = "jobs_local"
    verbose_name = "Jobs on this machine"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.local.engine import LocalEngine
        from jobs.local.models import CommandJob
        from jobs.permissions import RUN_COMMANDS
        from jobs.types import JobType, register

        register(
            JobType(
                name="COMMAND",
                label="Command",
                model=CommandJob,
                engine=LocalEngine(),
                description="A command as a process on this machine.",
                form="jobs.local.forms.CommandJobForm",
                serializer="jobs.local.serializers.CommandJobSerializer",
                permission=RUN_COMMANDS,
                panels=("jobs_local/command.html",),
            )
        )
