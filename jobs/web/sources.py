"""Which jobs a table shows, written down so that each refresh finds them again."""

from collections.abc import Callable, Iterable

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from jobs.manager import JobManager
from jobs.models import Job
from jobs.web.dotted import path_of

MOST_LISTED = 500
"""Jobs of a list that a table keeps to; the later ones are left out."""


def source_of(jobs) -> dict:
    """A description of `jobs` in plain JSON.

    Args:
        jobs: what `JobManager.list_jobs` gave (described by its arguments: new jobs come in), a function at the top level of a
            module that takes the user and returns a queryset (called again at each refresh), or any other queryset or
            list of jobs (kept as the ids of these jobs).

    Raises:
        TypeError: it is none of these.
    """
    listed = getattr(jobs, "listed", None)
    if listed is not None:
        return {"listed": listed}
    if isinstance(jobs, QuerySet):
        if not issubclass(jobs.model, Job):
            raise TypeError(f"jobs: a queryset of jobs is needed, not one of {jobs.model.__name__}")
        return {"ids": list(jobs.values_list("pk", flat=True)[:MOST_LISTED])}
    if isinstance(jobs, Callable):
        return {"function": path_of(jobs, "jobs")}
    if not isinstance(jobs, Iterable) or isinstance(jobs, str):
        raise TypeError(f"jobs: a queryset, a list of jobs or a function that returns one is needed, not {jobs!r}")
    jobs = list(jobs)
    if not all(isinstance(job, Job) and job.pk for job in jobs):
        raise TypeError("jobs: each item of the list must be a job that was saved")
    return {"ids": [job.pk for job in jobs[:MOST_LISTED]]}


def ids_in_order(source: dict) -> list[int] | None:
    """The ids in the order of the list that was given; None where a queryset says the order."""
    return source.get("ids")


def chosen(rows: QuerySet[Job], source: dict, user) -> QuerySet[Job]:
    """Those of `rows` that `source` describes.

    Args:
        rows: what `user` may see.
        source: made by `source_of`, and come back unaltered.
        user: who looks.
    """
    if "listed" in source:
        listed = source["listed"]
        jobs = JobManager(listed["label"]).list_jobs(listed["user"], **listed["filters"])
        return rows.filter(pk__in=jobs.order_by().values("pk")) if listed["filters"] else _plainly(rows, listed)
    if "ids" in source:
        return rows.filter(pk__in=source["ids"])
    found = import_string(source["function"])(user)
    keys = found.values("pk") if isinstance(found, QuerySet) else [job.pk for job in found]
    return rows.filter(pk__in=keys)


def _plainly(rows: QuerySet[Job], listed: dict) -> QuerySet[Job]:
    # As list_jobs does, on the rows themselves: the index of the app or the user serves their order, too.
    rows = rows.filter(label=listed["label"])
    return rows if listed["user"] is None else rows.filter(user_id=listed["user"])
