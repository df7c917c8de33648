"""An action wanted of many jobs at once, and what each of them was answered."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs import clock
from jobs.models.intent import Action


class BulkActionQuerySet(models.QuerySet):
    def open(self):
        """Those that still have jobs to ask."""
        return self.filter(finished__isnull=True)

    def free(self):
        """Those that no worker has, or whose worker died."""
        return self.filter(Q(claim="") | Q(claim_expires__lt=clock.now()))

    def of(self, user):
        """Those that `user` asked for."""
        return self.filter(user=user)


class BulkAction(models.Model):
    """An action that a person wants of many jobs: which ones is fixed when it is made; workers ask job by job."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=20, choices=Action.choices)
    filter = models.JSONField(
        null=True, blank=True, help_text="The filter that chose the jobs; none: chosen one by one."
    )
    until = models.BigIntegerField(null=True, blank=True, help_text="The filter's largest primary key.")
    created = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0, help_text="Jobs in it.")
    done = models.PositiveIntegerField(default=0, help_text="Jobs of which it is wanted now.")
    refused = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=120, blank=True, default="", help_text="The worker that has it.")
    claim_expires = models.DateTimeField(null=True, blank=True)

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        app_label = "jobs"
        ordering = ["-id"]
        # The sweep looks several times a second for what is left to do; the finished ones must not slow it down.
        indexes = [models.Index(fields=["id"], condition=Q(finished__isnull=True), name="jobs_bulk_open")]

    def __str__(self):
        return f"{self.action} {self.total} jobs"

    @property
    def left(self) -> int:
        """Jobs that have no answer yet."""
        return self.total - self.done - self.refused

    @property
    def state(self) -> str:
        """'waiting' for a worker, 'working', or 'finished'."""
        if self.finished is not None:
            return "finished"
        return "working" if self.claim or self.done or self.refused else "waiting"


class BulkJob(models.Model):
    """One job of a bulk action, and its answer. It outlives the job, so it holds no foreign key to it."""

    class Outcome(models.TextChoices):
        """What became of the wish; empty while nobody has asked."""

        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    bulk = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    job_id = models.BigIntegerField()
    name = models.CharField(max_length=255, blank=True, default="", help_text="Of a job that the person may see.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")
    message = models.TextField(blank=True, default="", help_text="Why it was refused.")

    class Meta:
        app_label = "jobs"
        ordering = ["job_id"]
        constraints = [models.UniqueConstraint(fields=["bulk", "job_id"], name="jobs_bulk_job_once")]
        # The next ones without an answer, and those refused, of an action over a hundred thousand jobs.
        indexes = [models.Index(fields=["bulk", "outcome", "job_id"], name="jobs_bulk_answers")]

    def __str__(self):
        return f"job {self.job_id}: {self.outcome or 'no answer yet'}"
