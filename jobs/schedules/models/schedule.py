"""Schedule: what is run again and again, when and where; and which agents have it."""

from uuid import uuid4

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from jobs.permissions import sees_all
from jobs.schedules.agent.timetable import Timetable, microseconds
from jobs.schedules.models.agent import Agent

LONGEST_TIMEOUT = 7 * 86_400
"""Seconds."""
MOST_KEPT = 10_000


class ScheduleQuerySet(models.QuerySet):
    """Queries over schedules."""

    def visible_to(self, user):
        """Own ones; all for who sees everybody's jobs."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self if sees_all(user) else self.filter(user=user)

    def on_agents(self):
        """Those of commands."""
        return self.filter(job_type="")


class Schedule(models.Model):
    """A command for agents, or a job to be started by the site, and when it is due.

    Made and changed by `jobs.schedules.editing`, which sees to it that agents hear of it.
    """

    class Overlap(models.TextChoices):
        """What a due time means while the execution before is not over."""

        SKIP = "skip", "skip it"
        RUN = "run", "run it beside the other"

    class Missed(models.TextChoices):
        """What due times mean that passed while the agent (or the site, for jobs) was not there."""

        ONCE = "once", "run once, late"
        NONE = "none", "leave them out"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")

    argv = models.JSONField(default=list, blank=True, help_text="The command: program and arguments; or `shell`.")
    shell = models.TextField(blank=True, default="", help_text="A line for /bin/sh -c.")
    timeout = models.FloatField(
        null=True,
        blank=True,
        default=3600.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(LONGEST_TIMEOUT)],
        help_text="Seconds after which the command is ended with all that it started; none for never.",
    )
    on_all = models.BooleanField(default=False, help_text="Runs on every agent.")
    on_names = models.JSONField(default=list, blank=True, help_text="Else on those of these names,")
    on_tags = models.JSONField(default=list, blank=True, help_text="and on those with one of these tags.")

    job_type = models.CharField(max_length=40, blank=True, default="", help_text="Starts a job of this type instead.")
    job_values = models.JSONField(default=dict, blank=True, help_text="As REST takes them for a new job of that type.")

    frequency = models.CharField(max_length=200)
    zone = models.CharField(max_length=60, default="UTC", help_text="Time zone in which cron's fields are read.")
    start = models.DateTimeField(help_text="Due times come after it; those of 'every' count from it.")
    end = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    overlap = models.CharField(max_length=8, choices=Overlap, default=Overlap.SKIP)
    missed = models.CharField(max_length=8, choices=Missed, default=Missed.ONCE)
    keep = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_KEPT)],
        help_text="Executions that are kept for each agent.",
    )

    created = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Rises with each change.")
    written = models.DateTimeField(editable=False, help_text="Due times up to here have their rows.")
    next_due = models.DateTimeField(
        null=True, editable=False, db_index=True, help_text="The first one after `written`."
    )

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        app_label = "jobs_schedules"
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="jobs_schedules_name")]

    def __str__(self):
        return self.name

    @property
    def is_job(self) -> bool:
        """Whether it starts jobs; else its command runs on agents."""
        return bool(self.job_type)

    @property
    def timetable(self) -> Timetable:
        """Its due times.

        Raises:
            FrequencyError: frequency or zone mean nothing.
        """
        end = None if self.end is None else microseconds(self.end)
        return Timetable(self.frequency, self.zone, microseconds(self.start), end)

    def wanted_agents(self):
        """The enrolled agents that it is meant for by its names and tags, also those that come later; none if paused."""
        agents = Agent.objects.enrolled()
        if self.is_job or not self.enabled:
            return agents.none()
        if self.on_all:
            return agents
        named = set(self.on_names)
        tagged = set(self.on_tags)
        # Tags are few and agents are hundreds: JSON is looked into here, alike on every database.
        ids = [one.pk for one in agents.only("pk", "name", "tags") if one.name in named or tagged & set(one.tags)]
        return agents.filter(pk__in=ids)


class AssignmentQuerySet(models.QuerySet):
    """Queries over assignments."""

    def standing(self):
        """Those that were not ended."""
        return self.filter(until=None)


class Assignment(models.Model):
    """That a schedule runs on an agent: for due times after `since`, and not after `until`."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="assignments")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="assignments")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        app_label = "jobs_schedules"
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "agent"], condition=Q(until=None), name="jobs_schedules_assigned_once"
            )
        ]

    def __str__(self):
        return f"{self.schedule_id} on {self.agent_id}"
