"""Jobs that call the functions of `tests.exampleapp.functions`, and people who look at them."""

import itertools
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from jobs.functions import job_function, registry
from jobs.functions.models import FunctionJob, FunctionWorker
from jobs.functions.registry import functions
from jobs.functions.testing import run_functions
from tests.api.conftest import Caller

_numbers = itertools.count(1)


@pytest.fixture
def calling(manager, ann):
    """Makes a job that calls a function."""

    def make(function, **arguments) -> FunctionJob:
        return manager.create_job(f"job {next(_numbers)}", ann, "FUNCTION", function=function, arguments=arguments)

    return make


@pytest.fixture
def ran(calling):
    """Makes a job that calls a function, and runs it to its end in this process."""

    def run(function, **arguments) -> FunctionJob:
        job = calling(function, **arguments)
        job.execute()
        run_functions()
        job.read_row()
        return job

    return run


# --- people


def allow(person: User, codename: str = "call_functions") -> User:
    """Give a person the right to run a function, or all of them."""
    person.user_permissions.add(Permission.objects.get(codename=codename))
    return User.objects.get(pk=person.pk)


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def anns(ann) -> Client:
    """Ann's browser; she may run all functions."""
    return browser(allow(ann))


@pytest.fixture
def guest(db) -> User:
    """Somebody without any right."""
    return User.objects.create_user("guest")


@pytest.fixture
def guests(guest) -> Client:
    """The guest's browser."""
    return browser(guest)


@pytest.fixture
def staffs(staff) -> Client:
    """The browser of staff."""
    return browser(staff)


@pytest.fixture
def lab(ann) -> Group:
    """A group that Ann is in."""
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    return lab


@pytest.fixture
def member(lab) -> User:
    """Another one of the group."""
    member = User.objects.create_user("member")
    member.groups.add(lab)
    return member


@pytest.fixture
def call():
    """Makes somebody who calls REST."""
    cache.clear()
    return Caller


# --- functions and workers


@pytest.fixture
def new_function():
    """Registers functions for one test."""
    names = []

    def register(function, **options):
        job_function(**options)(function)
        names.append(options.get("name", function.__name__))
        return function

    yield register
    for name in names:
        registry.unregister(name)


@pytest.fixture
def new_worker(db):
    """Writes down a worker as if it lived; by default one that has all functions and takes from all queues."""

    def make(name="node1:7", *, silent_for=0, **values) -> FunctionWorker:
        now = timezone.now()
        values = {
            "host": "node1",
            "pid": 7,
            "queues": ["default", "tests"],
            "routes": [function.route for function in functions()],
            "pool": "prefork",
            "concurrency": 2,
            "started": now - timedelta(hours=3),
            "time": now - timedelta(seconds=silent_for),
            **values,
        }
        return FunctionWorker.objects.create(holder=f"{name}:{next(_numbers)}", name=name, **values)

    return make
