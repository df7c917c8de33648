"""What HOST, PORT, DATA_DIR and the other variables do, and what is said of those that cannot be used."""

import os
import socket
import subprocess
import sys

import pytest

from project.server.environment import BadEnvironment, Place, is_loopback
from tests.project.site import ROOT, free_port


def settings_say(expression: str, folder, **environment) -> subprocess.CompletedProcess:
    """What a fresh process with these variables finds in its settings."""
    variables = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(folder)} | environment
    code = f"from django.conf import settings; from django.db import connection; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=variables | {"DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80.5", "²"])
def test_a_port_that_is_none_is_refused_by_name(port, tmp_path):
    with pytest.raises(BadEnvironment, match=rf"PORT={port} is no port"):
        Place.from_environment({"PORT": port, "DATA_DIR": str(tmp_path)})


def test_a_host_that_is_no_address_is_refused_by_name(tmp_path):
    with pytest.raises(BadEnvironment, match="HOST=no such host is no address"):
        Place.from_environment({"HOST": "no such host", "DATA_DIR": str(tmp_path)})


def test_an_address_of_another_machine_is_refused(tmp_path):
    place = Place.from_environment({"HOST": "192.0.2.1", "PORT": str(free_port()), "DATA_DIR": str(tmp_path)})
    with pytest.raises(BadEnvironment, match=r"HOST=0\.0\.0\.0"):
        place.check_free()


def test_a_port_that_is_taken_on_every_address_is_taken_on_one(tmp_path):
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BadEnvironment, match=f"PORT={port + 1} make run"):
            Place.from_environment({"PORT": str(port), "DATA_DIR": str(tmp_path)}).check_free()


def test_a_data_folder_that_is_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadEnvironment, match="is not a folder"):
        Place.from_environment({"DATA_DIR": str(tmp_path / "file")})


def test_a_bad_variable_ends_the_command_with_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PORT": "abc", "DATA_DIR": str(tmp_path / "data"), "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["PORT=abc is no port: give a number from 1 to 65535, for example PORT=8000."]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
        ("[::1]", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_the_url_is_one_that_a_browser_on_this_machine_can_open(host, url):
    assert Place.from_environment({"HOST": host}).url == url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "a.localhost", "::1", "[::1]"])
def test_loopback_hosts_are_known_as_such(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "jobs.example.org", "127.0.0.1.example.org", "*", ""])
def test_other_hosts_are_not_loopback(host):
    assert not is_loopback(host)


def test_the_callers_url_and_hosts_stand_and_loopback_is_added():
    environment = Place.from_environment({}).environment(
        {"JOBDECK_URL": "https://jobs.example.org", "ALLOWED_HOSTS": "jobs.example.org"}
    )
    assert environment["JOBDECK_URL"] == "https://jobs.example.org"
    assert {"jobs.example.org", "127.0.0.1", "localhost"} <= set(environment["ALLOWED_HOSTS"].split(","))


def test_without_a_secret_key_nothing_starts_and_the_message_says_how_to_make_one(tmp_path):
    done = settings_say("settings.DEBUG", tmp_path)
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert "token_urlsafe" in done.stderr


def test_the_key_that_make_run_made_serves_other_commands_too(tmp_path):
    (tmp_path / "secret_key").write_text("made by make run\n")
    assert settings_say("settings.SECRET_KEY", tmp_path).stdout == "made by make run\n"


def test_debug_is_off_unless_asked_for(tmp_path):
    assert settings_say("settings.DEBUG", tmp_path, SECRET_KEY="x").stdout == "False\n"


@pytest.mark.parametrize(
    ("environment", "broker"),
    [
        ({}, "filesystem://localhost"),
        ({"AMQP_URL": "amqp://a"}, "amqp://a"),
        ({"AMQP_URL": "amqp://a", "CELERY_BROKER_URL": "redis://b"}, "redis://b"),
    ],
)
def test_the_broker_is_the_one_that_is_named_else_the_embedded_one(tmp_path, environment, broker):
    done = settings_say("settings.CELERY_BROKER_URL", tmp_path, SECRET_KEY="x", **environment)
    assert done.stdout.strip() == broker


def test_sqlite_writes_ahead_and_its_transactions_take_their_turn_at_the_beginning(tmp_path):
    code = """
import sqlite3
import django
from django.db import connection, transaction
django.setup()
connection.cursor().execute("CREATE TABLE t (x)")
print(connection.cursor().execute("PRAGMA journal_mode").fetchone()[0])
other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
with transaction.atomic():
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        print(error)
other.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(tmp_path),
            "SECRET_KEY": "x",
            "DJANGO_SETTINGS_MODULE": "project.settings",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["wal", "database is locked"], done.stderr


def test_an_https_url_makes_cookies_secure_and_its_forms_trusted(tmp_path):
    done = settings_say(
        "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.CSRF_TRUSTED_ORIGINS",
        tmp_path,
        SECRET_KEY="x",
        JOBDECK_URL="https://jobs.example.org/",
    )
    assert done.stdout.strip() == "True True ['https://jobs.example.org']"


def test_a_number_of_the_app_is_read_from_the_environment_or_refused_by_name(tmp_path):
    assert (
        settings_say("settings.JOBS['LOCAL_SLOTS']", tmp_path, SECRET_KEY="x", JOBDECK_LOCAL_SLOTS="3").stdout == "3\n"
    )
    done = settings_say("settings.JOBS", tmp_path, SECRET_KEY="x", JOBDECK_LOCAL_SLOTS="many")
    assert "JOBDECK_LOCAL_SLOTS=many is no whole number" in done.stderr
