"""What a caller of REST may say about a new job: the base of each type's serializer; see `JobType.serializer`."""

from django.contrib.auth.models import Group
from rest_framework import serializers

from jobs.errors import JobError
from jobs.manager import JobManager
from jobs.models import BasicJob, Job

LABEL = "jobs"
"""Of jobs that no app made."""
LONGEST_TIMEOUT = 2_147_483_647


class StrictText(serializers.CharField):
    """A text, and nothing that could be made one."""

    def to_internal_value(self, data) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"must be a text, not {type(data).__name__}")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer):
    """One that refuses what it does not know, by its name."""

    unknown = "is not known here; known are {known}"

    def to_internal_value(self, data):
        if isinstance(data, dict) and (names := sorted(set(data) - set(self.fields))):
            message = self.unknown.format(known=", ".join(self.fields))
            raise serializers.ValidationError({name: [message] for name in names})
        return super().to_internal_value(data)


class JobSerializer(StrictSerializer):
    """What can be said about every job. A type's own has its own fields beside, `model`, and perhaps `attributes`.

    The context needs `user`, whose job it becomes.
    """

    model: type[Job] = BasicJob
    field_of: dict[str, str] = {}
    """Where messages about attributes belong that have no field of the same name."""

    name = StrictText(max_length=255, help_text="Yours for this job only; {id} becomes its number.")
    description = StrictText(max_length=2048, required=False, allow_blank=True, default="")
    groups = serializers.ListField(
        child=StrictText(max_length=150), required=False, help_text="Groups of yours whose members see it, by name."
    )
    extended_properties = serializers.DictField(required=False, help_text="Whatever you want to keep with it.")

    def validate_groups(self, names: list[str]) -> list[Group]:
        found = {group.name: group for group in self.context["user"].groups.filter(name__in=names)}
        missing = [name for name in names if name not in found]
        if missing:
            raise serializers.ValidationError(f"you are in no group called {', '.join(missing)}")
        return list(found.values())

    def attributes(self, values: dict) -> dict:
        """The attributes of the model, of what the caller said; `name` and `groups` are taken out already."""
        return values

    def create(self, validated_data: dict) -> Job:
        """Make the job, pending.

        Raises:
            ValidationError: by field, what is wrong with it.
            NameTaken: the caller has a job of that name.
        """
        values = dict(validated_data)
        name, groups = values.pop("name"), values.pop("groups", None)
        try:
            return JobManager(LABEL).create_job(
                name, self.context["user"], self.model, groups=groups, **self.attributes(values)
            )
        except JobError as error:
            field, colon, text = str(error).partition(": ")
            if not isinstance(error, ValueError | TypeError) or not colon:
                raise
            if type(error).__name__ == "NameTaken":
                raise
            raise serializers.ValidationError({self.field_of.get(field, field): [text]}) from error


class BasicJobSerializer(JobSerializer):
    """A job that its callback, the API or app code moves."""
