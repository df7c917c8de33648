"""Keys by which callers of REST say that a request is one that they have made before."""

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """A key that came with a request to make a job, and the job that was made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="Of the body that came with it.")
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField()

    class Meta:
        app_label = "jobs"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="jobs_idempotency_key_once")]

    def __str__(self):
        return self.key
