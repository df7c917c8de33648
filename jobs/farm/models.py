"""FarmRun, its attempts, its tasks (in blocks that are made as they are handed out), and the workers that pull them."""

import json

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from jobs import clock
from jobs.models import Job

MOST_TASKS = 1_000_000
"""Of one run."""
LONGEST_LEASE = 86_400
"""Seconds."""
MOST_TRIES = 100


class FarmRun(Job):
    """A run of numbered tasks, 0 to `num_tasks` - 1, that workers pull one by one."""

    num_tasks = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TASKS)], help_text="Numbered from 0."
    )
    lease_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_LEASE)],
        help_text="After which a silent worker loses its task; none for never.",
    )
    max_tries = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TRIES)],
        help_text="With a lease: how often a task is handed out before it has failed.",
    )
    participants = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="farm_runs", help_text="Others who may work on it."
    )

    class Meta:
        app_label = "jobs_farm"

    _new_inputs: list[str] | None = None

    @property
    def inputs(self):
        """The inputs of its tasks as `jobs.farm.inputs.Inputs`: `run.inputs[7]`. Set to a list with one JSON value per task."""
        from jobs.farm.inputs import Inputs

        return Inputs(self)

    @inputs.setter
    def inputs(self, values):
        try:
            self._new_inputs = [json.dumps(value, allow_nan=False) for value in values]
        except (TypeError, ValueError) as error:
            raise ValueError(f"inputs: must be a list of JSON values, one for each task: {error}") from error
        if self.num_tasks is None:
            self.num_tasks = len(self._new_inputs)

    def clean(self):
        """Check that there is an input for each task, where there are any.

        Raises:
            ValidationError: there are more or fewer.
        """
        super().clean()
        if self._new_inputs is not None and len(self._new_inputs) != self.num_tasks:
            raise ValidationError(
                {"inputs": f"there are {len(self._new_inputs):,} for {self.num_tasks:,} tasks; give one for each"}
            )

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        if self._new_inputs is not None:
            lines, self._new_inputs = self._new_inputs, None
            self.inputs.write(lines)

    def restart(self, what: str = "all") -> None:
        """Have tasks computed again; see `jobs.farm.restarting.restart`.

        Args:
            what: 'all', 'unfinished' or 'failed'.

        Raises:
            ValueError: it is none of these.
            ActionNotAllowed: the run was not started, or something else is being done with it.
        """
        from jobs.farm.access import place_of
        from jobs.farm.restarting import restart

        restart(place_of(self.user, self.uuid), what)
        self.read_row()

    @property
    def state(self) -> "FarmAttempt | None":
        """The current attempt as the engine has it, or None before the run was submitted."""
        return self.attempts.filter(attempt=self.attempt).first()


class Phase(models.TextChoices):
    """What workers get of an attempt."""

    OPEN = "O", "open"
    PAUSED = "P", "paused"
    STOPPED = "S", "stopped"
    ENDED = "E", "ended"


class FarmAttempt(models.Model):
    """One attempt of a run: what the engine knows of it, with the totals that were folded last."""

    tag = models.CharField(max_length=200, unique=True)
    run = models.ForeignKey(FarmRun, on_delete=models.CASCADE, related_name="attempts")
    attempt = models.PositiveIntegerField()
    generation = models.PositiveIntegerField(
        default=1,
        help_text="Of its tasks. A restart of all begins a new one; the rows of the old go in the background.",
    )
    phase = models.CharField(max_length=1, choices=Phase.choices, default=Phase.OPEN)
    next_block = models.PositiveIntegerField(default=0, help_text="The first block that may not be there yet.")
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)

    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    computing = models.PositiveIntegerField(default=0)
    percent = models.FloatField(default=0.0, help_text="Mean percentage of all tasks.")
    rate = models.FloatField(default=0.0, help_text="Tasks ended per second, of the last minute or so.")
    folded = models.DateTimeField(null=True, help_text="When these totals were true.")

    class Meta:
        app_label = "jobs_farm"
        constraints = [models.UniqueConstraint(fields=["run", "attempt"], name="jobs_farm_attempt_once")]

    def __str__(self):
        return self.tag


class FarmBlock(models.Model):
    """So many tasks with numbers in a row; a closed one is not counted again: all of its tasks are done or have failed."""

    SIZE = 500

    run = models.ForeignKey(FarmRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    generation = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    closed = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    percent = models.FloatField(default=0.0, help_text="Of all its tasks together.")

    class Meta:
        app_label = "jobs_farm"
        constraints = [models.UniqueConstraint(fields=["run", "generation", "number"], name="jobs_farm_block_once")]
        indexes = [models.Index(fields=["run", "generation"], condition=Q(closed=False), name="jobs_farm_open_block")]


class DiscardedTasks(models.Model):
    """Tasks of a generation that nobody asks for any more; the monitor removes their rows, some at a time."""

    run = models.ForeignKey(FarmRun, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField()

    class Meta:
        app_label = "jobs_farm"


class TaskState(models.TextChoices):
    """Where a task is."""

    WAITING = "W", "waiting"
    COMPUTING = "C", "computing"
    DONE = "D", "done"
    FAILED = "F", "failed"


class FarmTask(models.Model):
    """One task of a run. Its row is there from when its block was made; a task without a row waits."""

    run = models.ForeignKey(FarmRun, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    generation = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=1, choices=TaskState.choices, default=TaskState.WAITING)
    percent = models.FloatField(default=0.0)
    worker = models.ForeignKey(
        "FarmWorker", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    fence = models.CharField(max_length=32, blank=True, default="", help_text="The token of whoever has it.")
    lease_expires = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Times that it was handed out.")
    started = models.DateTimeField(null=True)
    updated = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    message = models.TextField(blank=True, default="")
    result = models.TextField(blank=True, default="", help_text="JSON.")

    class Meta:
        app_label = "jobs_farm"
        constraints = [models.UniqueConstraint(fields=["run", "generation", "number"], name="jobs_farm_task_once")]
        indexes = [
            # What is handed out next; the order of the numbers is the order of this index.
            models.Index(fields=["run", "generation", "number"], condition=Q(state="W"), name="jobs_farm_waiting"),
            models.Index(fields=["run", "generation", "number"], condition=Q(state="F"), name="jobs_farm_failed"),
            # The monitor looks for tasks whose worker is silent.
            models.Index(
                fields=["lease_expires"], condition=Q(state="C", lease_expires__isnull=False), name="jobs_farm_leases"
            ),
        ]

    def __str__(self):
        return f"task {self.number} of run {self.run_id}"


class FarmWorker(models.Model):
    """A process somewhere that pulls tasks; it says itself what it is."""

    SILENT_AFTER = 60

    uuid = models.CharField(max_length=64, help_text="As the worker calls itself.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(
        FarmRun, null=True, on_delete=models.SET_NULL, related_name="workers", help_text="The last that it asked."
    )
    hostname = models.CharField(max_length=255)
    pid = models.PositiveBigIntegerField()
    started = models.DateTimeField(default=clock.now)
    seen = models.DateTimeField(default=clock.now, help_text="Last sign of life.")
    done = models.PositiveIntegerField(default=0, help_text="Tasks that it has ended in the run.")

    class Meta:
        app_label = "jobs_farm"
        constraints = [models.UniqueConstraint(fields=["user", "uuid"], name="jobs_farm_worker_once")]

    def __str__(self):
        return f"{self.hostname}:{self.pid}"
