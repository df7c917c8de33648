"""Who may run which function: Django's permissions, one for each function that is not public, and one for all."""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from jobs.functions.registry import Function, functions

ALL_FUNCTIONS = "jobs_functions.call_functions"


def may_call(user, function: Function) -> bool:
    """Whether a person may run it."""
    if not user.is_authenticated or not user.is_active:
        return False
    return function.public or user.has_perm(ALL_FUNCTIONS) or user.has_perm(function.permission)


def callable_functions(user) -> list[Function]:
    """The functions that a person may run, by name."""
    return [function for function in functions() if may_call(user, function)]


def may_call_any(user) -> bool:
    """Whether there is a function that a person may run."""
    return any(may_call(user, function) for function in functions())


def make_permissions(**_) -> None:
    """Make the permission of every function that is not public; done after each migration."""
    from jobs.functions.models import FunctionJob

    kind = ContentType.objects.get_for_model(FunctionJob, for_concrete_model=False)
    for function in functions():
        if not function.public:
            codename = function.permission.partition(".")[2]
            name = f"Can run the function {function.name}"
            Permission.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
