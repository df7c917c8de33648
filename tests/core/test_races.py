"""Two writers at one job: one wins."""

import itertools
import threading

import pytest
from django.db import connection

from jobs import intents
from jobs.errors import ActionNotAllowed
from jobs.models import Action, Intent, JobEvent, Status, job_rows
from jobs.transitions import Change, transition

pytestmark = pytest.mark.django_db(transaction=True)

RACES = 200


def race(jobs, *contenders) -> list[list]:
    """Have each contender, in a thread and with a connection of its own, do its part for every job, side by side.

    Returns:
        For each job what the contenders answered.
    """
    barrier = threading.Barrier(len(contenders))
    answers = [[None] * len(contenders) for _ in jobs]

    def run(place, contender):
        try:
            for number, job in enumerate(jobs):
                barrier.wait(30)
                answers[number][place] = contender(job)
        except BaseException:
            barrier.abort()
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def to(status):
    return lambda job: transition([Change(job.pk, 1, status)], source=f"writer of {status}")


@pytest.mark.parametrize(
    ("first", "second"), [("COM", "ABT"), ("COM", "COM"), ("ERR", "COM")], ids=["differ", "alike", "failed"]
)
def test_of_two_writers_that_move_one_job_one_wins(new_job, first, second):
    jobs = [new_job() for _ in range(RACES)]
    job_rows().update(status_code=Status.RUNNING)
    answers = race(jobs, to(first), to(second))
    assert [len(one) + len(other) for one, other in answers] == [1] * RACES
    statuses = dict(job_rows().values_list("pk", "status_code"))
    for job, (one, other) in zip(jobs, answers, strict=True):
        assert statuses[job.pk] == (one + other)[0].new
    events = list(JobEvent.objects.values_list("job_id", "new_status"))
    assert sorted(events) == sorted(statuses.items())


def test_of_two_who_resubmit_a_job_one_starts_an_attempt(new_job):
    jobs = [new_job() for _ in range(50)]
    job_rows().update(status_code=Status.ERROR)

    def resubmit(job):
        return transition([Change(job.pk, 1, resubmit=True)], source="person")

    answers = race(jobs, resubmit, resubmit)
    assert [len(one) + len(other) for one, other in answers] == [1] * 50
    assert set(job_rows().values_list("attempt", flat=True)) == {2}


def test_two_calls_that_move_many_of_the_same_jobs_do_not_wait_for_each_other_in_a_ring(new_job):
    jobs = [new_job() for _ in range(60)]
    job_rows().update(status_code=Status.SUBMITTED)

    def all_of(order):
        def move(_):
            return [
                transition([Change(job.pk, 1, status) for job in order], source="writer")
                for status in ("RUN", "PAS") * 5
            ]

        return move

    race([None], all_of(jobs), all_of(jobs[::-1]))
    assert set(job_rows().values_list("status_code", flat=True)) == {"PAS"}
    events = JobEvent.objects.filter(job=jobs[0]).values_list("old_status", "new_status")
    assert all(before[1] == after[0] for before, after in itertools.pairwise(events))


def test_of_two_who_want_different_things_of_a_job_one_is_refused_or_gives_way(fake, new_job):
    jobs = [new_job("FAKE") for _ in range(50)]

    def want(action):
        def ask(job):
            try:
                return intents.want(job, action)
            except ActionNotAllowed:
                return "refused"

        return ask

    race(jobs, want(Action.RUN), want(Action.DELETE))
    assert Intent.objects.open().count() == 50
    assert set(Intent.objects.open().values_list("action", flat=True)) == {Action.DELETE}
    assert set(Intent.objects.exclude(outcome="").values_list("action", "outcome")) <= {(Action.RUN, "replaced")}


def test_two_who_want_the_same_of_a_job_get_one_intent(fake, new_job):
    jobs = [new_job("FAKE") for _ in range(50)]
    answers = race(jobs, lambda job: intents.want(job, "run"), lambda job: intents.want(job, "run"))
    assert all(one == other for one, other in answers)
    assert Intent.objects.count() == 50
