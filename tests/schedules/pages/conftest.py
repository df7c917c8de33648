"""People and their browsers."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.schedules.pages.asking import logged_in


@pytest.fixture
def anns(ann) -> Client:
    return logged_in(ann)


@pytest.fixture
def bobs(bob) -> Client:
    return logged_in(bob)


@pytest.fixture
def manager(ann) -> Client:
    """Ann, who manages agents too."""
    ann.user_permissions.add(Permission.objects.get(codename="manage_agents"))
    return logged_in(User.objects.get(pk=ann.pk))
