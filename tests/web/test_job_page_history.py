"""A job's timeline: what happened, and who asked for what."""

import pytest

from jobs.intents import want
from jobs.models import Action, Intent
from jobs.status import Status
from jobs.testing import settle
from jobs.web.history import MOST_MOMENTS, history_of

pytestmark = pytest.mark.django_db


def titles(job) -> list[str]:
    """What the timeline says, in the order in which it happened."""
    return [moment.title for moment in history_of(job).moments][::-1]


def test_it_says_who_asked_for_what_before_what_came_of_it(new_job, fake, ann, bob):
    job = new_job()
    want(job, Action.RUN, user=ann)
    settle()
    fake.start(job)
    settle()
    want(job, Action.STOP, user=bob)
    settle()

    assert titles(job) == ["ann asked to run it", "Submitted", "Running", "bob asked to stop it", "Aborted"]


def test_what_app_code_asked_for_and_what_is_not_done_yet_is_said(anns, new_job, fake):
    job = new_job()
    fake.away = True
    job.execute()

    page = anns.get(f"/jobs/{job.pk}/").content.decode()

    assert "App code asked to run it" in page
    assert "Not carried out yet." in page


def test_a_wish_that_gave_way_to_another_says_so(new_job, fake, ann):
    job = new_job()
    want(job, Action.RUN, user=ann)
    want(job, Action.STOP, user=ann)

    first = history_of(job).moments[-1]

    assert "another wish took its place" in first.message


def test_a_look_is_nobodys_wish(new_job):
    job = new_job(status=Status.RUNNING)
    now = job.creation_time
    Intent.objects.create(job=job, action=Action.REFRESH, attempt=1, created=now, next_try=now)

    assert titles(job) == ["Running"]


def test_html_in_a_name_or_error_is_text(anns, new_job, bob, fake):
    bob.username = "<i>bob</i>"
    bob.save()
    job = new_job()
    want(job, Action.RUN, user=bob)
    Intent.objects.filter(job=job).update(last_error="<b>away</b>")

    page = anns.get(f"/jobs/{job.pk}/").content.decode()

    assert "<i>bob" not in page
    assert "<b>away" not in page


def test_a_long_history_is_two_queries_and_shows_its_end(anns, new_job, django_assert_num_queries):
    from jobs.models import JobEvent

    job = new_job(status=Status.RUNNING)
    JobEvent.objects.bulk_create(
        JobEvent(job=job, attempt=1, time=job.creation_time, new_status="RUN", message=f"m{number}", source="test")
        for number in range(MOST_MOMENTS + 10)
    )

    with django_assert_num_queries(2):
        history = history_of(job)

    assert (len(history.moments), history.cut) == (MOST_MOMENTS, True)
    assert "are shown" in anns.get(f"/jobs/{job.pk}/").content.decode()
