"""Callers of the API of taskfarm."""

import base64
import json

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from jobs.farm.taskfarm import login


class Caller:
    """Somebody who calls the API.

    Args:
        name: of the user, or a token.
        password: empty with a token.
    """

    def __init__(self, name: str = "", password: str = ""):
        self.client = Client()
        text = base64.b64encode(f"{name}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {text}"} if name else {}

    def __call__(self, method: str, path: str, body=None, **headers):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        content = () if body is None else (text, "application/json")
        return self.client.generic(method, f"/api/{path}", *content, headers={**self.headers, **headers})

    def get(self, path: str):
        return self("GET", path)

    def post(self, path: str, body=None):
        return self("POST", path, body)

    def put(self, path: str, body):
        return self("PUT", path, body)

    def run(self, num_tasks: int = 3) -> str:
        """The UUID of a new run."""
        return self.post("run", {"numTasks": num_tasks}).json()["uuid"]

    def worker(self, uuid: str = "w1") -> str:
        """The UUID of a worker that has made itself known."""
        assert self.post("worker", {"uuid": uuid, "hostname": "node1", "pid": 7}).status_code == 201
        return uuid

    def check_out(self, run: str, worker: str) -> dict | None:
        """A task for the worker; None where there is none."""
        answer = self.post(f"runs/{run}/task", {"worker_uuid": worker})
        assert answer.status_code in (201, 204), answer.content
        return answer.json() if answer.status_code == 201 else None


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Of earlier logins."""
    cache.clear()
    login._known.clear()


@pytest.fixture
def anns(ann) -> Caller:
    """Ann, who calls with a token."""
    return Caller(Caller("ann", "ann").get("token").json()["token"])


@pytest.fixture
def bobs(bob: User) -> Caller:
    """Bob likewise."""
    return Caller(Caller("bob", "bob").get("token").json()["token"])
