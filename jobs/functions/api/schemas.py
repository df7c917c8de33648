"""What REST of functions answers, as serializers: for the description only."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers


class FunctionSerializer(serializers.Serializer):
    """A function."""

    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    public = serializers.BooleanField(help_text="Every account may run it.")
    queue = serializers.CharField()
    time_limit = serializers.FloatField(allow_null=True, help_text="Seconds that one try may take.")
    retries = serializers.IntegerField(help_text="Tries after the first that fails.")
    idempotent = serializers.BooleanField(help_text="It is run again where its worker dies.")
    fingerprint = serializers.CharField(help_text="Of its version: a worker needs the same.")
    workers = serializers.IntegerField(help_text="How many that are alive could take it now.")
    arguments = serializers.DictField(help_text="JSON schema of what may be passed.")


class FunctionListSerializer(serializers.Serializer):
    """The functions that the caller may run."""

    results = FunctionSerializer(many=True)


class RunningCallSerializer(serializers.Serializer):
    """What a worker runs now."""

    job = serializers.UUIDField()
    name = serializers.CharField()
    function = serializers.CharField()
    started = serializers.DateTimeField(allow_null=True)


class FunctionWorkerSerializer(serializers.Serializer):
    """A worker for functions."""

    name = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    queues = serializers.ListField(child=serializers.CharField())
    pool = serializers.CharField(help_text="prefork or threads.")
    concurrency = serializers.IntegerField(help_text="Calls at once.")
    alive = serializers.BooleanField()
    leaving = serializers.BooleanField(help_text="It takes no more, and ends when what it runs has ended.")
    started = serializers.DateTimeField()
    time = serializers.DateTimeField(help_text="Last sign of life.")
    functions = serializers.ListField(child=serializers.CharField(), help_text="In the version of this site.")
    other_versions = serializers.ListField(child=serializers.CharField(), help_text="In another version.")
    running = RunningCallSerializer(many=True)


class FunctionWorkersSerializer(serializers.Serializer):
    """All of them."""

    results = FunctionWorkerSerializer(many=True)


class FunctionCallSerializer(serializers.Serializer):
    """A job's function in its current attempt."""

    function = serializers.CharField()
    arguments = serializers.DictField()
    queue = serializers.CharField(allow_null=True, help_text="None before it is submitted, as for the next three.")
    fingerprint = serializers.CharField(allow_null=True, help_text="Of the version that it was submitted with.")
    tries = serializers.IntegerField(allow_null=True, help_text="How often a worker took it.")
    worker = serializers.CharField(allow_null=True, help_text="That runs it now.")
    has_result = serializers.BooleanField()
    result_size = serializers.IntegerField(allow_null=True, help_text="Bytes of JSON.")


RESULT = {(200, "application/json"): OpenApiTypes.ANY}


def _answer(name: str, value) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=["200"])


ADD = {
    "name": "add",
    "description": "The sum of two whole numbers.",
    "public": True,
    "queue": "default",
    "time_limit": None,
    "retries": 0,
    "idempotent": False,
    "fingerprint": "0c5a3a5b1f6f2d4e",
    "workers": 2,
    "arguments": {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
        "required": ["x", "y"],
        "additionalProperties": False,
    },
}
FUNCTION_ANSWER = _answer("a function", ADD)
FUNCTIONS_ANSWER = _answer("one function", {"results": [ADD]})
WORKERS_ANSWER = _answer(
    "one worker",
    {
        "results": [
            {
                "name": "node1:4711",
                "host": "node1",
                "pid": 4711,
                "queues": ["default"],
                "pool": "prefork",
                "concurrency": 2,
                "alive": True,
                "leaving": False,
                "started": "2026-01-31T14:00:00Z",
                "time": "2026-01-31T15:00:00Z",
                "functions": ["add"],
                "other_versions": [],
                "running": [
                    {
                        "job": "319d6915-55c0-4977-a704-a8e0dcade3c4",
                        "name": "add-7",
                        "function": "add",
                        "started": "2026-01-31T14:59:58Z",
                    }
                ],
            }
        ]
    },
)
CALL_ANSWER = _answer(
    "a function that has returned",
    {
        "function": "add",
        "arguments": {"x": 2, "y": 3},
        "queue": "default",
        "fingerprint": "0c5a3a5b1f6f2d4e",
        "tries": 1,
        "worker": None,
        "has_result": True,
        "result_size": 1,
    },
)
RESULT_ANSWER = _answer("a sum", 5)
