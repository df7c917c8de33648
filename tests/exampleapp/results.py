"""Functions that process results."""

from tests.exampleapp.models import Counted


def count(job):
    """Count that the results of this attempt were processed."""
    Counted.objects.create(job_id=job.pk, attempt=job.attempt)
    job.extended_properties = {**job.extended_properties, "counted": job.attempt}
    job.save()


def fail(job):
    """Count, and fail: the count must not stay."""
    count(job)
    raise ValueError("the results are not what they should be")
