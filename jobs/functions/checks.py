"""System checks: functions that could not be loaded, keys that are none."""

from django.core.checks import Error, Warning, register

from jobs.conf import conf
from jobs.functions.flasktasks.keys import NoKeys, private_key, public_key
from jobs.functions.registry import broken


@register("jobs")
def check_entry_points(app_configs, **kwargs):
    """Every entry point of the group `jobdeck.functions` can be loaded."""
    return [
        Error(
            f"The entry point {entry} of the group jobdeck.functions cannot be loaded: {error}",
            hint="Mend or uninstall the package; its functions are not there.",
            id="jobs_functions.E001",
        )
        for entry, error in broken.items()
    ]


@register("jobs")
def check_keys(app_configs, **kwargs):
    """The keys in the settings that sign the tokens of the API of flask-tasks are keys, and a pair."""
    trouble = ""
    try:
        if conf.JWT_PUBLIC_PEM:
            public_key()
        if conf.JWT_PRIVATE_PEM and private_key().public_key() != public_key():
            trouble = "JWT_PRIVATE_PEM and JWT_PUBLIC_PEM are no pair"
    except NoKeys as error:
        trouble = str(error)
    if not trouble:
        return []
    return [
        Warning(
            f"{trouble}: no token is any good that is made here.",
            hint="Set both to the two halves of one RSA key, or neither: then 'manage.py jwt_keys' makes them.",
            id="jobs_functions.W003",
        )
    ]
