"""Typed Python functions as jobs: `@job_function` registers one, `current_job()` is its job while it runs."""

from jobs.functions.current import JobStopped, current_job
from jobs.functions.registry import job_function

__all__ = ["JobStopped", "current_job", "job_function"]
