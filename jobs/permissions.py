"""Who may see a job, and who may do something to it: the one place that web, REST and dialects ask."""

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, Q, Value
from django.http import Http404

ALL_JOBS = "jobs.jobs_table_actions"
RUN_COMMANDS = "jobs.run_commands"


def sees_all(user) -> bool:
    """Whether `user` may see and act on everybody's jobs."""
    return user.is_active and (user.is_staff or user.has_perm(ALL_JOBS))


def sees_all_in_sql(user):
    """`sees_all` as a condition or annotation of a query on jobs, so that a list need not ask for permissions first.

    Django's own backend keeps permissions in tables that a query can look into; any other one is asked.
    """
    if not user.is_active or user.is_staff or user.is_superuser:
        return Value(user.is_active)
    if list(settings.AUTHENTICATION_BACKENDS) != ["django.contrib.auth.backends.ModelBackend"]:
        return Value(sees_all(user))
    app, _, codename = ALL_JOBS.partition(".")
    granted = Permission.objects.filter(codename=codename, content_type__app_label=app)
    return Exists(granted.filter(Q(user=user.pk) | Q(group__user=user.pk)))


def visible_jobs(queryset, user):
    """Those jobs of `queryset` that `user` may see: own, shared with a group of theirs, or all. None if not logged in."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return queryset.none()
    if user.is_staff or user.is_superuser:
        return queryset
    shared = queryset.model.groups.through.objects.filter(group__user=user).values("job_id")
    return queryset.filter(Q(user=user) | Q(pk__in=shared) | Q(sees_all_in_sql(user)))


def may_act_on_own(user, job) -> bool:
    """Whether `job` is the own one of `user`, who may then act on it."""
    return user.is_authenticated and user.is_active and job.user_id == user.pk


def may_act(user, job) -> bool:
    """Whether `user` may run, stop, change or delete `job`: its owner, and who may act on all jobs."""
    return may_act_on_own(user, job) or (user.is_authenticated and sees_all(user))


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
    job = next(iter(rows.filter(hidden=False, **lookup)[:1]), None)
    if job is not None and may_act_on_own(user, job):
        job.user = user  # the most usual case by far, and no query says more
        return job
    if job is None or not visible_jobs(job_rows().filter(pk=job.pk), user).exists():
        raise Http404("No such job.")
    return job
