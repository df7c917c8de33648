"""Execution: one due time of a schedule on one agent, and what came of it."""

from django.db import models
from django.db.models import Q

from jobs import clock
from jobs.models import Job
from jobs.schedules.models.agent import Agent
from jobs.schedules.models.schedule import Schedule
from jobs.status import Status

LATE = 30.0
"""Seconds after the due time from which an execution is called late: it began later, or nothing was heard of it yet."""


class ExecutionQuerySet(models.QuerySet):
    """Queries over executions."""

    def open(self):
        """Those of which the end is not known."""
        return self.filter(state__in=Execution.OPEN)

    def without_output(self):
        """For lists: outputs stay in the database."""
        return self.defer("stdout", "stderr")


class Execution(models.Model):
    """What became of one due time. Its id follows from schedule, agent and due time, so site and agent make the same one."""

    class State(models.TextChoices):
        """How far it is."""

        DUE = "D", "due"
        """Nothing was heard of it yet."""
        RUNNING = "R", "running"
        RAN = "X", "ran"
        """It was run; `exit_code` is None where it could not be started, was ended, or its end is unknown: see `reason`."""
        SKIPPED = "S", "skipped"
        """`reason` says why."""
        MISSED = "M", "missed"
        """Its time passed while nobody was there to run it, as `reason` says."""

    OPEN = (State.DUE, State.RUNNING)

    id = models.UUIDField(primary_key=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="executions", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, related_name="executions", db_index=False)
    due = models.DateTimeField()
    asked = models.BooleanField(default=False, help_text="A person wanted it to run now.")
    state = models.CharField(max_length=1, choices=State, default=State.DUE)
    assumed = models.BooleanField(
        default=False,
        help_text="The site took it for missed; the word of its agent, should it come, stands above that.",
    )
    reason = models.TextField(blank=True, default="")
    started = models.DateTimeField(null=True)
    completed = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    stdout = models.TextField(blank=True, default="")
    stderr = models.TextField(blank=True, default="")
    stdout_size = models.PositiveBigIntegerField(default=0, help_text="Bytes, before it was cut.")
    stderr_size = models.PositiveBigIntegerField(default=0)
    reported = models.DateTimeField(null=True, help_text="When its end came to be known here.")
    stop_wanted = models.DateTimeField(null=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", help_text="That it started.")

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        app_label = "jobs_schedules"
        indexes = [
            # The history of a schedule, and of it on one agent.
            models.Index(fields=["schedule", "-due"], name="jobs_schedules_history"),
            models.Index(fields=["schedule", "agent", "-due"], name="jobs_schedules_by_agent"),
            # latest_output: the last one that ran on each agent.
            models.Index(fields=["schedule", "agent", "-due"], condition=Q(state="X"), name="jobs_schedules_latest"),
            # What is open: asked for by agents (run now, stop), and given up after a day.
            models.Index(fields=["agent", "due"], condition=Q(state__in=["D", "R"]), name="jobs_schedules_open"),
        ]

    def __str__(self):
        return f"{self.schedule_id} at {self.due:%Y-%m-%d %H:%M:%S}"

    @property
    def status_code(self) -> str:
        """The code of the job status that looks like it: what badges and strips show."""
        if self.state == self.State.RAN:
            if self.job_id is not None:
                return self.job.status_code
            return Status.COMPLETE if self.exit_code == 0 else Status.ERROR
        return {
            self.State.DUE: Status.PENDING,
            self.State.RUNNING: Status.RUNNING,
            self.State.SKIPPED: Status.ABORTED,
            self.State.MISSED: Status.OTHER,
        }[self.state]

    @property
    def word(self) -> str:
        """What it is called: due, late, running, ran, failed, skipped or missed."""
        if self.state == self.State.RAN and self.job_id is None and self.exit_code != 0:
            return "failed"
        if self.state == self.State.DUE and self.is_late:
            return "late"
        return self.get_state_display()

    @property
    def status_display(self) -> str:
        """The word for people; of a job that it started, that job's status."""
        if self.state == self.State.RAN and self.job_id is not None:
            return self.job.status_display
        return self.word.capitalize()

    @property
    def is_late(self) -> bool:
        """Whether it began, or still has to begin, more than `LATE` seconds after its due time."""
        begun = self.started or (clock.now() if self.state == self.State.DUE else self.due)
        return (begun - self.due).total_seconds() > LATE

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.completed - self.started).total_seconds() if self.started and self.completed else None
