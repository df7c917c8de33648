"""What is answered about schedules and agents, as serializers: for the description only; `documents.py` makes the answers."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from jobs.schedules.api.documents import STATES


class ScheduleSerializer(serializers.Serializer):
    """All that is said of a schedule."""

    id = serializers.UUIDField()
    user = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    argv = serializers.ListField(child=serializers.CharField(allow_blank=True))
    shell = serializers.CharField(allow_blank=True)
    timeout = serializers.FloatField(allow_null=True)
    on_all = serializers.BooleanField()
    on_names = serializers.ListField(child=serializers.CharField())
    on_tags = serializers.ListField(child=serializers.CharField())
    job_type = serializers.CharField(allow_blank=True)
    job_values = serializers.DictField(help_text="To others than its author, without environment and attributes.")
    frequency = serializers.CharField()
    zone = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True)
    enabled = serializers.BooleanField()
    overlap = serializers.CharField(help_text="skip or run.")
    missed = serializers.CharField(help_text="once or none.")
    keep = serializers.IntegerField()
    created = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="Rises with each change.")
    next_due = serializers.DateTimeField(allow_null=True, help_text="None where it is paused or over.")


class ExecutionSerializer(serializers.Serializer):
    """An execution without its outputs."""

    id = serializers.UUIDField()
    schedule = serializers.UUIDField()
    agent = serializers.CharField(allow_null=True, help_text="None where the site itself starts a job.")
    agent_id = serializers.UUIDField(allow_null=True)
    due = serializers.DateTimeField()
    state = serializers.CharField(help_text="due, running, ran, skipped or missed.")
    outcome = serializers.CharField(help_text="The state, or late, or failed.")
    asked = serializers.BooleanField(help_text="A person wanted it to run now.")
    assumed = serializers.BooleanField(help_text="The site took it for missed; its agent may still say otherwise.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it was skipped, missed, ended or not started.")
    started = serializers.DateTimeField(allow_null=True)
    completed = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    exit_code = serializers.IntegerField(allow_null=True)
    stdout_size = serializers.IntegerField(help_text="Bytes, before it was cut.")
    stderr_size = serializers.IntegerField()
    reported = serializers.DateTimeField(allow_null=True, help_text="When its end came to be known.")
    stop_wanted = serializers.DateTimeField(allow_null=True)
    job = serializers.UUIDField(allow_null=True, help_text="That it started.")


class WholeExecutionSerializer(ExecutionSerializer):
    """An execution with its outputs."""

    stdout = serializers.CharField(allow_blank=True)
    stderr = serializers.CharField(allow_blank=True)


class ExecutionsMadeSerializer(serializers.Serializer):
    """What is due now."""

    executions = serializers.ListField(child=serializers.UUIDField())


class WholeExecutionsSerializer(serializers.Serializer):
    """Some executions with their outputs."""

    results = WholeExecutionSerializer(many=True)


class AgentSerializer(serializers.Serializer):
    """An agent: its name, and what it last said of itself."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    enrolled = serializers.DateTimeField()
    last_seen = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField(allow_blank=True)
    host = serializers.CharField(allow_blank=True)
    system = serializers.CharField(allow_blank=True)
    account = serializers.CharField(allow_blank=True, help_text="Who its commands run as.")
    folder = serializers.CharField(allow_blank=True, help_text="Where they run.")
    allowed = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="The only commands that it runs; none: any."
    )
    cores = serializers.IntegerField(allow_null=True)
    load = serializers.FloatField(allow_null=True)
    running = serializers.IntegerField()
    unsent = serializers.IntegerField(help_text="Executions that it has yet to report.")
    dropped = serializers.IntegerField(help_text="Outputs that it had no room for.")
    started = serializers.DateTimeField(allow_null=True)
    clock_difference = serializers.FloatField(
        allow_null=True, help_text="Seconds that its host's clock is ahead of the site's."
    )
    address = serializers.CharField(allow_blank=True, help_text="Where it listens, if the site has met it there.")
    refused = serializers.IntegerField(help_text="Calls in its name that were refused.")
    refused_time = serializers.DateTimeField(allow_null=True)
    refused_reason = serializers.CharField(allow_blank=True)
    silent = serializers.BooleanField(help_text="It has given no sign of life lately.")
    wrong_clock = serializers.BooleanField()
    up_to_date = serializers.BooleanField(help_text="It has its newest schedules.")


class EnrolTokenSerializer(serializers.Serializer):
    """A token that lets one agent in, once."""

    id = serializers.IntegerField()
    ending = serializers.CharField(help_text="The last four signs of its text.")
    name = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    made_by = serializers.CharField(allow_null=True)
    created = serializers.DateTimeField()
    expires = serializers.DateTimeField()
    used = serializers.DateTimeField(allow_null=True)
    agent = serializers.UUIDField(allow_null=True, help_text="That it let in.")


class NewEnrolTokenSerializer(EnrolTokenSerializer):
    """A new one, with its text."""

    token = serializers.CharField(help_text="Shown this once.")


class _PageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class SchedulePageSerializer(_PageSerializer):
    """A page of schedules."""

    results = ScheduleSerializer(many=True)


class ExecutionPageSerializer(_PageSerializer):
    """A page of executions."""

    results = ExecutionSerializer(many=True)


class AgentPageSerializer(_PageSerializer):
    """A page of agents."""

    results = AgentSerializer(many=True)


class EnrolTokenPageSerializer(_PageSerializer):
    """A page of tokens."""

    results = EnrolTokenSerializer(many=True)


def _query(name: str, about: str, kind=OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=about)


PAGES = [
    _query("before", "From 'next' and 'previous'."),
    _query("after", "From 'next' and 'previous'."),
    _query("page_size", "1 to 200.", OpenApiTypes.INT),
]
SCHEDULES = [
    _query("text", "A part of the name."),
    _query("enabled", "true: those that are not paused.", OpenApiTypes.BOOL),
    _query("own", "true: without those of others, which staff sees.", OpenApiTypes.BOOL),
    _query("user", "Only those of the account of that name."),
    *PAGES,
]
EXECUTIONS = [
    _query("agent", "The name of an agent."),
    _query("state", f"Of {', '.join(STATES)}, with commas between."),
    _query("since", "Due from then on: a moment with its time zone, such as 2026-01-31T14:00:00Z."),
    _query("until", "Due before it."),
    *PAGES,
]
AGENTS = [_query("text", "A part of the name."), *PAGES]


def _asked(name: str, value: dict) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _answer(name: str, value: dict, *statuses: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[f"{status}" for status in statuses or (200,)])


def _page(row: dict) -> dict:
    return {"next": None, "previous": None, "results": [row]}


_SCHEDULE = {
    "id": "6f1c7a52-6f0e-4e43-9d0e-1f9a4f6a1c11",
    "user": "ann",
    "name": "disk space",
    "description": "",
    "argv": ["df", "-h", "/srv"],
    "shell": "",
    "timeout": 60.0,
    "on_all": False,
    "on_names": [],
    "on_tags": ["storage"],
    "job_type": "",
    "job_values": {},
    "frequency": "every 10 minutes",
    "zone": "UTC",
    "start": "2026-01-31T14:00:00Z",
    "end": None,
    "enabled": True,
    "overlap": "skip",
    "missed": "once",
    "keep": 100,
    "created": "2026-01-31T14:00:00Z",
    "version": 1,
    "next_due": "2026-01-31T14:10:00Z",
}
_EXECUTION = {
    "id": "0d4c3a7e-7c68-5d6a-8a1e-0f5d7a3f2b10",
    "schedule": _SCHEDULE["id"],
    "agent": "node7",
    "agent_id": "7a3c0c7e-28f5-4f1b-9f5c-0d7f7f3b2d11",
    "due": "2026-01-31T14:10:00Z",
    "state": "ran",
    "outcome": "ran",
    "asked": False,
    "assumed": False,
    "reason": "",
    "started": "2026-01-31T14:10:00.010000Z",
    "completed": "2026-01-31T14:10:00.900000Z",
    "seconds": 0.89,
    "exit_code": 0,
    "stdout_size": 12,
    "stderr_size": 0,
    "reported": "2026-01-31T14:10:01Z",
    "stop_wanted": None,
    "job": None,
}
_WHOLE = {**_EXECUTION, "stdout": "hello world\n", "stderr": ""}
_AGENT = {
    "id": _EXECUTION["agent_id"],
    "name": "node7",
    "tags": ["storage"],
    "enrolled": "2026-01-30T09:00:00Z",
    "last_seen": "2026-01-31T14:10:01Z",
    "version": "1",
    "host": "node7.example.org",
    "system": "Linux 6.1",
    "account": "jobs",
    "folder": "/srv/agent/work",
    "allowed": None,
    "cores": 8,
    "load": 0.4,
    "running": 0,
    "unsent": 0,
    "dropped": 0,
    "started": "2026-01-30T09:00:00Z",
    "clock_difference": 0.002,
    "address": "",
    "refused": 0,
    "refused_time": None,
    "refused_reason": "",
    "silent": False,
    "wrong_clock": False,
    "up_to_date": True,
}
_TOKEN = {
    "id": 3,
    "ending": "x9Qa",
    "name": "node7",
    "tags": ["storage"],
    "made_by": "ann",
    "created": "2026-01-30T08:59:00Z",
    "expires": "2026-01-31T08:59:00Z",
    "used": None,
    "agent": None,
}
SCHEDULE_ANSWER = _answer("a schedule", _SCHEDULE, 200, 201)
SCHEDULES_ANSWER = _answer("a page of schedules", _page(_SCHEDULE))
NEW_COMMAND = _asked(
    "a command",
    {"name": "disk space", "argv": ["df", "-h", "/srv"], "frequency": "every 10 minutes", "on_tags": ["storage"]},
)
NEW_JOB_SCHEDULE = _asked(
    "a job",
    {
        "name": "nightly count",
        "job_type": "COMMAND",
        "job_values": {"command": ["wc", "-l", "in.txt"]},
        "frequency": "0 3 * * 1-5",
        "zone": "Europe/Berlin",
    },
)
CHANGED_SCHEDULE = _asked("more often", {"frequency": "every 5 minutes"})
RUN_NOW = _asked("on one agent", {"agents": ["node7"]})
EXECUTIONS_MADE = _answer("one that is due", {"executions": [_EXECUTION["id"]]}, 202)
EXECUTIONS_ANSWER = _answer("a page of executions", _page(_EXECUTION))
EXECUTION_ANSWER = _answer("an execution", _WHOLE, 200, 202)
LATEST_ANSWER = _answer("on one agent", {"results": [_WHOLE]})
AGENT_ANSWER = _answer("an agent", _AGENT)
AGENTS_ANSWER = _answer("a page of agents", _page(_AGENT))
CHANGED_AGENT = _asked("other tags", {"tags": ["storage", "gpu"]})
NEW_ENROL_TOKEN = _asked("for node7", {"name": "node7", "tags": ["storage"]})
ENROL_TOKEN_MADE = _answer("with its text", {**_TOKEN, "token": "jobdeck-agent_…x9Qa"}, 201)
ENROL_TOKENS_ANSWER = _answer("a page of tokens", _page(_TOKEN))
