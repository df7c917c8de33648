"""What a caller of REST may say about a new FunctionJob."""

from rest_framework import exceptions, serializers

from jobs.functions.models import FunctionJob
from jobs.functions.permissions import ALL_FUNCTIONS, may_call
from jobs.functions.registry import UnknownFunction, get_function
from jobs.functions.signature import ArgumentsError
from jobs.serializers import LONGEST_TIMEOUT, JobSerializer, StrictText


class FunctionJobSerializer(JobSerializer):
    """A function of this site with arguments."""

    model = FunctionJob

    function = StrictText(help_text="Name of a function; /api/functions/ has those that you may run.")
    arguments = serializers.DictField(
        required=False, default=dict, help_text="By parameter; the function's `arguments` say what may be passed."
    )
    timeout = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TIMEOUT, required=False, allow_null=True, default=None, help_text="Seconds."
    )

    def validate_function(self, name: str) -> str:
        """Check that there is the function, and that the caller may run it."""
        try:
            function = get_function(name)
        except UnknownFunction as error:
            raise serializers.ValidationError(
                f"there is no function {name!r}; /api/functions/ has those that you may run"
            ) from error
        refuse_without_right(self.context["user"], function)
        return name

    def validate(self, attrs: dict) -> dict:
        """Check the arguments, each one at its name."""
        try:
            get_function(attrs["function"]).signature.read(attrs["arguments"])
        except ArgumentsError as error:
            problems = {name: [problem] for name, problem in error.problems.items()}
            raise serializers.ValidationError({"arguments": problems}) from error
        return attrs


def refuse_without_right(user, function) -> None:
    """Raise `PermissionDenied`, which says what is missing, where a person may not run a function."""
    if not may_call(user, function):
        raise exceptions.PermissionDenied(
            f"You may not run the function {function.name}; that needs the permission {function.permission}, or "
            f"{ALL_FUNCTIONS} for all of them. Staff can give it."
        )
