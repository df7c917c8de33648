"""Callers of the API of flask-tasks."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client

from jobs.conf import conf
from jobs.functions.flasktasks.keys import make_keys
from jobs.functions.flasktasks.tokens import make_token
from jobs.functions.permissions import make_permissions
from jobs.functions.testing import run_functions


class Caller:
    """Somebody who calls the API.

    Args:
        token: a JWT; empty for nobody.
    """

    def __init__(self, token: str = "", address: str = "127.0.0.1"):
        self.client = Client(REMOTE_ADDR=address)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body=None, **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        content = () if body is None else (text, "application/json")
        return self.client.generic(method, path, *content, headers={**self.headers, **headers})

    def get(self, path: str):
        return self("GET", path)

    def post(self, body):
        return self("POST", "/task", body)

    def task(self, name: str, **arguments) -> dict:
        answer = self.post({"type": name, "args": arguments})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def result(self, task: dict) -> dict:
        """The task when it has been run."""
        run_functions()
        return self.get(f"/task/{task['id']}").json()


@pytest.fixture(autouse=True)
def keys(db):
    """Keys to sign tokens, and nothing remembered of earlier calls."""
    make_keys()
    cache.clear()
    make_permissions()


@pytest.fixture
def account(db, settings) -> User:
    """The account of those who do not log in."""
    settings.JOBS = {**settings.JOBS, "FLASKTASKS_ACCOUNT": "anybody"}
    assert conf.FLASKTASKS_ACCOUNT == "anybody"
    return User.objects.create_user("anybody")


@pytest.fixture
def nobody() -> Caller:
    """Somebody who does not log in."""
    return Caller()


def allow(user: User, *names: str) -> None:
    """Give a person the right to run protected functions."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=[f"call_{name}" for name in names]))


def with_token(user: User) -> Caller:
    """A person with a token."""
    return Caller(make_token(User.objects.get(pk=user.pk))[0])


@pytest.fixture
def allowed(ann) -> Caller:
    """Ann, who may run the protected function, with a token."""
    allow(ann, "myProtectedTask")
    return with_token(ann)
