"""What a caller of REST may say about a new FarmRun."""

from rest_framework import serializers

from jobs.farm.access import accounts_called
from jobs.farm.models import LONGEST_LEASE, MOST_TASKS, MOST_TRIES, FarmRun
from jobs.serializers import JobSerializer, StrictText


class FarmRunSerializer(JobSerializer):
    """A run of numbered tasks."""

    model = FarmRun

    num_tasks = serializers.IntegerField(
        min_value=1, max_value=MOST_TASKS, required=False, help_text="Numbered from 0; left out, as many as inputs."
    )
    inputs = serializers.ListField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        max_length=MOST_TASKS,
        help_text="What each task starts from, JSON.",
    )
    lease_seconds = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_LEASE,
        required=False,
        allow_null=True,
        default=None,
        help_text="Seconds after which a silent worker loses its task; null for never.",
    )
    max_tries = serializers.IntegerField(
        min_value=1, max_value=MOST_TRIES, required=False, default=3, help_text="With a lease: before it has failed."
    )
    participants = serializers.ListField(
        child=StrictText(max_length=150), required=False, default=list, help_text="Who else may work on it, by name."
    )

    def validate(self, attrs: dict) -> dict:
        """Check that it is said how many tasks there are."""
        if "num_tasks" not in attrs and not attrs.get("inputs"):
            raise serializers.ValidationError(
                {"num_tasks": ["say how many tasks there are, or give an input for each"]}
            )
        return attrs

    def validate_participants(self, names: list[str]) -> list:
        found, missing = accounts_called(names)
        if missing:
            raise serializers.ValidationError(f"there is no account called {', '.join(missing)}")
        return found

    def create(self, validated_data: dict) -> FarmRun:
        """Make the run, pending, and name who may work on it."""
        people = validated_data.pop("participants", [])
        run = super().create(validated_data)
        run.participants.set(people)
        return run
