"""Signs of life of the processes that do the work."""

from datetime import timedelta

from django.db import models

from jobs import clock
from jobs.conf import conf


class HeartbeatQuerySet(models.QuerySet):
    def alive(self):
        """Those whose last sign of life is younger than `JOBS["HEARTBEAT_AGE"]` seconds."""
        return self.filter(time__gt=clock.now() - timedelta(seconds=conf.HEARTBEAT_AGE))


class Heartbeat(models.Model):
    """One row for each worker or monitor process that runs or ran lately."""

    kind = models.CharField(max_length=20, help_text="'worker' or 'monitor'")
    holder = models.CharField(max_length=120, unique=True, help_text="host:pid:random, as in claims and leases")
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started = models.DateTimeField()
    time = models.DateTimeField(db_index=True)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        app_label = "jobs"

    def __str__(self):
        return f"{self.kind} {self.holder}"
