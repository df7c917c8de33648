"""Agent: a program on some host that runs the commands of schedules there; and the tokens that let one in."""

import hashlib
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from jobs import clock
from jobs.conf import conf
from jobs.models.fields import SecretField

OFF_BY = 2.0
"""Seconds from which a host's clock is called wrong; a message's way takes some."""
NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z",
    "must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or digit",
)
"""Of an agent, and of a tag."""


class AgentQuerySet(models.QuerySet):
    """Queries over agents."""

    def enrolled(self):
        """Those that were not removed."""
        return self.filter(removed=None)

    def heard(self):
        """Enrolled ones that gave a sign of life lately."""
        return self.enrolled().filter(last_seen__gte=clock.now() - timedelta(seconds=conf.AGENT_SILENT))


class Agent(models.Model):
    """An agent as the site knows it. What it last said of itself stands in the fields from `last_seen` on."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, validators=[NAME])
    tags = models.JSONField(default=list, blank=True, help_text="Words by which schedules choose agents.")
    enrolled = models.DateTimeField(editable=False)
    removed = models.DateTimeField(null=True, editable=False, help_text="From then on its key opens nothing.")
    address = models.CharField(
        max_length=200,
        blank=True,
        default="",
        editable=False,
        help_text="Where it listens, if the site has met it there.",
    )

    key = SecretField(help_text="32 bytes in hexadecimal digits, which site and agent share.")
    session_made = models.BigIntegerField(default=0, editable=False, help_text="In the session's own count.")
    session = models.CharField(max_length=120, blank=True, default="", editable=False)
    counter = models.BigIntegerField(default=0, editable=False, help_text="Of the last request of the session.")
    revision = models.PositiveBigIntegerField(
        default=1, editable=False, help_text="Rises whenever there is something that it has to know."
    )
    told = models.PositiveBigIntegerField(default=0, editable=False, help_text="The revision that it has.")

    refused = models.PositiveIntegerField(default=0, editable=False, help_text="Calls in its name that were refused.")
    refused_time = models.DateTimeField(null=True, editable=False)
    refused_reason = models.CharField(max_length=300, blank=True, default="", editable=False)

    last_seen = models.DateTimeField(null=True, editable=False)
    facts_time = models.DateTimeField(null=True, editable=False, help_text="When what follows was written.")
    clock_difference = models.FloatField(
        null=True, editable=False, help_text="Seconds that its host's clock is ahead of the site's."
    )
    version = models.CharField(max_length=40, blank=True, default="", editable=False)
    host = models.CharField(max_length=200, blank=True, default="", editable=False)
    system = models.CharField(max_length=200, blank=True, default="", editable=False)
    account = models.CharField(
        max_length=100, blank=True, default="", editable=False, help_text="Who its commands run as."
    )
    folder = models.CharField(max_length=1000, blank=True, default="", editable=False, help_text="Where they run.")
    allowed = models.JSONField(null=True, editable=False, help_text="The only commands that it runs; null: any.")
    cores = models.PositiveIntegerField(null=True, editable=False)
    load = models.FloatField(null=True, editable=False, help_text="Of the last minute.")
    running = models.PositiveIntegerField(default=0, editable=False, help_text="Commands that it runs now.")
    unsent = models.PositiveIntegerField(default=0, editable=False, help_text="Executions that it has yet to report.")
    dropped = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Outputs that it had to throw away, because it had no room for more."
    )
    started = models.DateTimeField(null=True, editable=False, help_text="When its process began.")

    objects = AgentQuerySet.as_manager()

    class Meta:
        app_label = "jobs_schedules"
        ordering = ["name", "pk"]
        permissions = [("manage_agents", "Can let agents in, change their names and tags, and remove them")]
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(removed=None), name="jobs_schedules_agent_name")
        ]

    def __str__(self):
        return self.name

    @property
    def clock_distance(self) -> float:
        """Seconds between its host's clock and the site's, in whichever direction."""
        return abs(self.clock_difference or 0.0)

    @property
    def has_wrong_clock(self) -> bool:
        """Whether its host's clock is wrong; it does no harm."""
        return self.clock_distance > OFF_BY

    @property
    def is_silent(self) -> bool:
        """Whether it has given no sign of life for `JOBS["AGENT_SILENT"]` seconds."""
        return self.last_seen is None or (clock.now() - self.last_seen).total_seconds() > conf.AGENT_SILENT


class EnrolTokenQuerySet(models.QuerySet):
    """Queries over tokens that let an agent in."""

    def usable(self):
        """Those that still let one in."""
        return self.filter(used=None, expires__gt=clock.now())


class EnrolToken(models.Model):
    """A token that lets one agent in, once; only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(max_length=4, editable=False)
    name = models.CharField(max_length=100, blank=True, default="", help_text="Of the agent; empty: as it says itself.")
    tags = models.JSONField(default=list, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(editable=False)
    expires = models.DateTimeField(editable=False)
    used = models.DateTimeField(null=True, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)

    objects = EnrolTokenQuerySet.as_manager()

    class Meta:
        app_label = "jobs_schedules"
        ordering = ["-pk"]

    def __str__(self):
        return f"…{self.ending}"

    @staticmethod
    def digest_of(text: str) -> str:
        """What is kept of a token's text."""
        return hashlib.sha256(text.encode()).hexdigest()
