"""Model fields that the core needs and Django does not have."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.module_loading import import_string

from jobs.secret import Secret


def dotted_path(function) -> str:
    """The dotted path of a function, or the string itself.

    Raises:
        ValueError: a lambda, or a function inside another one: no other process could import it.
    """
    if not callable(function):
        return function or ""
    path = f"{function.__module__}.{function.__qualname__}"
    if "<" in path or function.__module__ == "__main__":
        raise ValueError(
            f"process_results_function: {path} cannot be imported by the process that runs it; "
            "use a function at the top level of a module"
        )
    return path


class _FunctionPath(DeferredAttribute):
    def __set__(self, instance, value):
        instance.__dict__[self.field.attname] = dotted_path(value)


class FunctionPathField(models.CharField):
    """A function of app code, kept as its dotted path; a function assigned to it is turned into that."""

    descriptor_class = _FunctionPath

    def validate(self, value, model_instance):
        super().validate(value, model_instance)
        if value:
            try:
                found = import_string(value)
            except ImportError as error:
                raise ValidationError(f"{self.name}: {value!r} cannot be imported: {error}") from error
            if not callable(found):
                raise ValidationError(f"{self.name}: {value!r} is not a function")


class _SecretText(DeferredAttribute):
    def __set__(self, instance, value):
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SecretField(models.TextField):
    """A secret, encrypted in the database; its value is a `jobs.secret.Secret`. A text assigned to it is encrypted.

    Forms and the admin leave it out by themselves (`editable=False`): they need a field that never shows the value.
    """

    descriptor_class = _SecretText
    ENCRYPTED = "encrypted:"
    """How a secret begins in a fixture, where it stays encrypted."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value, expression, connection):
        return Secret(value or "")

    def to_python(self, value):
        if isinstance(value, str) and value.startswith(self.ENCRYPTED):
            return Secret(value.removeprefix(self.ENCRYPTED))
        return value if isinstance(value, Secret) else Secret.of(value or "")

    def get_prep_value(self, value):
        return self.to_python(value).encrypted

    def value_to_string(self, obj):
        """For fixtures: as it is encrypted, never in the clear."""
        return self.ENCRYPTED + self.to_python(self.value_from_object(obj)).encrypted
