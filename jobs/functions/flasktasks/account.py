"""Calls of the API of flask-tasks without a login: its public tasks know none."""

from django.core.checks import register

from jobs.access import accounts


class AccountLogin(accounts.AccountLogin):
    """As the account of `JOBS["FLASKTASKS_ACCOUNT"]`."""

    setting = "FLASKTASKS"


@register("jobs")
def check_account(app_configs, **kwargs):
    """Whoever lets people in without a login should know it."""
    return accounts.account_warnings("FLASKTASKS", "run public functions by the API of flask-tasks", "jobs_functions")
