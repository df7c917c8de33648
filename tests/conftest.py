"""Fixtures that every room's tests share, and what a skip means."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from jobs.manager import JobManager

FORBID_SKIPS = os.environ.get("JOBDECK_FORBID_SKIPS") == "1"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With JOBDECK_FORBID_SKIPS=1 a skip is a failure that gives its reason: what is not run is not shown."""
    outcome = yield
    report = outcome.get_result()
    if FORBID_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skips are forbidden: {report.longrepr[2] if isinstance(report.longrepr, tuple) else ''}"


ON_ONE = {
    "browser": "on_sqlite",
    "docs": "on_sqlite",
    "dropin": "on_sqlite",
    "project": "on_sqlite",
    "condor": "on_postgresql",
    "schedules/agent": "on_sqlite",
}
"""Folders of tests about what others test on both databases, or about something else; where both are tested, one will do."""


def pytest_configure(config):
    for name in ("SQLite", "PostgreSQL"):
        config.addinivalue_line("markers", f"on_{name.lower()}: where both databases are tested, only on {name}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests that one database will do for.

    Begin with the minutes-long tests, half of them for each of two test processes (`--dist worksteal` halves).
    """
    here = Path(__file__).parent
    for item in items:
        folder = f"{item.path.relative_to(here).parent.as_posix()}/"
        for name, mark in ON_ONE.items():
            if folder.startswith(f"{name}/"):
                item.add_marker(mark)
    long = [item for item in items if item.path.parent.name == "faults"]
    short = [item for item in items if item.path.parent.name != "faults"]
    middle = len(short) // 2
    items[:] = [*long[::2], *short[:middle], *long[1::2], *short[middle:]]


def pytest_terminal_summary(terminalreporter):
    """Print what tests measured (`record_property("figures", line)`), also where they passed."""
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in dict.fromkeys(lines):
            terminalreporter.write_line(line)


def pytest_unconfigure(config):
    """The process that made the folder of this run removes it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["JOBDECK_TESTS_FOLDER"], ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """The test database, also for the children of the tests."""
    os.environ["JOBDECK_TEST_DATABASE"] = str(settings.DATABASES["default"]["NAME"])
    yield
    del os.environ["JOBDECK_TEST_DATABASE"]


@pytest.fixture
def data_dir() -> Path:
    """The data folder of this test process."""
    return Path(settings.JOBS["DATA_DIR"])


@pytest.fixture
def ann(db) -> User:
    """A person who may run commands."""
    return _person("ann", may_run=True)


@pytest.fixture
def bob(db) -> User:
    """Another person, who may run commands too."""
    return _person("bob", may_run=True)


@pytest.fixture
def staff(db) -> User:
    """Somebody who may see and act on everything."""
    person = _person("staff", may_run=True)
    person.is_staff = True
    person.save()
    return person


def _person(name: str, *, may_run: bool) -> User:
    from django.contrib.auth.models import Permission

    person = User.objects.create_user(name, password=name)
    if may_run:
        person.user_permissions.add(Permission.objects.get(codename="run_commands"))
    return person


@pytest.fixture
def manager() -> JobManager:
    """The job manager of an app."""
    return JobManager("app")
