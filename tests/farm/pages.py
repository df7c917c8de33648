"""What tests of a run's pages see of them."""

import re

from django.test import Client


def browser(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def body(client, job, tab="") -> str:
    response = client.get(f"/jobs/{job.pk}/{tab}")
    assert response.status_code == 200
    return response.content.decode().partition('<div id="jd-tab"')[2]


def text(client, job, tab="") -> str:
    """What a reader sees of a tab."""
    return " ".join(re.sub(r"<[^>]+>", " ", body(client, job, tab)).split())


def tasks(client, job, query="") -> str:
    return text(client, job, f"tab/tasks/{query}")


def workers(client, job) -> str:
    return text(client, job, "tab/workers/")


def drawn(html: str) -> dict[str, set[int]]:
    """The cells of the map by their states, as a browser draws them."""
    svg = re.search(r'<svg class="jd-cells" viewBox="0 0 (\d+) (\d+)".*?</svg>', html, re.DOTALL)
    columns = int(svg[1])
    found: dict[str, set[int]] = {}
    for state, d in re.findall(r'<path class="jd-cell-(\w+)[^"]*" d="([^"]*)"', svg[0]):
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", d):
            first = int(y) * columns + int(x)
            found.setdefault(state, set()).update(range(first, first + int(length)))
    found.pop("hole", None)
    return found


def restarts(html: str) -> list[str]:
    """The restarts that the page offers."""
    return re.findall(r"restart/\d+/\?what=(\w+)\" hx-get", html)
