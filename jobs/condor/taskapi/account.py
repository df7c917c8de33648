"""Calls of the task API without a login: seed 000 knows none."""

from django.core.checks import register

from jobs.access import accounts


class AccountLogin(accounts.AccountLogin):
    """As the account of `JOBS["TASKAPI_ACCOUNT"]`."""

    setting = "TASKAPI"


@register("jobs")
def check_account(app_configs, **kwargs):
    """Whoever lets people in without a login should know it."""
    return accounts.account_warnings("TASKAPI", "run commands by the task API", "jobs_condor")
