"""What REST of farm runs takes and answers."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from jobs.farm.handout import MOST_AT_ONCE
from jobs.farm.restarting import WHAT
from jobs.serializers import StrictSerializer, StrictText

LONGEST_WAIT = 25
"""Seconds; proxies give up after thirty."""
TASK_STATES = ("computing", "done", "failed", "waiting")


# --- taken


class Number(serializers.FloatField):
    """A number, and nothing that could be made one."""

    def to_internal_value(self, data) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(f"must be a number, not {type(data).__name__}")
        try:
            return super().to_internal_value(data)
        except OverflowError as error:
            raise serializers.ValidationError("is larger than any number that is taken") from error


class WorkerSerializer(StrictSerializer):
    """The worker that asks."""

    uuid = StrictText(max_length=64, help_text="As it calls itself; another one for each process.")
    hostname = StrictText(max_length=255)
    pid = serializers.IntegerField(min_value=0, max_value=2**62)


class CheckOutSerializer(StrictSerializer):
    """What a worker wants."""

    worker = WorkerSerializer()
    count = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE, default=1)
    wait = Number(
        min_value=0, max_value=LONGEST_WAIT, default=0, help_text="Seconds to wait for a task where none waits."
    )
    token = serializers.RegexField(
        r"^[0-9a-f]{32}$",
        required=False,
        help_text="A token of the worker's own making for what it gets, 32 hexadecimal digits, never used before.",
        error_messages={"invalid": "must be 32 hexadecimal digits in small letters"},
    )
    again = serializers.BooleanField(default=False, help_text="The answer to the same call was lost.")


class SaidSerializer(StrictSerializer):
    """What is said about one task."""

    number = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    token = StrictText(max_length=32)
    state = serializers.ChoiceField(TASK_STATES, default="computing")
    percent = Number(min_value=0, max_value=100, required=False)
    result = serializers.JSONField(required=False)
    message = StrictText(max_length=10_000, required=False, allow_blank=True)


class ReportSerializer(StrictSerializer):
    """What a worker says about its tasks."""

    tasks = SaidSerializer(many=True, allow_empty=False, max_length=MOST_AT_ONCE)


class RestartSerializer(StrictSerializer):
    """Which tasks are to be computed again."""

    what = serializers.ChoiceField(WHAT)


class ParticipantsSerializer(StrictSerializer):
    """Who may work on the run beside its owner."""

    participants = serializers.ListField(child=StrictText(max_length=150), max_length=1000, help_text="By their names.")


# --- answered


class FarmRunStateSerializer(serializers.Serializer):
    """How far a run is."""

    num_tasks = serializers.IntegerField()
    lease_seconds = serializers.IntegerField(allow_null=True)
    max_tries = serializers.IntegerField()
    participants = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField(help_text="new, open, paused, stopped or ended.")
    waiting = serializers.IntegerField()
    computing = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    percent = serializers.FloatField()
    rate = serializers.FloatField(help_text="Tasks per second.")
    eta = serializers.FloatField(allow_null=True, help_text="Seconds until its end, at that rate.")
    as_of = serializers.DateTimeField(allow_null=True, help_text="When that was so; none for now.")


class HandedOutTaskSerializer(serializers.Serializer):
    """A task that the worker has now."""

    number = serializers.IntegerField()
    tries = serializers.IntegerField(help_text="Times that it was handed out.")
    percent = serializers.FloatField(help_text="How far another worker came with it.")
    token = serializers.CharField()
    expires = serializers.DateTimeField(allow_null=True, help_text="When it is lost unless the worker is heard of.")
    input = serializers.JSONField(allow_null=True)
    input_files = serializers.ListField(child=serializers.CharField())


class HandedOutSerializer(serializers.Serializer):
    """What a worker gets."""

    tasks = HandedOutTaskSerializer(many=True)
    state = serializers.CharField(
        help_text="Of the run; without tasks, and stopped or ended, the worker's work is over."
    )
    lease_seconds = serializers.IntegerField(allow_null=True)
    retry_after = serializers.FloatField(help_text="Seconds.")


class ReportedSerializer(serializers.Serializer):
    """What became of a report."""

    taken = serializers.ListField(child=serializers.IntegerField())
    lost = serializers.ListField(child=serializers.IntegerField())
    state = serializers.CharField()


class FarmTaskSerializer(serializers.Serializer):
    """A task."""

    number = serializers.IntegerField()
    state = serializers.CharField(help_text="waiting, computing, done or failed.")
    percent = serializers.FloatField()
    tries = serializers.IntegerField()
    message = serializers.CharField()
    started = serializers.DateTimeField(allow_null=True)
    updated = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)
    worker = serializers.CharField(allow_null=True)
    result = serializers.JSONField(allow_null=True)


class FarmTasksSerializer(serializers.Serializer):
    """A page of tasks."""

    results = FarmTaskSerializer(many=True)
    next = serializers.IntegerField(allow_null=True)


class FarmTaskDetailSerializer(FarmTaskSerializer):
    """A task with what belongs to it."""

    input = serializers.JSONField(allow_null=True)
    input_files = serializers.ListField(child=serializers.CharField())
    files = serializers.ListField(child=serializers.CharField())


class FarmWorkerSerializer(serializers.Serializer):
    """A worker."""

    uuid = serializers.CharField()
    hostname = serializers.CharField()
    pid = serializers.IntegerField()
    started = serializers.DateTimeField()
    seen = serializers.DateTimeField(help_text="Last sign of life.")
    done = serializers.IntegerField(help_text="Tasks that it has ended in this run.")


class FarmWorkersSerializer(serializers.Serializer):
    """The workers of a run."""

    results = FarmWorkerSerializer(many=True)


class TaskFileSerializer(serializers.Serializer):
    """A file that was taken."""

    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


BYTES = {"application/octet-stream": OpenApiTypes.BINARY}
FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
JSONL = {(200, "application/x-ndjson"): OpenApiTypes.STR}
CSV = {(200, "text/csv"): OpenApiTypes.STR}
TOKEN = OpenApiParameter("X-Task-Token", str, OpenApiParameter.HEADER, required=True, description="The task's token.")
EXACT = OpenApiParameter("exact", str, description="With any value: counted now.")
TASKS = [
    OpenApiParameter("state", str, enum=TASK_STATES, description="Only those."),
    OpenApiParameter("after", int, description="Only those with a higher number."),
    OpenApiParameter("limit", int, description="So many at most; 1000 without it, and no more."),
]


def _sent(name: str, value) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _answer(name: str, value) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=["200"])


_FENCE = "0b2f7a6d9c3e48b1a7d5e0c1f2a3b4c5"
CHECK_OUT = _sent("two tasks", {"worker": {"uuid": "3f2a", "hostname": "node1", "pid": 4711}, "count": 2, "wait": 20})
CHECKED_OUT = _answer(
    "a task",
    {
        "tasks": [
            {
                "number": 7,
                "tries": 1,
                "percent": 0.0,
                "token": _FENCE,
                "expires": "2026-01-31T15:00:30Z",
                "input": {"wind": 3.5},
                "input_files": [],
            }
        ],
        "state": "open",
        "lease_seconds": 30,
        "retry_after": 0,
    },
)
REPORT = _sent(
    "one is done, one goes on",
    {
        "tasks": [
            {"number": 7, "token": _FENCE, "state": "done", "result": {"power": 12.5}},
            {"number": 8, "token": _FENCE, "percent": 40},
        ]
    },
)
REPORTED = _answer("both taken", {"taken": [7, 8], "lost": [], "state": "open"})
RESTART = _sent("those that failed", {"what": "failed"})
PARTICIPANTS = _sent("two others", {"participants": ["bob", "cleo"]})
RUN_ANSWER = _answer(
    "half way",
    {
        "num_tasks": 100,
        "lease_seconds": 30,
        "max_tries": 3,
        "participants": ["bob"],
        "state": "open",
        "waiting": 46,
        "computing": 4,
        "done": 49,
        "failed": 1,
        "percent": 51.5,
        "rate": 0.5,
        "eta": 100.0,
        "as_of": "2026-01-31T15:00:00Z",
    },
)
_TASK = {
    "number": 7,
    "state": "done",
    "percent": 100.0,
    "tries": 1,
    "message": "",
    "started": "2026-01-31T14:59:00Z",
    "updated": "2026-01-31T15:00:00Z",
    "finished": "2026-01-31T15:00:00Z",
    "worker": "node1:4711",
    "result": {"power": 12.5},
}
TASKS_ANSWER = _answer("one task", {"results": [_TASK], "next": None})
TASK_ANSWER = _answer("a task", {**_TASK, "input": {"wind": 3.5}, "input_files": [], "files": ["map.png"]})
WORKERS_ANSWER = _answer(
    "one worker",
    {
        "results": [
            {
                "uuid": "3f2a",
                "hostname": "node1",
                "pid": 4711,
                "started": "2026-01-31T14:00:00Z",
                "seen": "2026-01-31T15:00:00Z",
                "done": 49,
            }
        ]
    },
)
