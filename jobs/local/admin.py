"""Commands in Django's admin."""

from django.contrib import admin

from jobs.admin import JobAdmin
from jobs.local.models import CommandJob


class CommandJobAdmin(JobAdmin):
    """A command is looked at only: whoever changed it would run it as somebody else."""

    # The values of its variables may be secrets: only their names are shown, as on the job's page.
    SECRET = JobAdmin.SECRET | {"environment"}

    list_filter = ("status_code", "scheduler")

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), "variables"]

    @admin.display(description="names of its variables")
    def variables(self, obj) -> str:
        return ", ".join(obj.environment) or "none"


admin.site.register(CommandJob, CommandJobAdmin)
