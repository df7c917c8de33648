"""Model fields that the core needs and Django does not have."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.module_loading import import_string


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
