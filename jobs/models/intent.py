"""What somebody wants done to a job, kept until it is done."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    """What can be wanted of a job; the value is used in URLs and REST."""

    RUN = "run", "Run"
    STOP = "stop", "Stop"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    RESUBMIT = "resubmit", "Resubmit"
    RESCUE = "rescue", "Rescue"
    """Resubmit, from where it failed."""
    PROCESS_AGAIN = "process-again", "Process again"
    REFRESH = "refresh", "Refresh"
    DELETE = "delete", "Delete"


class IntentQuerySet(models.QuerySet):
    def open(self):
        """Those not carried out, replaced or refused yet."""
        return self.filter(closed__isnull=True)


class Intent(models.Model):
    """An action wanted of a job. At most one (besides a refresh) is open for a job at a time."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="intents")
    action = models.CharField(max_length=20, choices=Action.choices)
    attempt = models.PositiveIntegerField(help_text="The attempt of the job that it is about.")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created = models.DateTimeField()
    next_try = models.DateTimeField(help_text="When the monitor wakes a worker for it (again).")
    sends = models.PositiveIntegerField(default=0, help_text="Wake-ups sent.")
    tries = models.PositiveIntegerField(default=0, help_text="Times a worker took it.")
    deadline = models.DateTimeField(null=True, blank=True, help_text="After this it is asked for with more force.")
    claim = models.CharField(max_length=120, blank=True, help_text="The worker that has it.")
    claim_expires = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    closed = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, help_text="'done', 'replaced', 'refused' or 'over'")

    objects = IntentQuerySet.as_manager()

    class Meta:
        app_label = "jobs"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(closed__isnull=True) & ~Q(action="refresh"),
                name="jobs_one_open_intent",
            ),
        ]
        # The sweep looks for what is open and due several times a second; the closed ones must not slow it down.
        indexes = [models.Index(fields=["next_try"], condition=Q(closed__isnull=True), name="jobs_intent_open")]

    def __str__(self):
        return f"{self.action} job {self.job_id}"
