"""A real site and a real browser for all tests of this folder; a person of its own for each test."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client

from tests.browser.live import LiveSite
from tests.contract.life.drivers import empty_database

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 20_000
"""Milliseconds after which what a test waits for has not happened."""


@pytest.fixture(scope="package")
def transactional_db(django_db_setup, django_db_blocker):
    """Rows are really committed, for the site's processes to see; the tables are emptied when those have ended."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="package")
def live(transactional_db, tmp_path_factory):
    """The site: web server, workers and monitor."""
    site = LiveSite(tmp_path_factory.mktemp("live"))
    try:
        site.open()
        yield site
    finally:
        site.close()
        empty_database()


@pytest.fixture(scope="package")
def chromium(live):
    """The browser."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there · 'make services' brings it")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    # Playwright keeps an event loop in this thread, in which nothing of Django runs.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
            yield browser
            # Under Playwright's event loop this thread has a database connection of its own, besides its usual one.
            connections.close_all()
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_person(live) -> Callable[..., User]:
    """A function that makes a person who may run commands and functions; the password is the name."""

    def new(name: str, **attributes) -> User:
        name = f"{name}-{uuid4().hex[:8]}"
        person = User.objects.create_user(name, password=name, **attributes)
        person.user_permissions.add(*Permission.objects.filter(codename__in=["run_commands", "call_functions"]))
        return person

    return new


@pytest.fixture
def person(new_person) -> User:
    """Whose browser `page` is."""
    return new_person("ann")


@pytest.fixture
def open_page(chromium, live):
    """A function that gives a page of a person's own browser (nobody's for None); nothing may go wrong in its scripts."""
    contexts = []
    errors = []

    def new(who: User | None = None, **options):
        context = chromium.new_context(base_url=live.url, viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if who is not None:
            client = Client()
            client.force_login(who)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_page, person):
    """A page of the person's browser, logged in."""
    return open_page(person)
