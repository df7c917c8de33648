"""Registering functions, and finding them."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from django.core.checks import run_checks

from jobs.functions import job_function, registry
from jobs.functions.registry import UnknownFunction, get_function, unregister
from tests.exampleapp.functions import succeed


def test_a_registered_function_can_be_called_as_any_other():
    def double(x: int) -> int:
        return 2 * x

    try:
        assert job_function(double)(2) == 4
        assert get_function("double").call is double
    finally:
        unregister("double")


def test_what_is_said_about_it_is_kept():
    function = get_function("third_time")
    assert (function.queue, function.retries, function.backoff) == ("tests", 2, 0.1)
    assert not function.public
    assert not function.idempotent
    assert function.description == "Fail two times."
    assert get_function("typed").documentation.endswith("A parameter of every kind.")


def test_a_function_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UnknownFunction, match=r"'nothing'.*succeed"):
        get_function("nothing")


def test_two_functions_cannot_have_one_name():
    def theirs(outside: str): ...

    with pytest.raises(ValueError, match=r"tests\.exampleapp\.functions\.succeed has that name already"):
        job_function(theirs, name="succeed")
    assert get_function("succeed").call is succeed


@pytest.mark.parametrize(
    "options", [{"name": "no name"}, {"queue": "a,b"}, {"retries": -1}, {"time_limit": 0}, {"backoff": -1}]
)
def test_an_option_that_makes_no_sense_is_refused(options):
    def some(x: int): ...

    with pytest.raises(ValueError, match=next(iter(options.values())) if "name" in options else next(iter(options))):
        job_function(some, **options)


def test_an_async_function_is_refused():
    async def some(x: int): ...

    with pytest.raises(TypeError, match="async"):
        job_function(some)


def test_functions_come_from_installed_apps_and_from_entry_points(monkeypatch, tmp_path):
    (tmp_path / "installed_package.py").write_text(
        "from jobs.functions import job_function\n\n@job_function\ndef from_a_package(x: int) -> int:\n    return x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("package", "installed_package", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == "jobdeck.functions" else [])
    try:
        registry.discover()
        assert get_function("from_a_package").call(3) == 3
        assert get_function("succeed").call is succeed
    finally:
        unregister("from_a_package")


def test_an_entry_point_that_cannot_be_loaded_is_told_by_a_check_and_takes_nothing_with_it(monkeypatch):
    entry = EntryPoint("package", "there_is_no_such_module", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    monkeypatch.setattr(registry, "broken", {})
    monkeypatch.setattr("jobs.functions.checks.broken", registry.broken)
    registry.discover()
    assert get_function("succeed").call is succeed
    [error] = [one for one in run_checks(tags=["jobs"]) if one.id == "jobs_functions.E001"]
    assert "there_is_no_such_module" in error.msg


def test_a_module_with_functions_can_be_imported_before_django_is_set_up():
    program = "from jobs.functions import job_function, current_job\n@job_function\ndef f(x: int): ...\nprint('well')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout == "well\n", ended.stderr
