"""The job: what is true of every job, whichever engine runs it."""

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from polymorphic.managers import PolymorphicManager
from polymorphic.models import PolymorphicModel
from polymorphic.query import PolymorphicQuerySet

from jobs import clock
from jobs.models.fields import FunctionPathField
from jobs.models.verbs import JobVerbs
from jobs.permissions import visible_jobs
from jobs.status import ACTIVE, Status
from jobs.workspaces import default_workspace_path


class JobQuerySet(PolymorphicQuerySet):
    def visible_to(self, user):
        """The jobs that `user` may see: their own, those shared with a group of theirs, all for who may see all."""
        return visible_jobs(self, user)

    def shown(self):
        """Those that are not being deleted."""
        return self.filter(hidden=False)

    def delete(self):
        """Have all of them deleted, as `Job.delete()` does: a job must be ended before its row can go.

        Returns:
            How many, as Django's `delete` does.
        """
        jobs = list(self.non_polymorphic())
        for job in jobs:
            job.delete()
        return len(jobs), {"jobs.Job": len(jobs)}

    delete.alters_data = True
    delete.queryset_only = True

    def active(self):
        """Those that an engine has."""
        return self.filter(status_code__in=ACTIVE)


class Job(JobVerbs, PolymorphicModel):
    """A piece of work that outlives a request.

    Subclass it for a new job type. What the transition function and the workers own (`OWNED`) is read here and
    written only by them: `save()` leaves those columns alone, so that an object read before the last change and saved
    after it changes nothing of them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=2048, blank=True, default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    groups = models.ManyToManyField(Group, blank=True, related_name="jobs")
    label = models.CharField(max_length=100, default="jobs", help_text="The app that made it.")
    workspace = models.CharField(max_length=1024, blank=True, default="")
    extended_properties = models.JSONField(default=dict, blank=True)
    process_results_function = FunctionPathField(max_length=255, blank=True, default="")
    timeout = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds it may run; none for no limit.")
    scheduler = models.ForeignKey("jobs.Scheduler", null=True, blank=True, on_delete=models.PROTECT)

    creation_time = models.DateTimeField(default=clock.now, db_default=Now(), editable=False)
    execute_time = models.DateTimeField(null=True, blank=True, editable=False)
    start_time = models.DateTimeField(null=True, blank=True, editable=False)
    completion_time = models.DateTimeField(null=True, blank=True, editable=False)
    status_code = models.CharField(
        max_length=3, choices=Status.choices, default=Status.PENDING, db_column="status", editable=False
    )
    status_label = models.CharField(max_length=60, blank=True, default="", editable=False)
    status_message = models.TextField(blank=True, default="", editable=False)
    progress = models.FloatField(null=True, blank=True, editable=False, help_text="Percent, 0 to 100.")
    exit_code = models.IntegerField(null=True, blank=True, editable=False)
    resources = models.JSONField(default=dict, blank=True, editable=False, help_text="cpu_seconds, max_rss_bytes, …")
    attempt = models.PositiveIntegerField(default=1, editable=False)
    continues = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="The attempt that this one goes on from; none from the start."
    )
    external_id = models.CharField(max_length=255, blank=True, default="", editable=False)
    results_failed = models.BooleanField(
        default=False, editable=False, help_text="The Error is of the results' making."
    )
    token_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    claim = models.CharField(max_length=120, blank=True, default="", editable=False)
    claim_expires = models.DateTimeField(null=True, blank=True, editable=False)
    tries = models.PositiveIntegerField(default=0, editable=False, help_text="Times its results were begun to process.")
    missed = models.PositiveIntegerField(default=0, editable=False, help_text="Full answers in a row that lacked it.")
    look_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the callback asked for a look."
    )
    last_look = models.DateTimeField(null=True, blank=True, editable=False)
    hidden = models.BooleanField(default=False, editable=False, help_text="Being deleted.")
    ending = models.JSONField(
        null=True, blank=True, editable=False, help_text="How its engine says it ended, until its outputs are here."
    )
    leftover = models.BooleanField(
        default=False, editable=False, help_text="It is over, and its engine still has to forget the attempt."
    )

    OWNED = frozenset(
        [
            "creation_time",
            "execute_time",
            "start_time",
            "completion_time",
            "status_code",
            "status_label",
            "status_message",
            "progress",
            "exit_code",
            "resources",
            "attempt",
            "continues",
            "external_id",
            "results_failed",
            "token_hash",
            "claim",
            "claim_expires",
            "tries",
            "missed",
            "look_at",
            "last_look",
            "hidden",
            "ending",
            "leftover",
            "uuid",
        ]
    )
    """Fields that `save()` writes at the insert only. A subclass may add its own."""

    objects = PolymorphicManager.from_queryset(JobQuerySet)()

    class Meta:
        app_label = "jobs"
        permissions = [
            ("jobs_table_actions", "Can see and act on everybody's jobs"),
            ("run_commands", "Can run commands of their own on this site's machines"),
        ]
        constraints = [
            # A name is free again as soon as its job is being deleted.
            models.UniqueConstraint(fields=["label", "user", "name"], condition=Q(hidden=False), name="jobs_name_once"),
        ]
        indexes = [
            # The monitor asks for the active jobs of one scheduler at every tick; the finished ones are the many.
            models.Index(
                fields=["scheduler", "status_code"],
                condition=Q(status_code__in=sorted(ACTIVE)),
                name="jobs_active",
            ),
            # The sweep looks for results to process.
            models.Index(fields=["id"], condition=Q(status_code="RES"), name="jobs_results_ready"),
            # ... and for the looks that a callback asked for.
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="jobs_look_at"),
            # ... for outputs to bring in, and for what engines have to forget.
            models.Index(fields=["id"], condition=Q(ending__isnull=False), name="jobs_ending"),
            models.Index(fields=["id"], condition=Q(leftover=True), name="jobs_leftover"),
            # A person's jobs, newest first, one page after the other.
            models.Index(fields=["user", "-id"], name="jobs_of_user"),
            models.Index(fields=["label", "-id"], name="jobs_of_app"),
            # The list's chips count a person's jobs by status, up to ten thousand each, without reading the rows; and a
            # status of which there are few is found without walking through all that are newer.
            models.Index(
                fields=["user", "status_code", "-id"], condition=Q(hidden=False), name="jobs_of_user_by_status"
            ),
            # The same for those who see everybody's.
            models.Index(fields=["status_code", "-id"], condition=Q(hidden=False), name="jobs_by_status"),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        """Insert the job, or write the fields that its author may change; see `OWNED`.

        Raises:
            DatabaseError: the row is gone; a deleted job does not come back by being saved.
        """
        if self._state.adding:
            if not self.workspace and self.user_id is not None:
                self.workspace = str(default_workspace_path(self))
            if not self.token_hash:
                self.token_hash = self.callback_token_hash()
            super().save(*args, **kwargs)
            return
        wanted = set(update_fields) if update_fields is not None else self._savable_fields()
        written = wanted - self.OWNED
        if written or not wanted:
            super().save(*args, update_fields=written, **kwargs)

    def _savable_fields(self) -> set[str]:
        unwritten = self.get_deferred_fields()
        if self.scheduler_id is None:
            # Read before the submission; since then the row may name the scheduler that was chosen.
            unwritten = unwritten | {"scheduler_id"}
        return {
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key and not getattr(field.remote_field, "parent_link", False)
            if field.attname not in unwritten
        }

    @classmethod
    def settable_attributes(cls) -> list[str]:
        """Names that `create_job` takes beside name, user, job type and groups."""
        fields = {field.name for field in cls._meta.fields if field.editable and not field.primary_key}
        properties = {
            name for name in cls._meta._property_names if getattr(getattr(cls, name), "fset", None) and name != "pk"
        }
        return sorted((fields | properties) - cls.OWNED - {"name", "user", "label"})


class BasicJob(Job):
    """A job that no engine runs: only the callback, the API or app code moves it."""

    class Meta:
        app_label = "jobs"


def job_rows() -> JobQuerySet:
    """All jobs as rows of the base table, without their subclasses.

    Lists read and set-based updates write through it: `update()` on a subclass's queryset compiles to a SELECT and an
    UPDATE by ids, which drops the guard in its WHERE.
    """
    return Job.objects.non_polymorphic()
