"""Calls without a login, for dialects that know none: a setting names the account that they are made as."""

import ipaddress

from django.contrib.auth import get_user_model
from django.core.checks import Warning
from rest_framework.authentication import BaseAuthentication

from jobs.conf import conf


class AccountLogin(BaseAuthentication):
    """Takes whoever does not log in for an account, if the call comes from this machine.

    A dialect subclasses it and names its `setting`: `JOBS["<setting>_ACCOUNT"]` is the account, and with
    `JOBS["<setting>_ANYWHERE"]` calls from everywhere are taken.
    """

    setting = ""

    def authenticate(self, request):
        name = getattr(conf, f"{self.setting}_ACCOUNT")
        if not name or "Authorization" in request.headers:
            return None
        if not (getattr(conf, f"{self.setting}_ANYWHERE") or _is_here(request)):
            return None
        model = get_user_model()
        user = model._default_manager.filter(**{model.USERNAME_FIELD: name}, is_active=True).first()
        return (user, None) if user is not None else None


def _is_here(request) -> bool:
    """Whether it comes from this machine and through no proxy, behind which anybody might be."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def account_warnings(setting: str, may: str, app_label: str) -> list[Warning]:
    """What a system check says where people are let in without a login.

    Args:
        setting: as in `AccountLogin`.
        may: what they may do, and by which API.
        app_label: of the ids: `W001` for everybody, `W002` for this machine.
    """
    account = getattr(conf, f"{setting}_ACCOUNT")
    if not account:
        return []
    if getattr(conf, f"{setting}_ANYWHERE"):
        return [
            Warning(
                f"Whoever reaches this site may {may} as {account}, without a login.",
                hint=f"JOBS['{setting}_ANYWHERE'] = False has it so for this machine only; an empty {setting}_ACCOUNT "
                "for nobody.",
                id=f"{app_label}.W001",
            )
        ]
    return [
        Warning(
            f"Every account of this machine may {may} as {account}, without a login.",
            hint=f"JOBS['{setting}_ACCOUNT'] = '' asks everybody for a login.",
            id=f"{app_label}.W002",
        )
    ]
