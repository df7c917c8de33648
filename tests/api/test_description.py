"""The description of the APIs: complete, and true."""

import json

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema() -> dict:
    answer = Client().get("/api/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return json.loads(answer.content)


def addresses(patterns, before: str = "/") -> set[str]:
    """All addresses below `/api/` but for the description's own, and those of flask-tasks at the root."""
    found = set()
    for pattern in patterns:
        text = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = addresses(pattern.url_patterns, text)
            if pattern.namespace == "flasktasks":
                inner = {f"{text}{one.pattern}" for one in pattern.url_patterns}
            found |= inner
        elif isinstance(pattern, URLPattern) and text.startswith("/api/") and text != "/api/schema/":
            found.add(text)
    return found


def plain(address: str) -> str:
    """An address with its parameters as the description has them."""
    import re

    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)


def test_every_address_is_described(schema):
    assert {plain(address) for address in addresses(get_resolver().url_patterns)} == set(schema["paths"])


def test_every_method_has_a_summary_an_id_of_its_own_and_its_errors(schema):
    ids = []
    for address, methods in schema["paths"].items():
        for method, said in methods.items():
            ids.append(said["operationId"])
            assert said["summary"], address
            if said["tags"] == ["flask-tasks"]:
                # It knows no 403, and some of it needs no login.
                assert "429" in said["responses"], (address, method)
                continue
            if said["tags"] == ["agents' calls"]:
                # They are signed, or made before there is anything to sign with; and as often as agents need to.
                signed = address.endswith(("/sync", "/report"))
                assert {"400", "403", "413", "415"} | ({"401"} if signed else set()) <= set(said["responses"]), address
                assert ({} not in said["security"]) == signed, address
                assert "examples" in said["requestBody"]["content"]["application/json"], address
                continue
            assert {"401", "403", "429"} <= set(said["responses"]), (address, method)
            assert said["security"], (address, method)
            if "requestBody" in said and method == "post" and "bulk" not in address:
                assert (
                    any("examples" in content for content in said["requestBody"]["content"].values())
                    or "note" in ids[-1]
                )
    assert len(ids) == len(set(ids))


def test_whoever_needs_no_login_for_the_task_api_is_said_so(schema):
    assert {} in schema["paths"]["/api/tasks"]["get"]["security"]
    assert {} not in schema["paths"]["/api/jobs/"]["get"]["security"]


def test_the_page_for_people_comes_from_the_package(client):
    page = client.get("/docs").content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page
