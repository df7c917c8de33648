"""Pages by key: each job is on exactly one of them, whatever arrives or goes meanwhile."""

from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.filters import JobFilter
from jobs.models import job_rows
from jobs.paging import number, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ten(new_job):
    return [new_job().pk for _ in range(10)]


def keys(page) -> list[int]:
    return [job.pk for job in page.jobs]


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 10, 11])
def test_there_and_back_again(ten, oldest_first, size):
    def forth(page):
        return {"after": page.newer} if oldest_first else {"before": page.older}

    def back(page):
        return {"before": page.older} if oldest_first else {"after": page.newer}

    page = page_of(job_rows(), size=size, oldest_first=oldest_first)
    pages = [page]
    while next(iter(forth(page).values())) is not None:
        page = page_of(job_rows(), size=size, oldest_first=oldest_first, **forth(page))
        pages.append(page)
    assert [key for page in pages for key in keys(page)] == sorted(ten, reverse=not oldest_first)
    assert pages[0].is_first
    assert next(iter(back(pages[0]).values())) is None
    for earlier, later in pairwise(pages):
        assert keys(page_of(job_rows(), size=size, oldest_first=oldest_first, **back(later))) == keys(earlier)


def test_a_page_stays_right_while_jobs_arrive_and_go(ten, new_job):
    second = page_of(job_rows(), before=ten[7], size=3)
    for _ in range(5):
        new_job()
    job_rows().filter(pk=ten[9]).update(hidden=True)

    assert keys(second) == [ten[6], ten[5], ten[4]]
    assert keys(page_of(job_rows().shown(), before=ten[7], size=3)) == keys(second)
    assert keys(page_of(job_rows().shown(), before=second.older, size=3)) == [ten[3], ten[2], ten[1]]


def test_beyond_the_end_there_is_only_the_way_back(ten):
    page = page_of(job_rows(), before=ten[0])

    assert keys(page) == []
    assert page.older is None
    assert ten[0] in keys(page_of(job_rows(), after=page.newer, size=3, oldest_first=True))
    assert keys(page_of(job_rows(), after=page.newer))[-1] == ten[0]


def test_the_way_back_ends_in_a_whole_first_page(ten):
    page = page_of(job_rows(), after=ten[8], size=3)

    assert page.is_first
    assert keys(page) == ten[:6:-1]


def test_parts_are_shown_as_one_in_one_query(ten, ann, manager, bob):
    from django.contrib.auth.models import Group

    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    shared = [manager.create_job("s {id}", bob, "BASIC", groups=lab).pk for _ in range(3)]
    parts = JobFilter({}, user=ann).parts(overlapping=True)
    with CaptureQueriesContext(connection) as queries:
        page = page_of(job_rows().visible_to(ann), parts=parts, size=5)

    assert len(queries) == 1
    assert keys(page) == [*shared[::-1], ten[9], ten[8]]
    assert keys(page_of(job_rows().visible_to(ann), parts=parts, before=page.older, size=5)) == ten[7:2:-1]


def test_nobody_has_no_page():
    from django.contrib.auth.models import AnonymousUser

    nobody = AnonymousUser()
    assert keys(page_of(job_rows().visible_to(nobody), parts=JobFilter({}, user=nobody).parts())) == []


@pytest.mark.parametrize("text", [None, "", "x", "-1", "1e3", "٣", "9" * 19])
def test_what_is_no_key_is_none(text):
    assert number(text) is None
