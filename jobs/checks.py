"""System checks: what is set up in a way that cannot work."""

import sqlite3

from django.core.checks import Error, Warning, register
from django.db import connections

from jobs.conf import DEFAULTS, conf
from jobs.status import Status

OLDEST_SQLITE = (3, 35)
"""UPDATE … FROM (3.33) and RETURNING (3.35), https://www.sqlite.org/lang_returning.html"""


@register("jobs")
def check_settings(app_configs, **kwargs):
    """JOBS has only known keys, custom statuses have a base, and a sweep comes at least once a second."""
    from django.conf import settings

    found = [
        Error(f"JOBS[{key!r}] is not a setting of Jobdeck; it knows {', '.join(sorted(DEFAULTS))}.", id="jobs.E001")
        for key in getattr(settings, "JOBS", {})
        if key not in DEFAULTS
    ]
    found += [
        Error(f"JOBS['CUSTOM_STATUSES'][{label!r}] is {base!r}, which is no status code.", id="jobs.E002")
        for label, base in conf.CUSTOM_STATUSES.items()
        if base not in Status.values
    ]
    if not 0 < conf.SWEEP_INTERVAL <= 1:
        found.append(Error("JOBS['SWEEP_INTERVAL'] must be above 0 and at most 1 second.", id="jobs.E003"))
    return found


@register("jobs")
def check_database(app_configs, **kwargs):
    """The database is one that the transition function speaks, set up so that writers wait for each other."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        return []
    if connection.vendor != "sqlite":
        return [Error(f"Jobdeck runs on PostgreSQL or SQLite, not on {connection.vendor}.", id="jobs.E004")]
    found = []
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        found.append(Error(f"SQLite {sqlite3.sqlite_version} is too old; Jobdeck needs 3.35.", id="jobs.E005"))
    if connection.settings_dict.get("OPTIONS", {}).get("transaction_mode", "").upper() != "IMMEDIATE":
        found.append(
            Warning(
                "SQLite transactions are not immediate: under load writers fail with 'database is locked'.",
                hint="DATABASES['default']['OPTIONS'] = {'transaction_mode': 'IMMEDIATE', 'timeout': 60, "
                "'init_command': 'PRAGMA journal_mode=WAL'}",
                id="jobs.W001",
            )
        )
    return found
