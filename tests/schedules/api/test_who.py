"""Who sees and does what over REST, beside what tokens open."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache

from jobs.schedules.models import Schedule
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
DISK = {"name": "disk", "argv": ["df", "-h"], "frequency": "every 10 minutes", "on_all": True}


@pytest.fixture
def disk(anns) -> str:
    """The path of a schedule of Ann's."""
    return f"schedules/{anns.post('schedules/', DISK).json()['id']}/"


def permitted(name: str, *codenames: str) -> Caller:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return Caller(User.objects.get(pk=user.pk))


def test_who_acts_on_all_jobs_does_not_choose_what_another_runs_without_the_permission_to_run(disk, agent):
    call = permitted("eve", "jobs_table_actions")
    assert call.get(disk).status_code == 200
    answer = call("PATCH", disk, {"argv": ["id"]})
    assert answer.status_code == 403
    assert "eve may not run such a thing" in answer.json()["error"]["message"]
    assert Schedule.objects.get().argv == ["df", "-h"]
    assert call.post(f"{disk}pause/").status_code == 200
    assert permitted("mallory", "jobs_table_actions", "run_commands")("PATCH", disk, {"keep": 5}).json()["keep"] == 5


def test_when_the_author_may_not_run_commands_any_more_it_can_be_paused_and_not_run(anns, staffs, ann, disk, agent):
    ann.user_permissions.clear()
    for call in (anns, staffs):
        assert call.post(f"{disk}run-now/").status_code == 403
        assert call.post(f"{disk}pause/").json()["enabled"] is False
        assert call.post(f"{disk}resume/").status_code == 403
    assert anns("DELETE", disk).status_code == 204


def test_agents_are_managed_by_who_has_that_permission(agent):
    path = f"schedules/agents/{agent.id}/"
    call = permitted("eve", "manage_agents")
    assert call("PATCH", path, {"tags": ["gpu"]}).json()["tags"] == ["gpu"]
    assert call.post("schedules/enrol-tokens/").status_code == 201
    assert call("DELETE", path).status_code == 204
    assert permitted("mallory").get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["schedules/agents/00000000-0000-0000-0000-000000000000/", "schedules/enrol-tokens/7/"]
)
def test_who_may_not_manage_agents_does_not_learn_which_there_are(path):
    call = permitted("mallory")
    assert call("DELETE", path).status_code == 403


def test_schedules_of_one_account_are_found_by_who_sees_all(anns, bobs, staffs, disk):
    bobs.post("schedules/", DISK)
    assert len(staffs.get("schedules/").json()["results"]) == 2
    assert [one["user"] for one in staffs.get("schedules/?user=bob").json()["results"]] == ["bob"]
    assert anns.get("schedules/?user=bob").json()["results"] == []
    assert anns.get("schedules/?user=nobody").json()["results"] == []


def test_who_asks_too_often_is_told_when_again(anns, settings):
    cache.clear()
    settings.JOBS = {**settings.JOBS, "API_RATES": {"read": 1}}
    assert anns.get("schedules/").status_code == 200
    answer = anns.get("schedules/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "throttled")
    assert "Retry-After" in answer.headers


def test_a_change_by_the_session_needs_the_csrf_token(ann, disk):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.get(f"/api/{disk}").status_code == 200
    assert client.post(f"/api/{disk}pause/").status_code == 403
