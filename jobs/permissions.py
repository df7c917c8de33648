"""Who may see a job, and who may do something to it: the one place that web, REST and dialects ask."""

from django.db.models import Q
from django.http import Http404

ALL_JOBS = "jobs.jobs_table_actions"
RUN_COMMANDS = "jobs.run_commands"


def sees_all(user) -> bool:
    """Whether `user` may see and act on everybody's jobs."""
    return user.is_active and (user.is_staff or user.has_perm(ALL_JOBS))


def visible_jobs(queryset, user):
    """Those jobs of `queryset` that `user` may see: own, shared with a group of theirs, or all. None if not logged in."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return queryset.none()
    if sees_all(user):
        return queryset
    shared = queryset.model.groups.through.objects.filter(group__user=user).values("job_id")
    return queryset.filter(Q(user=user) | Q(pk__in=shared))


def may_act(user, job) -> bool:
    """Whether `user` may run, stop, change or delete `job`: its owner, and who may act on all jobs."""
    return user.is_authenticated and user.is_active and (job.user_id == user.pk or sees_all(user))


def visible_job_or_404(user, *, polymorphic: bool = True, **lookup):
    """The job that `lookup` names, if `user` may see it.

    Args:
        user: who asks.
        polymorphic: as an object of its own class (one more query) or as a row of the base table.
        lookup: `pk=` or `uuid=`.

    Raises:
        Http404: there is none, or it is somebody else's; both answers are the same to the letter.
    """
    from jobs.models.job import Job, job_rows

    rows = Job.objects.all() if polymorphic else job_rows()
    job = visible_jobs(rows.filter(hidden=False, **lookup).select_related("user"), user).first()
    if job is None:
        raise Http404("No such job.")
    return job
