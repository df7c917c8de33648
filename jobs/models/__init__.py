"""The core's models; this is where app authors import them from."""

from jobs.models.access import AccessToken
from jobs.models.bulk import BulkAction, BulkJob
from jobs.models.event import JobEvent
from jobs.models.heartbeat import Heartbeat
from jobs.models.idempotency import IdempotencyKey
from jobs.models.intent import Action, Intent
from jobs.models.job import BasicJob, Job, job_rows
from jobs.models.scheduler import Scheduler
from jobs.status import Status

__all__ = [
    "AccessToken",
    "Action",
    "BasicJob",
    "BulkAction",
    "BulkJob",
    "Heartbeat",
    "IdempotencyKey",
    "Intent",
    "Job",
    "JobEvent",
    "Scheduler",
    "Status",
    "job_rows",
]
