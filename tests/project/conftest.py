"""Sites that run as `make run` runs them."""

import uuid
from contextlib import contextmanager

import psycopg2
import pytest
from django.conf import settings

from tests.project.site import Site


@contextmanager
def new_database():
    """The URL of an empty database of the kind that this run is about; empty for SQLite, which needs none."""
    place = settings.DATABASES["default"]
    if place["ENGINE"] != "django.db.backends.postgresql":
        yield ""
        return
    name = f"jobdeck_site_{uuid.uuid4().hex[:12]}"
    login = {"host": place["HOST"], "port": place["PORT"] or 5432, "user": place["USER"], "password": place["PASSWORD"]}
    server = psycopg2.connect(dbname="postgres", **login)
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        secret = f":{login['password']}" if login["password"] else ""
        yield f"postgres://{login['user']}{secret}@{login['host']}:{login['port']}/{name}"
        with server.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        server.close()


@contextmanager
def new_site(folder, **environment):
    """A site that does not run yet, with all of it ended at the end."""
    with new_database() as database_url:
        site = Site(folder / "data", database_url, **environment)
        try:
            yield site
        finally:
            site.end()


@pytest.fixture
def site(tmp_path):
    """A site that does not run yet."""
    with new_site(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def running_site(tmp_path_factory):
    """A site that runs for a whole module, without example jobs; tests leave it running."""
    with new_site(tmp_path_factory.mktemp("site")) as site:
        yield site.start("--without-examples")
