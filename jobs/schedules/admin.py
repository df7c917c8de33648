"""Schedules, agents and executions in Django's admin: to be looked at. They are made and changed on their own pages."""

from django.contrib import admin

from jobs.admin import LookOnly
from jobs.schedules.models import Agent, EnrolToken, Execution, Schedule


class ScheduleAdmin(LookOnly):
    """Schedules by their next due time."""

    list_display = ("name", "user", "frequency", "enabled", "job_type", "next_due", "version")
    list_filter = ("enabled",)
    search_fields = ("name", "user__username", "uuid")
    exclude = ("job_values",)  # may hold secrets; their author sees them on the schedule's page


class AgentAdmin(LookOnly):
    """Agents with what they last said of themselves."""

    list_display = (
        "name",
        "host",
        "version",
        "last_seen",
        "clock_difference",
        "load",
        "unsent",
        "dropped",
        "refused",
        "removed",
    )
    search_fields = ("name", "host", "uuid")
    exclude = ("session", "session_made", "counter")


class ExecutionAdmin(LookOnly):
    """Executions, the latest first."""

    list_display = ("id", "schedule", "agent", "due", "state", "exit_code", "reason")
    list_filter = ("state",)
    list_select_related = ("schedule", "agent")
    ordering = ("-due",)
    show_full_result_count = False

    def get_queryset(self, request):
        return super().get_queryset(request).defer("stdout", "stderr")


class EnrolTokenAdmin(LookOnly):
    """Tokens that let agents in."""

    list_display = ("ending", "name", "made_by", "created", "expires", "used", "agent")
    exclude = ("digest",)


admin.site.register(Schedule, ScheduleAdmin)
admin.site.register(Agent, AgentAdmin)
admin.site.register(Execution, ExecutionAdmin)
admin.site.register(EnrolToken, EnrolTokenAdmin)
