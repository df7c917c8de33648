"""The worker: a submission arrives exactly once, whatever died on the way."""

from contextlib import ExitStack

import pytest

from jobs import intents
from jobs.conf import conf
from jobs.engine import EngineUnavailable
from jobs.models import Action, Intent, Scheduler, job_rows
from jobs.status import Status
from jobs.testing import settle
from jobs.worker import submission
from jobs.worker.carry_out import carry_out
from jobs.worker.claims import claim_intent, claim_job
from jobs.worker.places import AT_ONCE, place_for

pytestmark = pytest.mark.django_db


class PowerCut(BaseException):
    """The process is gone: nothing that comes after is done."""


@pytest.fixture
def wanted(fake_job, clock):
    """A job whose run is wanted; no worker has taken it yet."""
    job = fake_job(submitted=False)
    job.execute()
    return job


def intent_of(job) -> Intent:
    return Intent.objects.filter(job_id=job.pk).latest("id")


def test_a_submitted_job_has_its_external_id_and_its_time(wanted, fake, row, clock):
    settle()
    now = row(wanted)
    assert (now["status_code"], now["external_id"], now["execute_time"]) == ("SUB", "fake-1", clock())
    assert now["claim"] == ""
    assert (intent_of(wanted).outcome, intent_of(wanted).tries) == ("done", 1)


def test_a_refused_submission_is_an_error_in_the_words_of_the_engine(wanted, fake, row, history):
    fake.refuses = "there is no such queue: 'long'"
    settle()
    assert row(wanted)["status_message"] == "there is no such queue: 'long'"
    assert history(wanted) == [("PEN", "ERR")]
    assert intent_of(wanted).outcome == "refused" or intent_of(wanted).outcome == "over"
    assert fake.attempts == {}


def test_while_the_engine_is_away_the_job_stays_wanted_and_the_scheduler_says_why(wanted, fake, row, clock):
    fake.away = True
    settle()
    assert row(wanted)["status_code"] == Status.PENDING
    assert intent_of(wanted).closed is None
    assert intent_of(wanted).last_error == "the fake engine is away"
    scheduler = Scheduler.objects.get(name="fake")
    assert (scheduler.last_error, scheduler.reachable) == ("the fake engine is away", False)
    fake.away = False
    clock.move(120)
    settle()
    assert row(wanted)["status_code"] == Status.SUBMITTED
    assert Scheduler.objects.get(name="fake").reachable


def test_the_pauses_between_two_tries_grow_up_to_a_minute(wanted, fake, clock):
    fake.away = True
    pauses = []
    for _ in range(8):
        settle()
        pauses.append((intent_of(wanted).next_try - clock()).total_seconds())
        clock.move(pauses[-1])
    assert pauses == sorted(pauses)
    assert pauses[0] <= 4
    assert pauses[-1] == 60


def test_a_submission_whose_answer_was_lost_is_found_again_and_not_made_twice(wanted, fake, row, clock, monkeypatch):
    submit = fake.submit

    def answer_lost(job):
        submit(job)
        raise EngineUnavailable("the connection broke off")

    monkeypatch.setattr(fake, "submit", answer_lost)
    settle()
    assert row(wanted)["status_code"] == Status.PENDING
    clock.move(10)
    settle()
    assert (row(wanted)["status_code"], row(wanted)["external_id"]) == ("SUB", "fake-1")
    assert fake.attempts[wanted.tag].submissions == 1


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_worker_that_dies_at_the_submission_is_followed_by_one_that_submits_it_once(
    wanted, fake, row, clock, monkeypatch, cut
):
    submit = fake.submit

    def cut_off(job):
        if cut == "after":
            submit(job)
        raise PowerCut

    monkeypatch.setattr(fake, "submit", cut_off)
    with pytest.raises(PowerCut):
        carry_out(intent_of(wanted).pk)
    monkeypatch.setattr(fake, "submit", submit)
    settle()
    assert row(wanted)["status_code"] == Status.PENDING, "the dead worker's claim still stands"
    clock.move(conf.LEASE + 1)
    settle()
    assert (row(wanted)["status_code"], row(wanted)["external_id"]) == ("SUB", "fake-1")
    assert fake.attempts[wanted.tag].submissions == 1


def test_a_worker_that_dies_before_it_recorded_the_submission_is_followed_by_one_that_does(
    wanted, fake, row, clock, monkeypatch, history
):
    def cut_off(*args):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(submission, "record", cut_off)
        with pytest.raises(PowerCut):
            carry_out(intent_of(wanted).pk)
    clock.move(conf.LEASE + 1)
    settle()
    assert row(wanted)["external_id"] == "fake-1"
    assert fake.attempts[wanted.tag].submissions == 1
    assert history(wanted) == [("PEN", "SUB")]


def test_a_worker_whose_claim_ran_out_does_not_record_over_its_follower(wanted, fake, row, clock, monkeypatch):
    submit = fake.submit

    def asleep_meanwhile(job):
        external_id = submit(job)
        clock.move(conf.LEASE + 1)
        job_rows().filter(pk=job.pk).update(claim="another worker", claim_expires=clock())
        return external_id

    monkeypatch.setattr(fake, "submit", asleep_meanwhile)
    carry_out(intent_of(wanted).pk)
    assert row(wanted)["status_code"] == Status.PENDING
    assert row(wanted)["claim"] == "another worker"


def test_a_bug_of_the_engine_is_tried_some_times_and_then_the_jobs_error(wanted, fake, row, clock, monkeypatch, caplog):
    def buggy(job):
        raise KeyError("queue")

    monkeypatch.setattr(fake, "submit", buggy)
    for _ in range(8):
        settle()
        clock.move(61)
    assert row(wanted)["status_code"] == Status.ERROR
    assert row(wanted)["status_message"] == "It could not be submitted: KeyError: 'queue'"
    assert intent_of(wanted).closed is not None
    assert intent_of(wanted).tries == 5


def test_an_intent_that_one_worker_has_is_not_taken_by_another(wanted, fake, clock):
    intent = intent_of(wanted)
    assert claim_intent(intent.pk) is not None
    carry_out(intent.pk)
    assert fake.attempts == {}
    clock.move(conf.LEASE + 1)
    carry_out(intent.pk)
    assert len(fake.attempts) == 1


def test_a_second_wake_up_that_finds_the_scheduler_busy_leaves_the_first_workers_claim_alone(fake_job):
    job = fake_job()
    intents.want(job, Action.STOP)
    held = claim_intent(intent_of(job).pk)
    with ExitStack() as busy:
        for _ in range(AT_ONCE):
            assert busy.enter_context(place_for(row_scheduler(job)))
        carry_out(held.pk)
    assert Intent.objects.get(pk=held.pk).claim == held.claim != ""


def row_scheduler(job):
    return job_rows().values_list("scheduler_id", flat=True).get(pk=job.pk)


def test_a_message_about_an_intent_that_is_closed_or_gone_does_nothing(wanted, fake):
    settle()
    carry_out(intent_of(wanted).pk)
    carry_out(10**9)
    assert fake.attempts[wanted.tag].submissions == 1


def test_a_run_that_was_replaced_by_a_stop_is_not_submitted(wanted, fake, row):
    run = intent_of(wanted)
    wanted.stop()
    carry_out(run.pk)
    assert fake.attempts == {}
    settle()
    assert row(wanted)["status_code"] == Status.ABORTED
    assert fake.attempts == {}


def test_a_job_that_is_stopped_while_its_submission_was_cut_off_is_ended_at_the_engine_too(
    wanted, fake, row, clock, history
):
    claim_job(wanted.pk, 1, [Status.PENDING], scheduler=fake.choose_scheduler(wanted))
    fake.submit(wanted)
    wanted.stop()
    clock.move(conf.LEASE + 1)
    settle()
    assert history(wanted) == [("PEN", "SUB"), ("SUB", "ABT")]
    assert fake.attempts[wanted.tag].report.status == Status.ABORTED


def test_a_job_that_is_deleted_while_its_submission_was_cut_off_leaves_nothing_at_the_engine(wanted, fake, clock):
    claim_job(wanted.pk, 1, [Status.PENDING], scheduler=fake.choose_scheduler(wanted))
    fake.submit(wanted)
    wanted.delete()
    clock.move(conf.LEASE + 1)
    settle()
    assert not job_rows().filter(pk=wanted.pk).exists()
    assert fake.attempts == {}


def test_the_workspace_is_there_before_the_engine_is_asked(wanted, fake, monkeypatch):
    from jobs.workspaces import workspace_path

    seen = []
    submit = fake.submit
    monkeypatch.setattr(fake, "submit", lambda job: seen.append(workspace_path(job).is_dir()) or submit(job))
    settle()
    assert seen == [True]


def test_a_job_made_before_the_secret_key_changed_can_report_when_it_is_submitted_after(wanted, client, settings):
    settings.SECRET_KEY = "another one than when the job was made"
    settle()
    answer = client.post(
        f"/update-job-status/{wanted.pk}/",
        {"progress": 40},
        headers={"Authorization": f"Bearer {wanted.callback_token()}"},
    )
    assert answer.json() == {"success": True}
