"""People who call the REST API, each by a token of theirs."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from jobs.access.tokens import make_token
from jobs.manager import JobManager
from jobs.models import AccessToken
from jobs.transitions import Change, transition

ALL = tuple(AccessToken.SCOPES)


class Caller:
    """Somebody who calls.

    Args:
        user: None for nobody.
        scopes: of the token.
    """

    def __init__(self, user=None, scopes=ALL):
        self.user = user
        self.headers = {"Authorization": f"Bearer {make_token(user, 'test', scopes)[1]}"} if user else {}
        self.client = Client()

    def __call__(self, method: str, path: str, body=None, **headers):
        given = () if body is None else (json.dumps(body), "application/json")
        return self.client.generic(method, f"/api/{path}", *given, headers={**self.headers, **headers})

    def get(self, path: str, **headers):
        return self("GET", path, **headers)

    def post(self, path: str, body=None):
        return self("POST", path, {} if body is None else body)


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


@pytest.fixture
def anns(ann) -> Caller:
    """Ann calls, who may run commands."""
    return Caller(ann)


@pytest.fixture
def bobs(bob) -> Caller:
    """Bob calls, to whom Ann's jobs are a stranger's."""
    return Caller(bob)


@pytest.fixture
def staffs(staff) -> Caller:
    """Staff calls."""
    return Caller(staff)


@pytest.fixture
def nobodys() -> Caller:
    """Nobody calls."""
    return Caller()


@pytest.fixture
def lab(ann, db) -> Group:
    """A group that Ann is in."""
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    return lab


@pytest.fixture
def members(bob, lab) -> Caller:
    """Bob calls, who is in Ann's group."""
    bob.groups.add(lab)
    return Caller(bob)


@pytest.fixture
def new_job(ann) -> Callable:
    """A function that makes a job of Ann's, in any status."""

    def new(name="wind {id}", *statuses: str, kind="BASIC", user=None, **attributes):
        job = JobManager("jobs").create_job(name, user or ann, kind, **attributes)
        for status in statuses:
            transition([Change(job.pk, 1, status)], source="test")
        job.refresh_from_db()
        return job

    return new
