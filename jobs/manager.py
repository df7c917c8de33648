"""The job manager: how app code makes and finds jobs (seed 001, 'Job Manager')."""

import json
from collections.abc import Iterable
from uuid import uuid4

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.urls import reverse

from jobs.conf import conf
from jobs.errors import InvalidAttribute, JobNotFound, NameTaken, UnknownAttribute
from jobs.faultpoints import FaultPoint
from jobs.models import Job
from jobs.transactions import committing
from jobs.types import get_type
from jobs.workspaces import Workspace, app_workspace, user_workspace

CREATE = FaultPoint("job.create")


class JobManager:
    """Creates and finds the jobs of one app.

    Args:
        label: the app's label; jobs made by no app have the label 'jobs'.
    """

    def __init__(self, label: str = "jobs"):
        self.label = label

    def create_job(self, name: str, user, job_type, groups: Iterable[Group] | None = None, **attributes) -> Job:
        """Make a pending job.

        Args:
            name: unique among the user's jobs in this app; `{id}` in it becomes the primary key.
            user: whose job it is.
            job_type: a registered name ('COMMAND', 'BASIC', …) or a subclass of Job.
            groups: groups whose members see the job.
            **attributes: any attribute that the type lets its author set.

        Raises:
            UnknownJobType, UnknownAttribute, InvalidAttribute, NameTaken: each names what is wrong and what would do.
        """
        model = job_type if isinstance(job_type, type) and get_type(job_type) else get_type(job_type).model
        if not isinstance(name, str) or not name.strip():
            raise InvalidAttribute("name: a job needs a name, for example 'myjob_{id}'")
        if getattr(user, "pk", None) is None:
            raise InvalidAttribute("user: a job needs the user whose it is, usually request.user of a person logged in")
        self._check_names(model, attributes)
        # With the longest primary key that there can be: the name must not turn out too long when the job has its own.
        self._check_length(name.replace("{id}", "9" * 19))
        try:
            # Until there is a primary key, a name that nobody else can have stands in.
            job = model(name=f"{uuid4()}" if "{id}" in name else name, user=user, label=self.label, **attributes)
        except (TypeError, ValueError) as error:
            raise InvalidAttribute(str(error)) from error
        try:
            with committing(CREATE):
                self._clean(job)
                job.save()
                if "{id}" in name:
                    job.name = name.replace("{id}", str(job.pk))
                    job.save(update_fields=["name"])
                if groups is not None:
                    job.groups.set([groups] if isinstance(groups, Group) else groups)
        except IntegrityError as error:
            if Job.objects.shown().filter(label=self.label, user=user, name=job.name).exclude(pk=job.pk).exists():
                raise NameTaken(
                    f"name: {user} already has a job {job.name!r} in {self.label}; use another name, or '{{id}}' in it"
                ) from error
            raise
        return job

    def _check_names(self, model: type[Job], attributes: dict) -> None:
        allowed = model.settable_attributes()
        unknown = sorted(set(attributes) - set(allowed))
        if unknown:
            raise UnknownAttribute(
                f"{', '.join(unknown)}: {model.__name__} has no such attribute that can be set; it has {', '.join(allowed)}"
            )

    def _check_length(self, name: str) -> None:
        longest = Job._meta.get_field("name").max_length
        if len(name) > longest:
            raise InvalidAttribute(f"name: a name has at most {longest} characters; this one has {len(name)}")

    def _clean(self, job: Job) -> None:
        try:
            # The user is an object that has a key already: no query need look for it.
            job.full_clean(exclude={"user"}, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            lines = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
            raise InvalidAttribute("; ".join(lines)) from error

    def list_jobs(self, user=None, **filters):
        """The jobs of this app, newest first, as a queryset; with `user` only that user's."""
        jobs = Job.objects.shown().filter(label=self.label, **filters).order_by("-pk")
        key = getattr(user, "pk", user)
        if user is not None:
            # Somebody who is not logged in has no jobs.
            jobs = jobs.filter(user=user) if key is not None else jobs.none()
        if (user is None or key is not None) and _is_plain(filters):
            # A table of these jobs asks for them again by this, so that new ones come in. It is lost, as it must be,
            # as soon as anybody filters or slices the queryset further.
            jobs.listed = {"label": self.label, "user": key, "filters": filters}
        return jobs

    def get_job(self, job_id: int, user=None, **filters) -> Job:
        """The job of this app with that primary key; with `user` only if it is that user's.

        Raises:
            JobNotFound: there is none, or it is another app's or user's (which of them is not said).
        """
        try:
            return self.list_jobs(user=user, **filters).get(pk=job_id)
        except (Job.DoesNotExist, ValueError, TypeError) as error:
            whose = f" of {user}" if user is not None else ""
            raise JobNotFound(f"job_id: {self.label} has no job {job_id!r}{whose}") from error

    def get_job_status_callback_url(self, request, job_id: int) -> str:
        """The absolute URL at which a job's status can be looked at or reported.

        Args:
            request: the request at hand; None uses `JOBS["URL"]`.
            job_id: primary key.
        """
        return callback_url(job_id, request)

    def get_app_workspace(self) -> Workspace:
        """The app's own folder."""
        return app_workspace(self.label)

    def get_user_workspace(self, user) -> Workspace:
        """A user's folder in this app."""
        return user_workspace(self.label, user)


def _is_plain(filters: dict) -> bool:
    """Whether the filters are the same after a journey as JSON."""
    try:
        return json.loads(json.dumps(filters)) == filters
    except (TypeError, ValueError):
        return False


def callback_url(job_id: int, request=None) -> str:
    """The absolute callback URL of a job; empty where neither a request nor `JOBS["URL"]` says where this site is."""
    path = reverse("update_job_status", args=[job_id])
    if request is not None:
        return request.build_absolute_uri(path)
    return conf.URL.rstrip("/") + path if conf.URL else ""
