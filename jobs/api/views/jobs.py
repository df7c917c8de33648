"""`/api/jobs/`: found, made, read, changed, deleted; what is wanted of one; what happened to it."""

from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.api import schemas
from jobs.api.documents import FIELDS, event_document, job_document, row_document
from jobs.api.idempotency import once
from jobs.errors import UnknownJobType
from jobs.filters import PARAMETERS, JobFilter
from jobs.intents import ask_for_refresh, want
from jobs.models import Action, Job, JobEvent, job_rows
from jobs.paging import number, page_of
from jobs.serializers import LABEL, StrictSerializer, StrictText
from jobs.types import JobType, get_type, job_types

MOST = 200
"""Jobs on one page of a list."""
MOST_EVENTS = 1000


def types_for(user) -> list[JobType]:
    """The types of which `user` may make jobs by REST."""
    return [kind for kind in job_types() if kind.serializer and kind.may_make(user)]


class Jobs(ApiView):
    """The list, and new jobs."""

    changing_scope = "submit"

    @described(
        "list_jobs",
        "Jobs that match a filter, page by page",
        answers={200: schemas.JobPageSerializer},
        parameters=schemas.LIST,
        errors=(400,),
        examples=[schemas.PAGE_ANSWER],
    )
    def get(self, request):
        """A page of the jobs that the caller may see and a filter matches, the newest first."""
        found = JobFilter(request.GET, user=request.user)
        wrong = dict(found.errors)
        fields = [name for text in request.GET.getlist("fields") for name in text.split(",") if name] or list(FIELDS)
        if unknown := [name for name in fields if name not in FIELDS]:
            wrong["fields"] = f"{', '.join(unknown)}: not known; choose of {', '.join(FIELDS)}"
        order = request.GET.get("order", "newest")
        if order not in ("newest", "oldest"):
            wrong["order"] = "must be newest or oldest"
        size = number(request.GET.get("page_size", "50")) or 0
        if not 1 <= size <= MOST:
            wrong["page_size"] = f"must be a number from 1 to {MOST}"
        before, after = (self._key(request, name, wrong) for name in ("before", "after"))
        known = {*PARAMETERS, "fields", "order", "page_size", "before", "after"}
        if strange := sorted(set(request.GET) - known):
            wrong |= {name: f"is no parameter; known are {', '.join(sorted(known))}" for name in strange}
        if wrong:
            raise exceptions.ValidationError({name: [text] for name, text in wrong.items()})
        shown = job_rows().shown().visible_to(request.user).select_related("user", "scheduler")
        page = page_of(
            found.apply(shown),
            parts=found.parts(overlapping=True),
            before=before,
            after=after,
            oldest_first=order == "oldest",
            size=size,
        )

        def url(name: str, key: int | None) -> str | None:
            if key is None:
                return None
            kept = [
                (one, text) for one, texts in request.GET.lists() for text in texts if one not in ("before", "after")
            ]
            return request.build_absolute_uri(f"{request.path}?{urlencode([*kept, (name, key)])}")

        older, newer = url("before", page.older), url("after", page.newer)
        following, preceding = (newer, older) if page.oldest_first else (older, newer)
        return Response(
            {
                "next": following,
                "previous": preceding,
                "results": [row_document(row, fields) for row in page.jobs],
            }
        )

    def _key(self, request, name: str, wrong: dict) -> int | None:
        text = request.GET.get(name)
        key = number(text)
        if text is not None and key is None:
            wrong[name] = "must be the number of a job; use the links 'next' and 'previous'"
        return key

    @described(
        "create_job",
        "A new job",
        request={"application/json": schemas.NEW_JOB},
        answers={200: schemas.JobDetailSerializer, 201: schemas.JobDetailSerializer},
        parameters=[schemas.KEY],
        errors=(400, 409),
        examples=[schemas.JOB_ANSWER, schemas.COMMAND, schemas.CONDOR, schemas.FUNCTION],
    )
    def post(self, request):
        """A new job, of the type that `type` says; with `run` true it is run at once.

        With the header `Idempotency-Key` it is made once, however often the request arrives: 200 where it was made before.
        """
        body = dict(self.body())
        kind = self._type(body.pop("type", None))
        run = body.pop("run", False)
        if not isinstance(run, bool):
            raise exceptions.ValidationError({"run": ["must be true or false"]})

        def make() -> Job:
            serializer = import_string(kind.serializer)(data=body, context={"user": request.user})
            serializer.is_valid(raise_exception=True)
            with transaction.atomic():  # made and run, or neither
                job = serializer.save()
                if run:
                    want(job, Action.RUN, user=request.user)
            return job

        job, known = once(request.user, request.headers.get("Idempotency-Key", ""), self.body(), make)
        job.read_row()
        headers = {"Location": request.build_absolute_uri(f"{job.uuid}/")}
        return Response(job_document(job), status=200 if known else 201, headers=headers)

    def _type(self, name) -> JobType:
        try:
            kind = get_type(name) if isinstance(name, str) else None
        except UnknownJobType:
            kind = None
        if kind is None or not kind.serializer:
            # Only now: it costs queries.
            names = ", ".join(kind.name for kind in types_for(self.request.user)) or "none"
            wrong = f"{name!r} is none that can be made here" if isinstance(name, str) else "say which type of job"
            raise exceptions.ValidationError({"type": [f"{wrong}; you may make {names}"]})
        if not kind.may_make(self.request.user):
            raise exceptions.PermissionDenied(f"You may not make jobs of the type {kind.name}; staff can permit it.")
        return kind


class ChangeSerializer(StrictSerializer):
    """What may be changed of a job."""

    unknown = "cannot be changed; these can: {known}"

    name = StrictText(max_length=255, required=False)
    description = StrictText(max_length=2048, required=False, allow_blank=True)
    extended_properties = serializers.DictField(required=False)
    groups = serializers.ListField(child=StrictText(max_length=150), required=False)

    def validate_groups(self, names):
        user, job = self.context["user"], self.context["job"]
        groups = {group.name: group for group in (user.groups.all() | job.groups.all()).distinct()}
        if missing := [name for name in names if name not in groups]:
            raise serializers.ValidationError(f"you are in no group called {', '.join(missing)}")
        return [groups[name] for name in names]

    def validate_extended_properties(self, values):
        return self._of_no_app(values)

    def _of_no_app(self, value):
        """What an app goes by is changed by that app only."""
        label = self.context["job"].label
        if label != LABEL:
            raise serializers.ValidationError(
                f"belongs to the app that made the job ({label}); it cannot be changed here"
            )
        return value

    def validate_name(self, name):
        self._of_no_app(name)
        job = self.context["job"]
        taken = Job.objects.shown().filter(label=job.label, user=job.user_id, name=name).exclude(pk=job.pk)
        if taken.exists():
            raise serializers.ValidationError("there is a job of that name already; use another")
        return name

    def update(self, job, values):
        groups: list[Group] | None = values.pop("groups", None)
        for name, value in values.items():
            setattr(job, name, value)
        try:
            with transaction.atomic():
                if values:
                    job.save(update_fields=list(values))
        except IntegrityError as error:
            raise Conflict(f"name: there is a job {job.name!r} by now; use another") from error
        if groups is not None:
            job.groups.set(groups)
        return job


class OneJob(ApiView):
    """One job."""

    @described(
        "read_job", "One job", answers={200: schemas.JobDetailSerializer}, errors=(404,), examples=[schemas.JOB_ANSWER]
    )
    def get(self, request, uuid: UUID):
        """All that is known of it."""
        return Response(job_document(self.job(uuid)))

    @described(
        "change_job",
        "Change a job",
        request={"application/json": schemas.CHANGES},
        answers={200: schemas.JobDetailSerializer},
        errors=(400, 404, 409),
        examples=[schemas.CHANGE_REQUEST, schemas.JOB_ANSWER],
    )
    def patch(self, request, uuid: UUID):
        """Change its name, description, extended_properties or groups."""
        job = self.job(uuid, to_act=True)
        serializer = ChangeSerializer(job, data=self.body(), context={"user": request.user, "job": job})
        serializer.is_valid(raise_exception=True)
        return Response(job_document(serializer.save()))

    @described("delete_job", "End and delete a job", answers={204: None}, errors=(404, 409))
    def delete(self, request, uuid: UUID):
        """Have it ended and deleted, with its files. It is out of sight at once."""
        want(self.job(uuid, to_act=True), Action.DELETE, user=request.user)
        return Response(status=204)


class JobAction(ApiView):
    """What is wanted of one job: run, stop, pause, resume, resubmit, rescue, process-again, refresh."""

    ACTIONS = tuple(action for action in Action if action != Action.DELETE)

    def scope_for(self, request) -> str:
        starting = (Action.RUN, Action.RESUBMIT, Action.RESCUE)
        return "submit" if self.kwargs.get("action") in starting else "write"

    @described(
        "act_on_job",
        "Run, stop, pause, resume, resubmit, … a job",
        answers={202: schemas.JobDetailSerializer},
        parameters=[schemas.ACTION],
        errors=(404, 409),
        examples=[schemas.JOB_ANSWER],
    )
    def post(self, request, uuid: UUID, action: str):
        """Write down that it is wanted; workers and monitor carry it out. Answers the job as it is now."""
        if action not in self.ACTIONS:
            known = ", ".join(self.ACTIONS)
            raise exceptions.NotFound(f"There is no action {action!r}; there are {known}.")
        job = self.job(uuid, to_act=True)
        if action == Action.REFRESH:
            if job.is_over:
                raise Conflict(
                    f"Refresh: job {job.pk} ({job.name}) is {job.status_display}; nothing changes it any more"
                )
            ask_for_refresh(job)
        else:
            want(job, action, user=request.user)
        job.read_row()
        return Response(job_document(job), status=202)


class History(ApiView):
    """What happened to a job, the oldest first."""

    @described(
        "read_history",
        "What happened to a job",
        answers={200: schemas.HistorySerializer},
        parameters=[schemas.AFTER],
        errors=(404,),
        examples=[schemas.HISTORY_ANSWER],
    )
    def get(self, request, uuid: UUID):
        """Its events, at most 1000; `?after=` goes on from the `next` of the answer before."""
        job = self.job(uuid, polymorphic=False)
        events = JobEvent.objects.filter(job_id=job.pk)
        if (after := number(request.GET.get("after"))) is not None:
            events = events.filter(pk__gt=after)
        found = list(events.order_by("pk")[: MOST_EVENTS + 1])
        more = found[MOST_EVENTS - 1].pk if len(found) > MOST_EVENTS else None
        return Response({"next": more, "results": [event_document(event) for event in found[:MOST_EVENTS]]})


class JobTypes(ApiView):
    """The types of which the caller may make jobs."""

    @described("list_job_types", "Types of jobs, each with its JSON schema", answers={200: schemas.JobTypesSerializer})
    def get(self, request):
        """Each with what can be said about a new job of it, as a JSON schema."""
        return Response({"results": [_type_document(kind, request.user) for kind in types_for(request.user)]})


def _type_document(kind: JobType, user) -> dict:
    serializer = import_string(kind.serializer)(context={"user": user})
    return {
        "name": kind.name,
        "label": kind.label,
        "description": kind.description,
        "schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object_schema(serializer)},
    }


def _object_schema(serializer: serializers.Serializer) -> dict:
    return {
        "type": "object",
        "properties": {name: _schema(field) for name, field in serializer.fields.items()},
        "required": [name for name, field in serializer.fields.items() if field.required],
        "additionalProperties": False,
    }


def _schema(field: serializers.Field) -> dict:
    kinds = {
        serializers.BooleanField: "boolean",
        serializers.IntegerField: "integer",
        serializers.FloatField: "number",
        serializers.DictField: "object",
        serializers.ListField: "array",
        serializers.CharField: "string",
        serializers.SlugRelatedField: "string",
    }
    if isinstance(field, serializers.ListSerializer):
        most = {"maxItems": field.max_length} if field.max_length else {}
        return {"type": "array", "items": _object_schema(field.child), **most}
    said: dict = {}
    kind = next((kind for of, kind in kinds.items() if isinstance(field, of)), None)
    if kind:
        said["type"] = [kind, "null"] if field.allow_null else kind
    if isinstance(field, serializers.ListField):
        said["items"] = _schema(field.child)
    if isinstance(field, serializers.DictField) and type(field.child) is not serializers.Field:
        said["additionalProperties"] = _schema(field.child)
    for name, word in (("min_value", "minimum"), ("max_value", "maximum"), ("max_length", "maxLength")):
        if getattr(field, name, None) is not None:
            said[word] = getattr(field, name)
    if field.help_text:
        said["description"] = str(field.help_text)
    return said
