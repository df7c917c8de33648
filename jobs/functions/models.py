"""FunctionJob, its calls (one for each attempt), and the workers that take them."""

import io
import json
from datetime import timedelta
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.query_utils import DeferredAttribute

from jobs import clock
from jobs.conf import conf
from jobs.functions.registry import UnknownFunction, get_function, name_of
from jobs.functions.signature import ArgumentsError
from jobs.models import Job
from jobs.workspaces import open_inside, workspace_path


class _FunctionName(DeferredAttribute):
    def __set__(self, instance, value):
        instance.__dict__[self.field.attname] = name_of(value) if callable(value) else value


class FunctionNameField(models.CharField):
    """The name of a registered function; a function assigned to it is turned into its name."""

    descriptor_class = _FunctionName


class FunctionJob(Job):
    """A call of a registered function with arguments, run by whichever worker takes it."""

    function = FunctionNameField(max_length=80, help_text="Name of a registered function.")
    arguments = models.JSONField(default=dict, blank=True, help_text="By parameter, as JSON.")

    class Meta:
        app_label = "jobs_functions"
        permissions = [("call_functions", "Can run every function, also those that are not public")]

    def clean(self):
        """Check that there is the function, and that it can be called with the arguments.

        Raises:
            ValidationError: which of the two is wrong, and why.
        """
        super().clean()
        if not isinstance(self.arguments, dict):
            raise ValidationError({"arguments": "must be a dictionary by parameter, for example {'x': 1, 'y': 2}"})
        try:
            get_function(self.function).signature.read(self.arguments)
        except UnknownFunction as error:
            raise ValidationError({"function": str(error)}) from error
        except ArgumentsError as error:
            raise ValidationError({"arguments": str(error)}) from error

    @property
    def call(self) -> "FunctionCall | None":
        """The call of the current attempt, or None before it was submitted."""
        return self.calls.filter(attempt=self.attempt).first()

    @property
    def result(self):
        """What the function returned in the current attempt; None where it has not returned.

        Raises:
            OSError, InvalidAttribute: it is in a file of the workspace that is there no more.
        """
        call = self.call
        return call.read_result() if call is not None else None


class CallState(models.TextChoices):
    """Where a call is between its submission and its end."""

    QUEUED = "QUE", "queued"
    RUNNING = "RUN", "running"
    ENDED = "END", "ended"


class FunctionCall(models.Model):
    """One attempt of a FunctionJob: what the engine knows of it. Written through `jobs.functions.calls`."""

    tag = models.CharField(max_length=200, unique=True)
    job = models.ForeignKey(FunctionJob, on_delete=models.CASCADE, related_name="calls")
    attempt = models.PositiveIntegerField()
    queue = models.CharField(max_length=60)
    route = models.CharField(max_length=100, help_text="Function and fingerprint: a worker has to have both.")
    idempotent = models.BooleanField(default=False)
    retries_left = models.PositiveIntegerField(default=0)
    backoff = models.FloatField(default=1.0, help_text="Seconds before the next retry.")

    state = models.CharField(max_length=3, choices=CallState.choices, default=CallState.QUEUED)
    due = models.DateTimeField(help_text="It may be taken from then on.")
    tries = models.PositiveIntegerField(default=0, help_text="Times that a worker took it.")
    deaths = models.PositiveIntegerField(default=0, help_text="Times that its worker died.")

    worker = models.CharField(max_length=120, blank=True, default="", help_text="Holder of the worker that runs it.")
    pid = models.PositiveIntegerField(null=True, help_text="The process that can be ended for it; none in threads.")
    fence = models.CharField(max_length=32, blank=True, default="", help_text="Only who knows it may end this try.")
    lease_expires = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    stop_wanted = models.BooleanField(default=False)

    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=3, blank=True, default="", help_text="A final status, once it has ended.")
    message = models.TextField(blank=True, default="")
    progress = models.FloatField(null=True)
    result = models.TextField(
        blank=True, default="", help_text="JSON; none where it is in the workspace or there is none."
    )
    result_size = models.PositiveBigIntegerField(null=True, help_text="Bytes of JSON; none where there is no result.")

    class Meta:
        app_label = "jobs_functions"
        indexes = [
            # A worker takes the oldest of its queue; those that have ended are the many.
            models.Index(fields=["queue", "id"], condition=Q(state="QUE"), name="jobs_functions_queued"),
            # The monitor looks for those whose worker is silent; a worker for its own.
            models.Index(fields=["worker", "lease_expires"], condition=Q(state="RUN"), name="jobs_functions_running"),
        ]

    def __str__(self):
        return self.tag

    @property
    def has_result(self) -> bool:
        """Whether the function has returned."""
        return self.result_size is not None

    def open_result(self) -> BinaryIO:
        """The result as JSON, to be read.

        Raises:
            OSError, InvalidAttribute: its file is not there any more.
        """
        if self.result:
            return io.BytesIO(self.result.encode())
        return open_inside(workspace_path(self.job), self.result_file)

    @property
    def result_file(self) -> str:
        """The file in the job's workspace for a result that is too long for the database; each attempt has its own."""
        return "result.json" if self.attempt == 1 else f"result-{self.attempt}.json"

    def result_json(self) -> bytes:
        """The result as JSON.

        Raises:
            OSError, InvalidAttribute: its file is not there any more.
        """
        with self.open_result() as file:
            return file.read()

    def read_result(self):
        """What the function returned; None where it has not."""
        return json.loads(self.result_json()) if self.has_result else None


class FunctionWorkerQuerySet(models.QuerySet):
    def alive(self):
        """Those whose last sign of life is younger than `JOBS["HEARTBEAT_AGE"]` seconds."""
        return self.filter(time__gt=clock.now() - timedelta(seconds=conf.HEARTBEAT_AGE))


class FunctionWorker(models.Model):
    """One worker process for functions that runs, or ran lately."""

    holder = models.CharField(max_length=120, unique=True, help_text="host:pid:random")
    name = models.CharField(max_length=200)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    routes = models.JSONField(default=list, help_text="Functions with their fingerprints.")
    pool = models.CharField(max_length=20)
    concurrency = models.PositiveIntegerField()
    leaving = models.BooleanField(default=False, help_text="It takes no more, and ends when what it runs has ended.")
    started = models.DateTimeField()
    time = models.DateTimeField(db_index=True, help_text="Last sign of life.")

    objects = FunctionWorkerQuerySet.as_manager()

    class Meta:
        app_label = "jobs_functions"
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def is_alive(self) -> bool:
        """Whether its last sign of life is recent."""
        return clock.now() - self.time < timedelta(seconds=conf.HEARTBEAT_AGE)
