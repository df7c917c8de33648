"""The API of taskscheduler in OpenAPI."""

from dataclasses import dataclass, field

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from jobs.schedules.agent.timetable import FORM


class AccountLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.schedules.taskscheduler.account.AccountLogin"
    name = ()

    def get_security_definition(self, auto_schema):
        return []

    def get_security_requirement(self, auto_schema):
        return {}


class NewScheduledTaskSerializer(serializers.Serializer):
    """What is to be run, and how often."""

    command = serializers.CharField(help_text="With signs of the shell in it, it is read by /bin/sh.")
    frequency = serializers.CharField(help_text=FORM)


class ScheduledTaskSerializer(serializers.Serializer):
    """The id of what was made."""

    command_id = serializers.UUIDField()


class OutputSerializer(serializers.Serializer):
    """Of one agent; what is empty is left out."""

    agent_id = serializers.UUIDField()
    stdout = serializers.CharField(required=False)
    stderr = serializers.CharField(required=False)


class LatestOutputSerializer(serializers.Serializer):
    """The latest outputs."""

    completion_time = serializers.DateTimeField(allow_null=True)
    outputs = OutputSerializer(many=True)


class CompletionSerializer(serializers.Serializer):
    """What came of an execution."""

    server_id = serializers.CharField(help_text="Of the agent: its id, or its name.")
    stdout = serializers.CharField(required=False, allow_blank=True)
    stderr = serializers.CharField(required=False, allow_blank=True)
    exit_code = serializers.IntegerField(required=False, default=0, min_value=-(2**31), max_value=2**31 - 1)
    execution_id = serializers.UUIDField(required=False)


class CompletedSerializer(serializers.Serializer):
    """Which execution that was."""

    execution_id = serializers.UUIDField()


class TaskSchedulerErrorSerializer(serializers.Serializer):
    """What is wrong, the field first."""

    error = serializers.CharField()
    code = serializers.CharField(required=False, help_text="Of a signed call: what its agent should do.")


@dataclass(frozen=True)
class Call:
    """What one call takes and answers.

    Attributes:
        answer: the serializer of the answer.
        request: of the body.
        errors: statuses beside 401, 403 and 429.
        examples: of both.
    """

    answer: type
    request: type | None = None
    errors: tuple[int, ...] = ()
    examples: list[OpenApiExample] = field(default_factory=list)


_ID = "322f0be6-d276-489f-89eb-7662c4517885"
_AGENT = "b0c2f0a2-93a7-4a51-8a3b-3f0f1f0b6a55"
CREATE = Call(
    ScheduledTaskSerializer,
    NewScheduledTaskSerializer,
    (400, 413, 415),
    [
        OpenApiExample("hello", {"command": "echo hello world", "frequency": "every 30 seconds"}, request_only=True),
        OpenApiExample("made", {"command_id": _ID}, response_only=True, status_codes=["200"]),
    ],
)
LATEST = Call(
    LatestOutputSerializer,
    None,
    (404,),
    [
        OpenApiExample(
            "hello",
            {
                "completion_time": "2026-11-27T12:00:30.012Z",
                "outputs": [{"agent_id": _AGENT, "stdout": "hello world\n"}],
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
)
COMPLETE = Call(
    CompletedSerializer,
    CompletionSerializer,
    (400, 404, 409, 413, 415),
    [OpenApiExample("hello", {"server_id": _AGENT, "stdout": "hello world\n"}, request_only=True)],
)
_WORDS = {
    400: ("A field is missing or wrong.", f"frequency: must be of the form '{FORM}', for example 'every 30 seconds'"),
    401: ("No login, or one that is not known.", "Name or password is wrong."),
    403: ("This account or token may not do that.", "ann may not run commands here; staff can permit it."),
    404: ("There is no such task or agent, or it is somebody else's.", "task_id: there is no such task"),
    409: ("Nothing is open that could be completed.", "no execution of the task is open on node7"),
    413: ("The body is larger than is taken.", "A body may have 10,000,000 bytes here."),
    415: ("The body is no JSON.", 'Unsupported media type "text/plain" in request.'),
    429: ("Too often; `Retry-After` says when again.", "Request was throttled."),
}


def call(operation: str, summary: str, what: Call):
    """Describe a method of a view."""
    errors = {
        status: OpenApiResponse(
            TaskSchedulerErrorSerializer,
            description=_WORDS[status][0],
            examples=[OpenApiExample(f"{status}", {"error": _WORDS[status][1]}, status_codes=[status])],
        )
        for status in sorted({401, 403, 429, *what.errors})
    }
    return extend_schema(
        operation_id=operation,
        summary=summary,
        request=what.request,
        responses={200: what.answer, **errors},
        examples=what.examples,
        tags=["taskscheduler"],
    )
