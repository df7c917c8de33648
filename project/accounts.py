"""The account `demo` of a first start: a known password where only this machine can log in, else a random one."""

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from jobs.functions.permissions import ALL_FUNCTIONS
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.access import MANAGE_AGENTS

NAME = "demo"
KNOWN_PASSWORD = "demo"  # noqa: S105 - known to all on purpose; see below where it is used


def make_demo_account(*, private: bool):
    """Make the account of a first start: it may run commands and all functions, and manage agents; it is no staff.

    Args:
        private: only this machine can reach the site.

    Returns:
        The user and the password.
    """
    password = KNOWN_PASSWORD if private else secrets.token_urlsafe(12)
    user = get_user_model().objects.create_user(NAME, password=password)
    for right in (RUN_COMMANDS, ALL_FUNCTIONS, MANAGE_AGENTS):
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user, password


def withdraw_known_password() -> str:
    """Give the account a random password if it still has the known one.

    Returns:
        The new password; empty if there was nothing to do.
    """
    user = get_user_model().objects.filter(username=NAME).first()
    if user is None or not user.check_password(KNOWN_PASSWORD):
        return ""
    password = secrets.token_urlsafe(12)
    user.set_password(password)  # ends the sessions that began with the old one, too
    user.save(update_fields=["password"])
    return password
