"""Asking for the pages of schedules as a person's browser does."""

import re

from django.contrib.auth.models import User
from django.test import Client

LIST = "/jobs/schedules/"
FORM = {
    "name": "disk",
    "kind": "command",
    "command": "df -h",
    "rhythm": "every",
    "number": "10",
    "unit": "minutes",
    "zone": "UTC",
    "place": "all",
    "timeout": "60",
    "overlap": "skip",
    "missed": "once",
    "keep": "100",
    "do": "save",
}
HTMX = {"HX-Request": "true"}


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, url: str, status: int = 200, **headers) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def said_of(page: str) -> str:
    """A page without the tokens and addresses that are another one each time."""
    return re.sub(r'(value="|X-CSRFToken": ")[^"]*"', "", page)


def parts_of(page: str) -> set[str]:
    """Which parts of a schedule's page an answer holds."""
    return set(re.findall('id="jd-part-([a-z]+)"', page))


def version_of(page: str) -> str:
    return re.search('name="version"[^>]* value="([^"]*)"', page)[1]
