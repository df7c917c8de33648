"""How the calls of agents are described in OpenAPI; in words, docs/reference/agent-protocol.md."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from jobs.schedules.agent.signing import SCHEME


class SignedByAgentScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.schedules.authority.SignedByAgent"
    name = "agent"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`{SCHEME} agent=…, session=…, counter=…, nonce=…, signature=…`: HMAC-SHA256 with the agent's key.",
        }


class CallRefusedSerializer(serializers.Serializer):
    """Why a call of an agent was refused."""

    detail = serializers.CharField()
    code = serializers.CharField(
        required=False, help_text="session: say hello; signature, removed: it is of no use to go on."
    )


class AgentEnrolSerializer(serializers.Serializer):
    """What an agent says to be let in."""

    token = serializers.CharField()
    key = serializers.CharField(help_text="64 hexadecimal digits that the agent has made.")
    name = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    version = serializers.CharField(required=False)
    host = serializers.CharField(required=False)
    system = serializers.CharField(required=False)


class AgentEnrolledSerializer(serializers.Serializer):
    """Who the agent is from now on."""

    agent = serializers.UUIDField()
    name = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())


class AgentHelloSerializer(serializers.Serializer):
    """Who wants a session."""

    agent = serializers.UUIDField()
    nonce = serializers.CharField()


class AgentSessionSerializer(serializers.Serializer):
    """A session."""

    session = serializers.CharField()
    now = serializers.IntegerField(help_text="Microseconds since 1970 by the site's clock.")
    proof = serializers.CharField(help_text="HMAC with the agent's key.")


class AgentSyncSerializer(serializers.Serializer):
    """How the agent is."""

    revision = serializers.IntegerField(help_text="Of the schedules that it has.")
    clock = serializers.IntegerField(required=False)
    version = serializers.CharField(required=False)
    host = serializers.CharField(required=False)
    system = serializers.CharField(required=False)
    account = serializers.CharField(required=False)
    folder = serializers.CharField(required=False)
    allowed = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    cores = serializers.IntegerField(required=False)
    load = serializers.FloatField(required=False)
    unsent = serializers.IntegerField(required=False)
    dropped = serializers.IntegerField(required=False)
    started = serializers.IntegerField(required=False)
    listens = serializers.CharField(required=False, allow_blank=True)
    running = serializers.DictField(child=serializers.UUIDField(), required=False)


class AgentOrdersSerializer(serializers.Serializer):
    """What it is to do."""

    now = serializers.IntegerField()
    poll = serializers.FloatField(help_text="Seconds until it is to ask again.")
    output_limit = serializers.IntegerField()
    revision = serializers.IntegerField()
    schedules = serializers.ListField(child=serializers.DictField(), required=False)
    run = serializers.ListField(child=serializers.DictField())
    stop = serializers.ListField(child=serializers.UUIDField())


class SaidExecutionSerializer(serializers.Serializer):
    """One execution, as its agent tells it."""

    id = serializers.UUIDField()
    schedule = serializers.UUIDField()
    due = serializers.IntegerField()
    state = serializers.CharField(help_text="running, ran, skipped or missed.")
    reason = serializers.CharField(required=False, allow_blank=True)
    started = serializers.IntegerField(required=False, allow_null=True)
    completed = serializers.IntegerField(required=False, allow_null=True)
    exit_code = serializers.IntegerField(required=False, allow_null=True)
    stdout = serializers.CharField(required=False, allow_blank=True)
    stderr = serializers.CharField(required=False, allow_blank=True)
    stdout_size = serializers.IntegerField(required=False)
    stderr_size = serializers.IntegerField(required=False)


class ExecutionsReportSerializer(serializers.Serializer):
    """What came of executions."""

    executions = SaidExecutionSerializer(many=True)


class ExecutionsTakenSerializer(serializers.Serializer):
    """What of it need not be said again."""

    accepted = serializers.ListField(child=serializers.UUIDField())
    refused = serializers.DictField(child=serializers.CharField())


def _call(operation: str, summary: str, request, answer, *, signed: bool, examples=()) -> dict:
    words = {
        400: "The body is none, or a field of it is wrong; it is named.",
        403: "Not known here, or removed.",
        413: "It is larger than is taken.",
        415: "No JSON.",
    }
    if signed:
        words[401] = "The signature is wrong, or the session is over."
    errors = {
        status: OpenApiResponse(CallRefusedSerializer, description=text) for status, text in sorted(words.items())
    }
    return {
        "operation_id": operation,
        "summary": summary,
        "request": request,
        "responses": {200: answer, **errors},
        "examples": list(examples),
        "tags": ["agents' calls"],
    }


_SCHEDULE = "6f1c7a52-6f0e-4e43-9d0e-1f9a4f6a1c11"
_EXECUTION = "0d4c3a7e-7c68-5d6a-8a1e-0f5d7a3f2b10"
ENROL = _call(
    "enrol_agent",
    "An agent is let in",
    AgentEnrolSerializer,
    AgentEnrolledSerializer,
    signed=False,
    examples=[
        OpenApiExample(
            "node7",
            {"token": "jobdeck-agent_…", "key": "…64 hexadecimal digits…", "name": "node7", "tags": ["gpu"]},
            request_only=True,
        )
    ],
)
HELLO = _call(
    "begin_session",
    "A session of an agent begins",
    AgentHelloSerializer,
    AgentSessionSerializer,
    signed=False,
    examples=[
        OpenApiExample(
            "node7",
            {"agent": "7a3c0c7e-28f5-4f1b-9f5c-0d7f7f3b2d11", "nonce": "5f0c1b7e9a3d4c2e8b6f7a1d0e9c3b5a"},
            request_only=True,
        )
    ],
)
SYNC = _call(
    "sync_agent",
    "What an agent is to run",
    AgentSyncSerializer,
    AgentOrdersSerializer,
    signed=True,
    examples=[OpenApiExample("nothing new", {"revision": 8, "unsent": 0, "running": {}}, request_only=True)],
)
REPORT = _call(
    "report_executions",
    "What came of executions",
    ExecutionsReportSerializer,
    ExecutionsTakenSerializer,
    signed=True,
    examples=[
        OpenApiExample(
            "one that ran",
            {
                "executions": [
                    {
                        "id": _EXECUTION,
                        "schedule": _SCHEDULE,
                        "due": 1732712345000000,
                        "state": "ran",
                        "started": 1732712345010000,
                        "completed": 1732712345900000,
                        "exit_code": 0,
                        "stdout": "hello world\n",
                        "stdout_size": 12,
                    }
                ]
            },
            request_only=True,
        )
    ],
)
