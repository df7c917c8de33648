"""Personal tokens: what scripts log in with instead of a password."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs import clock


class AccessTokenQuerySet(models.QuerySet):
    """Queries over tokens."""

    def usable(self):
        """Those that open something now: not revoked, not expired."""
        return self.filter(Q(expires=None) | Q(expires__gt=clock.now()), revoked=None)


class AccessToken(models.Model):
    """A personal token: whoever has its text may do what its scopes say, as its user. The text itself is kept nowhere."""

    SCOPES = {
        "read": "look at jobs, their logs and files",
        "write": "change, stop, pause and delete jobs",
        "submit": "make jobs and run them",
    }

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100, help_text="For its owner, who wants to know which one to revoke.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(
        max_length=4, editable=False, help_text="Its last signs, by which its owner knows it again."
    )
    scopes = models.JSONField(default=list)
    created = models.DateTimeField(editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, editable=False)
    last_used = models.DateTimeField(null=True, editable=False, help_text="To the hour.")

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        app_label = "jobs"
        ordering = ["-pk"]

    def __str__(self):
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether it opens something now."""
        return self.revoked is None and (self.expires is None or self.expires > clock.now())
