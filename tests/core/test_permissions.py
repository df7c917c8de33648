"""Who sees which jobs, and who may act on them."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.http import Http404

from jobs.models import Job, job_rows
from jobs.permissions import may_act, visible_job_or_404
from tests.exampleapp.models import FakeJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def jobs(manager, ann, bob):
    """ann's job, bob's job, and one of bob's that is shared with the group 'lab'."""
    lab = Group.objects.create(name="lab")
    made = [manager.create_job(name="own", user=ann, job_type="BASIC")]
    made.append(manager.create_job(name="bobs", user=bob, job_type="BASIC"))
    made.append(manager.create_job(name="shared", user=bob, job_type="BASIC", groups=lab))
    return made


def seen_by(user) -> list[str]:
    return sorted(job.name for job in Job.objects.visible_to(user))


def test_a_person_sees_their_own_jobs(jobs, ann, bob):
    assert seen_by(ann) == ["own"]
    assert seen_by(bob) == ["bobs", "shared"]


def test_a_member_of_a_jobs_group_sees_it_once_but_may_not_act_on_it(jobs, ann):
    ann.groups.add(Group.objects.get(name="lab"))
    jobs[0].groups.add(Group.objects.get(name="lab"))
    assert seen_by(ann) == ["own", "shared"]
    assert may_act(ann, jobs[0])
    assert not may_act(ann, jobs[2])


@pytest.mark.parametrize("how", ["staff", "permission", "superuser"])
def test_staff_and_who_has_the_permission_see_and_act_on_all(jobs, how):
    person = User.objects.create_user("carla", is_staff=how == "staff", is_superuser=how == "superuser")
    if how == "permission":
        person.user_permissions.add(Permission.objects.get(codename="jobs_table_actions"))
    assert seen_by(person) == ["bobs", "own", "shared"]
    assert all(may_act(person, job) for job in jobs)


@pytest.mark.parametrize("staff", [False, True])
def test_an_inactive_account_sees_nothing_and_may_do_nothing(jobs, ann, staff):
    ann.is_active, ann.is_staff = False, staff
    ann.save()
    ann = User.objects.get(pk=ann.pk)
    assert seen_by(ann) == []
    assert not may_act(ann, jobs[0])


def test_somebody_who_is_not_logged_in_sees_nothing_and_may_do_nothing(jobs):
    assert seen_by(AnonymousUser()) == []
    assert Job.objects.visible_to(None).count() == 0
    assert not may_act(AnonymousUser(), jobs[0])


def test_another_persons_job_an_unknown_one_and_one_being_deleted_answer_alike(jobs, ann):
    job_rows().filter(pk=jobs[0].pk).update(hidden=True)
    said = set()
    for lookup in ({"pk": jobs[1].pk}, {"pk": 10**9}, {"uuid": jobs[1].uuid}, {"pk": jobs[0].pk}):
        with pytest.raises(Http404) as caught:
            visible_job_or_404(ann, **lookup)
        said.add(str(caught.value))
    assert said == {"No such job."}


def test_what_is_visible_is_had_as_itself_or_as_a_row(fake, manager, ann):
    job = manager.create_job(name="a", user=ann, job_type="FAKE")
    assert type(visible_job_or_404(ann, pk=job.pk)) is FakeJob
    assert type(visible_job_or_404(ann, uuid=job.uuid, polymorphic=False)) is Job
    assert list(FakeJob.objects.visible_to(ann)) == [job]
