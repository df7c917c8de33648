"""Tasks of the task API (seed 000): each is a CondorJob, with what that API knows besides."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.condor.models.job import CondorJob


class HtcTask(models.Model):
    """What the task API knows of a job beyond the job itself.

    What it shows (state, retries left, cluster) follows from the job's row and these columns; nothing is said twice.
    """

    job = models.OneToOneField(CondorJob, on_delete=models.CASCADE, primary_key=True, related_name="task")
    task_id = models.CharField(max_length=200, help_text="The caller's own, or a UUID; once for a user.")
    submissions = models.PositiveIntegerField(help_text="How many attempts it may have in all.")
    expires = models.DateTimeField(null=True, blank=True, help_text="It is removed then, if it is not over.")
    expired_attempt = models.PositiveIntegerField(default=0, help_text="The attempt that was ended because of that.")
    ignored_attempt = models.PositiveIntegerField(default=0, help_text="The attempt at which its caller gave it up.")
    posted_cluster = models.BigIntegerField(
        null=True, blank=True, help_text="What a tracker posted; the pool's counts."
    )
    posted_proc = models.BigIntegerField(null=True, blank=True)
    settled = models.BooleanField(default=False, help_text="Nothing happens to it by itself any more.")

    class Meta:
        app_label = "jobs_condor"
        # The sweep looks several times a second for those that something is to be done about.
        indexes = [models.Index(fields=["job"], condition=Q(settled=False), name="jobs_condor_task_open")]

    def __str__(self):
        return self.task_id


class TrackerNote(models.Model):
    """What somebody's tracker posted of a cluster or of an event in one: kept as history, believed never."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=[("cluster", "cluster"), ("event", "event")])
    cluster_id = models.BigIntegerField()
    received = models.DateTimeField()
    body = models.JSONField()

    class Meta:
        app_label = "jobs_condor"
        ordering = ["pk"]
        indexes = [models.Index(fields=["user", "cluster_id"], name="jobs_condor_note_of")]

    def __str__(self):
        return f"{self.kind} {self.cluster_id}"
