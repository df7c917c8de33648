"""A line of a job's history."""

from django.db import models


class JobEvent(models.Model):
    """What happened to a job, when, and who said so; written in the transaction of the change itself."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="events")
    attempt = models.PositiveIntegerField()
    time = models.DateTimeField()
    old_status = models.CharField(max_length=3, blank=True, help_text="Code before; empty where none changed.")
    new_status = models.CharField(max_length=3, blank=True)
    label = models.CharField(max_length=60, blank=True, help_text="Label of a custom status.")
    message = models.TextField(blank=True)
    source = models.CharField(max_length=120, help_text="Who said so: an engine, 'callback', 'user NAME', …")

    class Meta:
        app_label = "jobs"
        ordering = ["id"]
        # A job's page lists one job's events in order.
        indexes = [models.Index(fields=["job", "id"], name="jobs_event_by_job")]

    def __str__(self):
        return f"{self.job_id}: {self.old_status} → {self.new_status} ({self.source})"
