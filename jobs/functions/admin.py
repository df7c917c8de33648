"""Functions' jobs, calls and workers in Django's admin: to be looked at."""

from django.contrib import admin

from jobs.admin import JobAdmin, LookOnly
from jobs.functions.models import FunctionCall, FunctionJob, FunctionWorker


class FunctionJobAdmin(JobAdmin):
    """A function's job; its function and arguments are looked at only."""

    list_display = ("id", "name", "function", "user", "status_display", "attempt", "creation_time")
    list_filter = ("status_code",)
    search_fields = ("name", "user__username", "function")
    search_help_text = "A part of the job's name, of its owner's, or of the function's."


class FunctionCallAdmin(LookOnly):
    """Attempts as the workers see them. The result is on the job's page; it may be long."""

    list_display = ("tag", "queue", "route", "state", "outcome", "tries", "worker", "due", "started", "finished")
    list_filter = ("state",)
    search_fields = ("tag", "route")
    exclude = ("result", "fence")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("result")


class FunctionWorkerAdmin(LookOnly):
    """Workers for functions by their signs of life."""

    list_display = ("name", "host", "pid", "queues", "pool", "concurrency", "leaving", "started", "time")
    list_filter = ("pool",)
    search_fields = ("name", "host")
    ordering = ("name",)


admin.site.register(FunctionJob, FunctionJobAdmin)
admin.site.register(FunctionCall, FunctionCallAdmin)
admin.site.register(FunctionWorker, FunctionWorkerAdmin)
