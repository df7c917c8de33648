"""Calls of the API of taskscheduler without a login: it knows none."""

from urllib.parse import urlsplit

from django.core.checks import Error, register

from jobs.access import accounts
from jobs.conf import conf


class AccountLogin(accounts.AccountLogin):
    """As the account of `JOBS["TASKSCHEDULER_ACCOUNT"]`."""

    setting = "TASKSCHEDULER"


@register("jobs")
def check_account(app_configs, **kwargs):
    """Whoever lets people in without a login should know it."""
    return accounts.account_warnings("TASKSCHEDULER", "run commands on all agents", "jobs_schedules")


@register("jobs")
def check_servers(app_configs, **kwargs):
    """What `AVAILABLE_SERVERS` names has to be addresses."""
    return [
        Error(
            f"JOBS['AVAILABLE_SERVERS'] has {address!r}, which is no address of an agent.",
            hint="Give http://host:port or https://host:port, separated by commas.",
            id="jobs_schedules.E001",
        )
        for address in conf.AVAILABLE_SERVERS
        if not _is_address(address)
    ]


def _is_address(text: str) -> bool:
    try:
        place = urlsplit(text)
        return place.scheme in ("http", "https") and bool(place.hostname and place.port) and place.path in ("", "/")
    except ValueError:
        return False
