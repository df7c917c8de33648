"""A scheduler: where an engine's jobs go, who watches it, and how it fares."""

from django.db import models


class Scheduler(models.Model):
    """One place that runs jobs (this machine, an HTCondor pool, …); engines with more to say subclass it."""

    name = models.CharField(max_length=200, unique=True)
    type = models.CharField(max_length=40, help_text="Name of the engine that talks to it.")
    host = models.CharField(max_length=255, blank=True, help_text="Only a monitor on this host may watch it, if set.")

    least_interval = models.FloatField(default=1.0, help_text="Least number of seconds between two questions to it.")
    cursor = models.JSONField(null=True, blank=True, help_text="Where the engine's last answer ended.")
    last_poll = models.DateTimeField(null=True, blank=True)
    next_poll = models.DateTimeField(null=True, blank=True)
    look_wanted = models.DateTimeField(null=True, blank=True, help_text="When somebody last asked for an early look.")

    failures = models.PositiveIntegerField(default=0, help_text="Questions in a row that brought no answer.")
    last_error = models.TextField(blank=True)
    last_error_time = models.DateTimeField(null=True, blank=True)
    test_wanted = models.DateTimeField(null=True, blank=True, help_text="When somebody last asked for a test.")
    last_test = models.JSONField(null=True, blank=True, help_text="What the last test found; see jobs.scheduler_test.")

    lease_holder = models.CharField(max_length=120, blank=True)
    lease_expires = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "jobs"
        ordering = ["name"]

    def __str__(self):
        return self.name

    @classmethod
    def of_engine(cls, name: str) -> "Scheduler":
        """The row of an engine that has one for the whole installation, made if need be; it has the engine's name."""
        known = cls.objects.filter(name=name, type=name).first()
        return known or cls.objects.get_or_create(name=name, defaults={"type": name, "least_interval": 0.0})[0]

    @property
    def specific(self) -> "Scheduler":
        """The row as the class of its engine has it (a CondorScheduler, say), or itself where there is no more to it."""
        if type(self) is not Scheduler:
            return self
        for relation in Scheduler._meta.related_objects:
            if getattr(relation.field.remote_field, "parent_link", False):
                found = relation.related_model.objects.filter(pk=self.pk).first()
                if found is not None:
                    return found
        return self

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.host

    @property
    def reachable(self) -> bool:
        """Whether the last question to it was answered."""
        return self.failures == 0
