"""Pools and their jobs in Django's admin."""

from pathlib import Path

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters

from jobs.admin import JobAdmin
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.condor.pool_form import SECRETS, CondorSchedulerForm
from jobs.condor.templatetags.jobs_condor import commands
from jobs.models import Scheduler, job_rows
from jobs.scheduler_test import want_test


class CondorSchedulerAdmin(admin.ModelAdmin):
    """Pools: where they are and how to log in. How they fare is on the page Schedulers, and is the monitor's to write."""

    form = CondorSchedulerForm
    list_display = ("name", "where", "schedd_name", "is_default", "reachable", "has_login", "last_error")
    search_fields = ("name", "address", "ssh_host")
    ordering = ("name",)
    actions = None
    save_as = False

    def get_fieldsets(self, request, obj=None):
        token, ssh = self._secrets(request, obj, ["token"]), self._secrets(request, obj, SECRETS[1:])
        accepting = ("accept_host_key", "shown_host_key") if ssh and obj is not None and obj.offered_host_key else ()
        by_ssh = ("ssh_host", "ssh_port", "ssh_username", *ssh, "ssh_host_key", *accepting, "ssh_folder", "dagman")
        return (
            (None, {"fields": ("name", "schedd_name", "is_default")}),
            ("By HTCondor's own protocol", {"fields": ("address", *token, "trust_domain")}),
            (
                "Or by SSH",
                {"fields": by_ssh, "description": "HTCondor's commands are given on the machine of the schedd."},
            ),
            ("Files", {"fields": ("shared_folders", "filesystem_domain")}),
            ("How often it is asked", {"fields": ("least_interval", "full_interval")}),
        )

    def _secrets(self, request, obj, names) -> list[str]:
        """The fields by which secrets go in; none for who may only look."""
        if obj is not None and not self.has_change_permission(request, obj):
            return []
        stored = [name for name in names if obj is not None and getattr(obj, name)]
        return [f"{verb}_{name}" for name in names for verb in ("new", *(["remove"] if name in stored else []))]

    @method_decorator(sensitive_post_parameters(*(f"new_{name}" for name in SECRETS)))
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        """Write what was changed and no other column: the monitor writes the others all the time. Then have it tested."""
        if change:
            obj.save(update_fields=form.written)
        else:
            obj.save()
        want_test(obj)
        for folder in obj.shared_folders:
            if not Path(folder).is_dir():
                messages.warning(
                    request,
                    f"{folder} is no folder of this host now; jobs whose files lie there cannot run in {obj.name}.",
                )
        messages.info(request, _being_tested(obj))

    def delete_view(self, request, object_id, extra_context=None):
        """Only a pool without jobs can go: what a job's page says of where it ran must stay true."""
        pool = self.get_object(request, object_id)
        if pool is not None and self.has_delete_permission(request, pool):
            reason = _why_it_stays(pool)
            if reason:
                messages.error(request, reason)
                return HttpResponseRedirect(reverse("admin:jobs_condor_condorscheduler_change", args=[pool.pk]))
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs, request):
        """The core's row goes with the pool, though it cannot be deleted for itself."""
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, perms_needed - {Scheduler._meta.verbose_name}, protected

    @admin.display(boolean=True)
    def reachable(self, obj) -> bool:
        return obj.reachable

    @admin.display(boolean=True, description="login")
    def has_login(self, obj) -> bool:
        return bool(obj.ssh_key or obj.ssh_password) if obj.by_ssh else bool(obj.token)

    @admin.display(description="where")
    def where(self, obj) -> str:
        return obj.place


def _being_tested(pool: CondorScheduler) -> str:
    try:
        page = reverse("jobs:schedulers")
    except NoReverseMatch:
        return f"{pool.name} is being tested."
    return format_html('{} is being tested; what works is on the page <a href="{}">Schedulers</a>.', pool.name, page)


def _why_it_stays(pool: CondorScheduler) -> str:
    jobs = job_rows().filter(scheduler=pool.pk)
    active = jobs.active().count()
    if active:
        counted = "1 job is" if active == 1 else f"{active} jobs are"
        reason = f"{pool.name} was not deleted: {counted} active there. Stop or delete them first"
    elif jobs.exists():
        reason = f"{pool.name} was not deleted: there are jobs that ran there. Delete them first"
    else:
        return ""
    try:
        page = f"{reverse('jobs:list')}?{urlencode({'scheduler': pool.name})}"
    except NoReverseMatch:
        return f"{reason}."
    return format_html('{}: <a href="{}">these jobs</a>.', reason, page)


class CondorJobAdmin(JobAdmin):
    """A job is looked at only: whoever changed it would run it as somebody else."""

    # Its environment may hold secrets; on the job's page only the names of its variables are shown.
    SECRET = JobAdmin.SECRET | {"attributes"}

    list_filter = ("status_code", "scheduler")

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), "commands"]

    @admin.display(description="commands of the submit description")
    def commands(self, obj) -> str:
        return "; ".join(f"{name} = {text}" for name, text in commands(obj)) or "none"


admin.site.register(CondorScheduler, CondorSchedulerAdmin)
admin.site.register(CondorJob, CondorJobAdmin)
