"""System checks: what is set up in a way that cannot work is said before it does not."""

import pytest
from django.core.checks import run_checks
from django.db import connections


@pytest.fixture
def found(settings):
    """A function that gives the ids of what the checks find with these settings of Jobdeck."""

    def run(**changed) -> list[str]:
        settings.JOBS = {**settings.JOBS, **changed}
        return [message.id for message in run_checks(tags=["jobs"])]

    return run


def test_the_settings_of_the_tests_are_in_order(found):
    assert found() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"DATA_DIRR": "x"}, "jobs.E001"),
        ({"CUSTOM_STATUSES": {"Calibrating": "RUNNING"}}, "jobs.E002"),
        ({"SWEEP_INTERVAL": 1.5}, "jobs.E003"),
        ({"SWEEP_INTERVAL": 0}, "jobs.E003"),
    ],
)
def test_a_setting_that_cannot_work_is_found(found, changed, expected):
    assert found(**changed) == [expected]


def test_a_site_without_the_setting_has_the_defaults(settings):
    del settings.JOBS
    assert [message.id for message in run_checks(tags=["jobs"])] == []


def test_a_database_that_the_core_does_not_speak_is_found(found, monkeypatch):
    monkeypatch.setattr(type(connections["default"]), "vendor", "mysql")
    assert found() == ["jobs.E004"]


def test_an_sqlite_without_immediate_transactions_is_warned_of(found, monkeypatch):
    connection = connections["default"]
    monkeypatch.setattr(type(connection), "vendor", "sqlite")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    assert found() == ["jobs.W001"]
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 9))
    assert found() == ["jobs.E005", "jobs.W001"]
