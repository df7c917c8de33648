"""What REST answers, as serializers: for the description only; `documents.py` makes the answers."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from jobs.api.documents import FIELDS
from jobs.filters import JobFilterSet
from jobs.models import Action
from jobs.status import Status


class JobRowSerializer(serializers.Serializer):
    """A job in a list; with `fields` only what was asked for."""

    id = serializers.UUIDField(required=False)
    number = serializers.IntegerField(required=False)
    name = serializers.CharField(required=False)
    type = serializers.CharField(required=False, allow_null=True, help_text="None where its app is not installed.")
    label = serializers.CharField(required=False, help_text="Of the app that made it.")
    user = serializers.CharField(required=False)
    status = serializers.ChoiceField(Status.choices, required=False)
    status_label = serializers.CharField(required=False)
    status_message = serializers.CharField(required=False, allow_blank=True)
    progress = serializers.FloatField(required=False, allow_null=True, help_text="Percent.")
    exit_code = serializers.IntegerField(required=False, allow_null=True)
    attempt = serializers.IntegerField(required=False)
    creation_time = serializers.DateTimeField(required=False)
    execute_time = serializers.DateTimeField(required=False, allow_null=True)
    start_time = serializers.DateTimeField(required=False, allow_null=True)
    completion_time = serializers.DateTimeField(required=False, allow_null=True)
    description = serializers.CharField(required=False, allow_blank=True)
    scheduler = serializers.CharField(required=False, allow_null=True)
    resources = serializers.DictField(required=False)


class JobDetailSerializer(JobRowSerializer):
    """All that is said of one job."""

    groups = serializers.ListField(child=serializers.CharField())
    extended_properties = serializers.DictField()
    timeout = serializers.IntegerField(allow_null=True)
    properties = serializers.DictField(help_text="What its type has beside.")
    wanted = serializers.CharField(allow_null=True, help_text="The action that is asked for and not carried out yet.")
    actions = serializers.ListField(child=serializers.ChoiceField(Action.choices), help_text="What may be asked now.")


class JobPageSerializer(serializers.Serializer):
    """A page of jobs."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = JobRowSerializer(many=True)


class EventSerializer(serializers.Serializer):
    """A line of a job's history."""

    time = serializers.DateTimeField()
    attempt = serializers.IntegerField()
    old_status = serializers.CharField(allow_blank=True)
    new_status = serializers.CharField(allow_blank=True)
    status_label = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    source = serializers.CharField()


class HistorySerializer(serializers.Serializer):
    """A job's history."""

    next = serializers.IntegerField(allow_null=True)
    results = EventSerializer(many=True)


class LogSerializer(serializers.Serializer):
    """A log."""

    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class LogsSerializer(serializers.Serializer):
    """The logs of an attempt."""

    attempt = serializers.IntegerField()
    results = LogSerializer(many=True)


class FileSerializer(LogSerializer):
    """A file."""

    modified = serializers.DateTimeField()


class FilesSerializer(serializers.Serializer):
    """The files of a workspace."""

    results = FileSerializer(many=True)


class JobTypeSerializer(serializers.Serializer):
    """A job type."""

    name = serializers.CharField()
    label = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    schema = serializers.DictField(help_text="JSON schema of a new job, without `type` and `run`.")


class JobTypesSerializer(serializers.Serializer):
    """The types of which the caller may make jobs."""

    results = JobTypeSerializer(many=True)


class SchedulerSerializer(serializers.Serializer):
    """Where jobs run."""

    name = serializers.CharField()
    type = serializers.CharField()
    reachable = serializers.BooleanField()
    failures = serializers.IntegerField()
    last_error = serializers.CharField(allow_blank=True)
    last_poll = serializers.DateTimeField(allow_null=True)
    test_wanted = serializers.DateTimeField(allow_null=True)
    last_test = serializers.DictField(allow_null=True)


class SchedulersSerializer(serializers.Serializer):
    """All of them."""

    results = SchedulerSerializer(many=True)


class BulkAnswerSerializer(serializers.Serializer):
    """What one job was answered."""

    number = serializers.IntegerField()
    outcome = serializers.CharField()
    message = serializers.CharField(allow_blank=True)


class BulkSerializer(serializers.Serializer):
    """Something wanted of many jobs."""

    id = serializers.UUIDField()
    action = serializers.ChoiceField(Action.choices)
    created = serializers.DateTimeField()
    finished = serializers.DateTimeField(allow_null=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()


class BulkAnswersSerializer(BulkSerializer):
    """The same with the answers."""

    next = serializers.IntegerField(allow_null=True)
    results = BulkAnswerSerializer(many=True)


class UploadedSerializer(LogSerializer):
    """What was put there."""


NEW_JOB = {
    "type": "object",
    "required": ["type", "name"],
    "properties": {
        "type": {"type": "string", "description": "One of /api/job-types/, whose schema says what else there may be."},
        "run": {"type": "boolean", "default": False},
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": {"type": "string", "maxLength": 2048},
        "groups": {"type": "array", "items": {"type": "string"}},
        "extended_properties": {"type": "object"},
    },
    "additionalProperties": True,
}
CHANGES = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": {"type": "string", "maxLength": 2048},
        "groups": {"type": "array", "items": {"type": "string"}},
        "extended_properties": {"type": "object"},
    },
    "additionalProperties": False,
}
NEW_BULK = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"type": "string", "enum": [str(action) for action in Action if action != "refresh"]},
        "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 1000},
        "filter": {"type": "object"},
    },
    "additionalProperties": False,
}


def query(name: str, kind=OpenApiTypes.STR, about: str = "", **more) -> OpenApiParameter:
    """A parameter of a query."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=about, **more)


FILTERS = [query(name, about=str(found.label)) for name, found in JobFilterSet.base_filters.items()]
LIST = [
    *FILTERS,
    query("fields", about=f"Names, with commas between: {', '.join(FIELDS)}."),
    query("order", about="newest or oldest first.", enum=["newest", "oldest"]),
    query("page_size", OpenApiTypes.INT, "1 to 200."),
    query("before", OpenApiTypes.INT, "A number, from 'next' and 'previous'."),
    query("after", OpenApiTypes.INT, "A number, from 'next' and 'previous'."),
]
AFTER = query("after", OpenApiTypes.INT, "`next` of the answer before.")
ATTEMPT = query("attempt", OpenApiTypes.INT, "The current one without.")
RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="bytes=0-99, bytes=100-, bytes=-99"
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="However often the request arrives with the same key, one job is made.",
)
ACTION = OpenApiParameter(
    "action",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=[str(action) for action in Action if action != "delete"],
)
WAIT = [
    query("status", about="The status that is known already; that of the moment without."),
    query("timeout", OpenApiTypes.NUMBER, "Seconds, 0 to 25."),
]


def ranges(media_type: str) -> dict:
    """The answers of what is sent whole or by a range of its bytes."""
    return {
        (200, media_type): OpenApiResponse(OpenApiTypes.BINARY, description="The whole."),
        (206, media_type): OpenApiResponse(OpenApiTypes.BINARY, description="The range."),
        416: OpenApiResponse(description="The range lies outside of the file."),
    }


LOG, FILE = ranges("text/plain"), ranges("*/*")
COMMAND = OpenApiExample(
    "a command",
    {"type": "COMMAND", "name": "count {id}", "command": ["wc", "-l", "in.txt"], "run": True},
    request_only=True,
)
CONDOR = OpenApiExample(
    "in a pool",
    {
        "type": "CONDOR",
        "name": "model {id}",
        "attributes": {"executable": "/bin/date", "request_memory": "1GB"},
        "num_jobs": 10,
        "run": True,
    },
    request_only=True,
)
FUNCTION = OpenApiExample(
    "a function",
    {"type": "FUNCTION", "name": "add {id}", "function": "add", "arguments": {"x": 2, "y": 3}, "run": True},
    request_only=True,
)


def _answer(name: str, value: dict, *statuses: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[f"{status}" for status in statuses or (200,)])


_ROW = {
    "id": "319d6915-55c0-4977-a704-a8e0dcade3c4",
    "number": 7,
    "name": "count 7",
    "type": "COMMAND",
    "label": "jobs",
    "user": "ann",
    "status": "RUN",
    "status_label": "Running",
    "status_message": "",
    "progress": 40.0,
    "exit_code": None,
    "attempt": 1,
    "creation_time": "2026-01-31T14:00:00Z",
    "execute_time": "2026-01-31T14:00:01Z",
    "start_time": "2026-01-31T14:00:02Z",
    "completion_time": None,
    "description": "",
    "scheduler": "local:node1",
    "resources": {},
}
JOB = {
    **_ROW,
    "groups": ["lab"],
    "extended_properties": {},
    "timeout": 60,
    "properties": {"command": ["wc", "-l", "in.txt"], "shell": False},
    "wanted": None,
    "actions": ["stop", "pause", "delete"],
}
JOB_ANSWER = _answer("a job that runs", JOB, 200, 201, 202)
PAGE_ANSWER = _answer(
    "a page", {"next": "https://jobs.example.org/api/jobs/?before=7", "previous": None, "results": [_ROW]}
)
HISTORY_ANSWER = _answer(
    "one event",
    {
        "next": None,
        "results": [
            {
                "time": "2026-01-31T14:00:02Z",
                "attempt": 1,
                "old_status": "SUB",
                "new_status": "RUN",
                "status_label": "",
                "message": "",
                "source": "local",
            }
        ],
    },
)
LOGS_ANSWER = _answer(
    "two logs", {"attempt": 1, "results": [{"name": "stdout", "size": 11}, {"name": "stderr", "size": 0}]}
)
FILES_ANSWER = _answer(
    "one file", {"results": [{"name": "out/mean.txt", "size": 4, "modified": "2026-01-31T14:00:09Z"}]}
)
BULK_REQUEST = OpenApiExample(
    "all that failed", {"action": "resubmit", "filter": {"status": "failed"}}, request_only=True
)
BULK_ANSWER = _answer(
    "begun",
    {
        "id": "7a3c0c7e-28f5-4f1b-9f5c-0d7f7f3b2d11",
        "action": "resubmit",
        "created": "2026-01-31T14:00:00Z",
        "finished": None,
        "total": 120,
        "done": 0,
        "refused": 0,
    },
    202,
)
CHANGE_REQUEST = OpenApiExample("another name", {"name": "wind, north", "groups": ["lab"]}, request_only=True)
