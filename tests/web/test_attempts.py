"""The attempts of a job: what became of each, its log, and what differs between two."""

import pytest

from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.web.attempts import MOST_ATTEMPTS, attempts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def twice(new_job, logs):
    """A job that failed once and then went well."""
    job = new_job("twice")
    transition([Change(job.pk, 1, Status.RUNNING, external_id="fake-1")], source="test")
    logs(job, "begin\nsame\nfailed\n")
    transition([Change(job.pk, 1, Status.ERROR, message="no table", exit_code=3)], source="test")
    job.resubmit()
    transition([Change(job.pk, 2, Status.RUNNING, external_id="fake-2")], source="test")
    logs(job, "begin\nsame\nwell <b>\n")
    transition([Change(job.pk, 2, Status.COMPLETE, exit_code=0)], source="test")
    job.read_row()
    return job


def page(browser, job, **query) -> str:
    response = browser.get(f"/jobs/{job.pk}/attempts/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_each_attempt_says_how_it_ended(twice):
    second, first = attempts_of(twice)

    assert (first.number, first.status_display, first.message) == (1, "Error", "no table")
    assert (second.number, second.status_display, second.exit_code) == (2, "Complete", 0)
    assert [moment.title for moment in first.history] == ["Error", "Running"]
    assert [moment.title for moment in second.history] == ["Complete", "Running", "Pending"]
    assert first.started <= first.ended <= second.started <= second.ended


def test_the_page_shows_them_with_their_logs(anns, twice):
    shown = page(anns, twice)

    assert shown.index("Attempt 2") < shown.index("Attempt 1")
    assert f'href="/jobs/{twice.pk}/log/?attempt=1"' in shown
    assert "no table" in shown


def test_two_attempts_can_be_compared(anns, twice):
    shown = page(anns, twice, first=1, second=2)

    assert "only in attempt 1: </span>failed" in shown
    assert "only in attempt 2: </span>well &lt;b&gt;" in shown


@pytest.mark.parametrize("query", [{"first": 1}, {"first": 1, "second": 9}, {"first": "x", "second": "-1"}])
def test_attempts_that_are_not_there_are_not_compared(anns, twice, query):
    assert "jd-comparison" not in page(anns, twice, **query).replace("#jd-comparison", "")


def test_logs_that_are_alike_and_logs_that_are_gone_are_said(anns, twice, fake):
    assert "Both wrote the same" in page(anns, twice, first=2, second=2)
    for attempt in fake.attempts.values():
        for path in attempt.logs.values():
            path.unlink()
    assert "cannot be read" in page(anns, twice, first=1, second=2)


def test_a_job_that_has_not_run_has_one_attempt(anns, new_job):
    shown = page(anns, new_job())

    assert "not started yet" in shown
    assert "Compare" not in shown


def test_only_the_latest_of_many_attempts_are_shown(anns, new_job, django_assert_num_queries):
    job = new_job("often", status=Status.ERROR)
    for _ in range(MOST_ATTEMPTS + 5):
        job.resubmit()
        transition([Change(job.pk, job.attempt, Status.ERROR, message="again")], source="test")
        job.read_row()

    with django_assert_num_queries(1):
        found = attempts_of(job)

    assert len(found) == MOST_ATTEMPTS
    assert found[0].number == job.attempt
    assert f"of {job.attempt} attempts are shown" in page(anns, job)


def test_a_job_of_somebody_else_is_404(bobs, twice):
    assert bobs.get(f"/jobs/{twice.pk}/attempts/").status_code == 404
