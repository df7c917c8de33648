"""The errors that the core raises for app code; each message says what to do."""

from django.core.exceptions import ObjectDoesNotExist


class JobError(Exception):
    """What all of them are."""


class UnknownJobType(JobError, ValueError):
    """`create_job` was asked for a type that no installed app registered."""


class UnknownAttribute(JobError, TypeError):
    """`create_job` was given a keyword that the job type does not have."""


class InvalidAttribute(JobError, ValueError):
    """A job's attribute has a value that it cannot have; the message names the attribute."""


class NameTaken(JobError, ValueError):
    """The user has a job of that name in that app."""


class JobNotFound(JobError, ObjectDoesNotExist):
    """There is no such job, or it is not one of those asked for (another app's, another user's)."""


class ActionNotAllowed(JobError):
    """The action makes no sense in the job's status, or its engine cannot do it."""


class StatusOwnedByEngine(JobError):
    """App code tried to move a job whose status its engine reports."""


class JobOver(JobError):
    """A report came for a job that is over, or for one that cannot go to that status."""


class StatusNotRefreshed(JobError, TimeoutError):
    """The monitor did not answer in time; the last known status stands."""

    def __init__(self, job, timeout):
        reason = ""
        if job.scheduler_id:
            job.scheduler.refresh_from_db(fields=["failures", "last_error"])
            reason = "" if job.scheduler.reachable else job.scheduler.last_error
        super().__init__(
            f"job {job.pk} ({job.name}): no fresh status within {timeout:g} s"
            + (f"; {job.scheduler.name} says: {reason}" if reason else "; is the monitor running?")
        )


class NotSubmitted(JobError, TimeoutError):
    """The engine does not have the job yet; the wish stands and is carried out later."""

    def __init__(self, job, timeout):
        super().__init__(
            f"job {job.pk} ({job.name}): not with its engine within {timeout:g} s; it stays wanted. "
            f"Are worker and monitor running? {job.status_message}".rstrip()
        )
