"""The one filter over jobs: what it finds, what it counts, and what it says to what it cannot read."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from jobs import counting
from jobs.counting import Count
from jobs.filters import STATUS_GROUPS, JobFilter, visible_parts
from jobs.models import Job, job_rows
from jobs.permissions import ALL_JOBS
from jobs.status import Status
from jobs.testing import fake_engine
from tests.exampleapp.models import FakeJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(manager, ann, fake):
    """A function that makes a job with these columns."""

    def make(name="job {id}", *, user=ann, job_type="BASIC", groups=None, **columns):
        made = manager.create_job(name, user, job_type, groups=groups)
        job_rows().filter(pk=made.pk).update(**columns)
        return made

    return make


@pytest.fixture
def names(ann):
    """A function that gives the names of the jobs that a query finds, oldest first."""

    def found(query="", user=ann) -> list[str]:
        return [job.name for job in JobFilter(QueryDict(query), user=user).jobs.order_by("pk")]

    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["new", "run", "done", "bad"]),
        ("status=RUN", ["run"]),
        ("status=run&status=COM", ["run", "done"]),
        ("status=RUN,COM", ["run", "done"]),
        ("status=running", ["run"]),
        ("status=active", ["run"]),
        ("status=pending", ["new"]),
        ("status=failed", ["bad"]),
        ("status=over", ["done", "bad"]),
        ("status=failed,RUN", ["run", "bad"]),
        ("status=", ["new", "run", "done", "bad"]),
    ],
)
def test_by_status_code_word_or_group(job, names, query, expected):
    job("new")
    job("run", status_code=Status.RUNNING)
    job("done", status_code=Status.COMPLETE)
    job("bad", status_code=Status.VARIOUS_COMPLETE)

    assert names(query) == expected


def test_the_groups_with_a_chip_share_out_all_statuses():
    shared_out = [code for name, codes in STATUS_GROUPS.items() if name != "over" for code in codes]

    assert sorted(shared_out) == sorted(Status.values)


def test_by_type_also_where_its_room_is_not_installed(job, names):
    job("basic")
    job("fake", job_type="FAKE")
    gone = ContentType.objects.create(app_label="gone", model="gonejob")
    job("orphan", polymorphic_ctype=gone)

    assert names("type=basic") == ["basic"]
    assert names("type=FAKE&type=BASIC") == ["basic", "fake"]
    assert names("type=not-installed") == ["orphan"]
    assert names("type=not-installed,FAKE") == ["fake", "orphan"]


def test_by_user_group_app_and_scheduler(job, names, staff, bob, fake_job):
    lab = Group.objects.create(name="lab")
    job("mine", groups=[lab], label="weather")
    job("bobs", user=bob)
    submitted = fake_job()

    assert names("user=bob", user=staff) == ["bobs"]
    assert names("user=nobody", user=staff) == []
    assert names("group=lab", user=staff) == ["mine"]
    assert names("label=weather", user=staff) == ["mine"]
    assert names("scheduler=fake", user=staff) == [Job.objects.get(pk=submitted.pk).name]


@pytest.mark.parametrize("text", ["NORTH", "north", "ort", "hydro analysis", "analysis  north", "exit%20status"])
def test_text_is_found_in_name_description_and_message_in_any_case(job, names, text):
    job("Analysis North", description="of the hydrology", status_message="Exit status 3")
    job("other")

    assert names(f"text={text}") == ["Analysis North"]


@pytest.mark.parametrize("text", ["100%25", "a_b", "%5C"])
def test_signs_of_a_pattern_are_text(job, names, text):
    job("100% a_b \\")
    job("1000 axb")

    assert names(f"text={text}") == ["100% a_b \\"]


@pytest.mark.parametrize("field", ["created", "started", "ended"])
def test_by_moments(job, names, clock, field):
    column = {"created": "creation_time", "started": "start_time", "ended": "completion_time"}[field]
    now = clock()
    job("old", **{column: now - timedelta(days=3)})
    job("new", **{column: now - timedelta(hours=2)})
    yesterday = (now - timedelta(days=1)).date().isoformat()

    assert names(f"{field}_after=24h") == ["new"]
    assert names(f"{field}_before=1d") == ["old"]
    assert names(f"{field}_after=4D&{field}_before=2d") == ["old"]
    assert names(f"{field}_after={yesterday}") == ["new"]
    assert names(f"{field}_before={yesterday}T00:00:00Z") == ["old"]


@pytest.mark.parametrize(
    ("query", "name", "word"),
    [
        ("status=EXPLODED", "status", "EXPLODED"),
        ("type=slurm", "type", "slurm"),
        ("created_after=yesterday", "created_after", "yesterday"),
        ("ended_before=2026-02-31", "ended_before", "2026-02-31"),
        ("started_after=999999w", "started_after", "999999w"),
        ("started_after=9999-12-31T23:59:59-12:00", "started_after", "9999"),
        ("text=a%00b", "text", ""),
        (f"text={'x' * 201}", "text", "200"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_still_filters(job, ann, query, name, word):
    job("run", status_code=Status.RUNNING, label="weather")
    job("other")
    found = JobFilter(QueryDict(f"{query}&label=weather"), user=ann)

    assert list(found.errors) == [name]
    assert word in found.errors[name]
    assert [job.name for job in found.jobs] == ["run"]
    assert found.given["label"] == ["weather"]
    assert name in found.query()


def test_other_parameters_are_left_alone(job, names):
    job("one")

    assert names("before=5&known=1.a&sort=oldest&password=x&user_id=3&user__password=x") == ["one"]


def test_a_relative_moment_can_be_fixed(ann, clock):
    found = JobFilter(QueryDict("created_after=24h&status=RUN"), user=ann)
    fixed = found.fixed()
    clock.move(3600)

    assert fixed == {"status": ["RUN"], "created_after": [(clock() - timedelta(hours=25)).isoformat()]}
    assert JobFilter(fixed, user=ann).values["created_after"] == clock() - timedelta(hours=25)


# --- who sees what


@pytest.fixture
def people(job, ann, bob, staff, django_user_model):
    """Five people, and jobs of two of them, one of which is shared."""
    lab = Group.objects.create(name="lab")
    bob.groups.add(lab)
    job("anns")
    job("shared", groups=[lab])
    job("both", user=bob, groups=[lab])
    job("hidden", hidden=True)
    permitted = django_user_model.objects.create_user("permitted")
    permitted.user_permissions.add(Permission.objects.get(codename=ALL_JOBS.partition(".")[2]))
    permitted.groups.add(lab)
    inactive = django_user_model.objects.create_user("inactive", is_active=False, is_staff=True)
    return [ann, bob, staff, permitted, inactive, AnonymousUser()]


def test_the_parts_are_together_what_a_person_may_see_whoever_it_is(people):
    for person in people:
        seen = sorted(job_rows().visible_to(person).values_list("pk", flat=True))
        parts = [part.values_list("pk", flat=True) for part in visible_parts(job_rows(), person)]
        overlapping = [
            part.values_list("pk", flat=True) for part in visible_parts(job_rows(), person, overlapping=True)
        ]

        assert sorted(key for part in parts for key in part) == seen
        assert sorted({key for part in overlapping for key in part}) == seen


def test_it_counts_only_what_a_person_may_see_and_tells_what_is_theirs(people):
    ann, bob, staff, permitted, inactive, nobody = people
    numbers = {
        person: (JobFilter({}, user=person).counts().of(Status), JobFilter({}, user=person).counts().own_of(Status))
        for person in (ann, bob, staff, permitted)
    }

    assert [(seen.number, own.number) for seen, own in numbers.values()] == [(2, 2), (2, 1), (3, 3), (3, 3)]
    assert not JobFilter({}, user=inactive).counts().of(Status)
    assert not JobFilter({}, user=nobody).counts().of(Status)


# --- counts


def test_all_statuses_are_counted_in_one_query_whatever_status_is_chosen(job, ann):
    job("a", label="x", status_code=Status.RUNNING)
    job("b", label="x")
    job("c", label="y")
    found = JobFilter(QueryDict("status=RUN&label=x"), user=ann)
    found.counts()  # the user's permissions are remembered from here on
    with CaptureQueriesContext(connection) as queries:
        counts = found.counts()

    assert len(queries) == 1
    assert (counts.of([Status.PENDING]).number, counts.of(found.statuses).number, counts.of(Status).number) == (1, 1, 2)


def test_counting_stops_at_ten_thousand(job, ann, monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    for _ in range(5):
        job()
    count = JobFilter({}, user=ann).counts().of(Status)

    assert count.number == 4
    assert str(count) == "3+"


def test_a_count_reads_well():
    assert [str(Count(number)) for number in (0, 999, 1000, 10_000, 10_001)] == [
        "0",
        "999",
        "1,000",
        "10,000",
        "10,000+",
    ]
    assert (Count(1).jobs, Count(20_000).jobs) == ("1 job", "10,000+ jobs")


def test_a_type_that_is_registered_later_can_be_asked_for(ann):
    assert JobFilter({"type": "LATER"}, user=ann).errors
    with fake_engine(FakeJob, "LATER"):
        assert not JobFilter({"type": "LATER"}, user=ann).errors
