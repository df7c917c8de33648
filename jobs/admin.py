"""The core's models in Django's admin: to look at everything, and to change only what the transition function leaves alone.

Jobs are neither made nor removed here: what ends a job and removes its traces is an intent, which the dashboard writes.
"""

from django.contrib import admin
from django.core.paginator import Paginator
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from jobs.models import Heartbeat, Intent, Job, JobEvent, Scheduler
from jobs.status import Status
from jobs.types import job_types, type_of_model

MOST_COUNTED = 10_000
"""Rows that a list counts: counting a hundred thousand would take longer than showing them."""


class CappedPaginator(Paginator):
    """Pages over the first `MOST_COUNTED` rows; a filter or a search brings the others nearer."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:MOST_COUNTED].count()


class LookOnly(admin.ModelAdmin):
    """Rows that can be looked at; nothing is added, changed or removed."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)
    actions = None

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class TypeFilter(admin.SimpleListFilter):
    """By job type, from the registry: no list of all content types, no query."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request, model_admin):
        return [(job_type.name, job_type.label) for job_type in job_types()]

    def queryset(self, request, queryset):
        models = {job_type.name: job_type.model for job_type in job_types()}
        if self.value() not in models:
            return queryset
        app_label, model = models[self.value()]._meta.app_label, models[self.value()]._meta.model_name
        return queryset.filter(polymorphic_ctype__app_label=app_label, polymorphic_ctype__model=model)


class StatusFilter(admin.SimpleListFilter):
    """By the status that an event led to; a plain filter would look through all events for what there is."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return Status.choices

    def queryset(self, request, queryset):
        return queryset.filter(new_status=self.value()) if self.value() else queryset


class OutcomeFilter(admin.SimpleListFilter):
    """By what became of a wish."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request, model_admin):
        return [(outcome, outcome) for outcome in ("open", "done", "replaced", "refused", "over")]

    def queryset(self, request, queryset):
        if self.value() == "open":
            return queryset.open()
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class JobAdmin(LookOnly):
    """Jobs as rows of the base table. Description and groups can be changed; the rest is the core's, or its author's."""

    list_display = ("id", "name", "type_label", "user", "status_display", "attempt", "scheduler", "creation_time")
    list_display_links = ("id", "name")
    list_filter = ("status_code", TypeFilter, "scheduler")
    list_select_related = ("user", "scheduler", "polymorphic_ctype")
    search_fields = ("name", "user__username")
    search_help_text = "A part of the job's name or of its owner's."
    filter_horizontal = ("groups",)

    CHANGEABLE = ("description", "groups")
    SECRET = frozenset({"token_hash", "polymorphic_ctype"})
    """Never shown: the hash of a token that reports for the job; and what is said better as its type."""

    def has_change_permission(self, request, obj=None):
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_queryset(self, request):
        jobs = self.model.objects.non_polymorphic()
        return jobs.order_by(*self.get_ordering(request))

    def get_fields(self, request, obj=None):
        names = [
            field.name for field in self.model._meta.fields if not getattr(field.remote_field, "parent_link", False)
        ]
        names = [name for name in names if name not in self.SECRET | {"id", *self.CHANGEABLE}]
        first = ["id", "type_label", "name", *self.CHANGEABLE]
        return first + [name for name in names if name not in first]

    def get_readonly_fields(self, request, obj=None):
        return [name for name in self.get_fields(request, obj) if name not in self.CHANGEABLE]

    def save_model(self, request, obj, form, change):
        """Write what was changed and no other column: the job goes on while somebody has the form open."""
        changed = {name for name in form.changed_data if name in self.CHANGEABLE and name != "groups"}
        obj.save(update_fields=changed)

    def view_on_site(self, obj):
        """The job's own page, where its actions are."""
        try:
            return reverse("jobs:detail", args=[obj.pk])
        except NoReverseMatch:
            return None

    @admin.display(description="type")
    def type_label(self, obj) -> str:
        kind = type_of_model(obj.polymorphic_ctype.model_class()) if obj.polymorphic_ctype else None
        return kind.label if kind is not None else "type not installed"

    @admin.display(description="status", ordering="status_code")
    def status_display(self, obj) -> str:
        return obj.status_display


class JobEventAdmin(LookOnly):
    """What happened, the latest first."""

    list_display = ("time", "job_id", "attempt", "old_status", "new_status", "label", "source", "message")
    list_filter = (StatusFilter,)
    search_fields = ("source",)


class IntentAdmin(LookOnly):
    """What somebody wanted, and what became of it."""

    list_display = ("created", "job_id", "action", "requested_by", "tries", "sends", "outcome", "closed", "last_error")
    list_filter = ("action", OutcomeFilter)
    list_select_related = ("requested_by",)
    search_fields = ("last_error",)


class SchedulerAdmin(LookOnly):
    """Schedulers; how politely one is asked can be changed, the rest is the monitor's."""

    list_display = ("name", "type", "host", "reachable", "last_poll", "last_error", "lease_holder")
    list_filter = ("type",)
    search_fields = ("name",)
    ordering = ("name",)

    CHANGEABLE = ("least_interval",)

    def has_change_permission(self, request, obj=None):
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request, obj=None):
        return [field.name for field in self.model._meta.fields if field.name not in self.CHANGEABLE]

    def save_model(self, request, obj, form, change):
        """Write what was changed and no other column: the monitor writes the others all the time."""
        obj.save(update_fields=[name for name in form.changed_data if name in self.CHANGEABLE])

    @admin.display(boolean=True)
    def reachable(self, obj) -> bool:
        return obj.reachable


class HeartbeatAdmin(LookOnly):
    """Workers and monitors by their signs of life."""

    list_display = ("kind", "host", "pid", "started", "time")
    list_filter = ("kind",)
    ordering = ("kind", "host", "pid")


admin.site.register(Job, JobAdmin)
admin.site.register(JobEvent, JobEventAdmin)
admin.site.register(Intent, IntentAdmin)
admin.site.register(Scheduler, SchedulerAdmin)
admin.site.register(Heartbeat, HeartbeatAdmin)
