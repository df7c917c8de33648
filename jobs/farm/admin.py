"""Farm runs, their attempts and workers in Django's admin: to be looked at."""

from django.contrib import admin

from jobs.admin import JobAdmin, LookOnly
from jobs.farm.models import FarmAttempt, FarmRun, FarmWorker


class FarmRunAdmin(JobAdmin):
    """A run; its tasks are on its page."""

    list_display = ("id", "name", "num_tasks", "user", "status_display", "attempt", "creation_time")
    list_filter = ("status_code",)
    search_fields = ("name", "user__username")


class FarmAttemptAdmin(LookOnly):
    """Attempts with the totals that were counted last."""

    list_display = ("tag", "phase", "done", "failed", "computing", "percent", "started", "finished", "folded")
    list_filter = ("phase",)
    search_fields = ("tag",)


class FarmWorkerAdmin(LookOnly):
    """Workers by their signs of life."""

    list_display = ("hostname", "pid", "user", "run", "started", "seen", "done")
    search_fields = ("hostname", "uuid")
    ordering = ("-seen",)


admin.site.register(FarmRun, FarmRunAdmin)
admin.site.register(FarmAttempt, FarmAttemptAdmin)
admin.site.register(FarmWorker, FarmWorkerAdmin)
