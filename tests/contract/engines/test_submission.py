"""Handing over an attempt, and finding it again."""

import pytest

from jobs.engine import EngineRefused, make_tag
from jobs.status import Status


def test_a_submission_brings_an_external_id_by_which_it_is_found_again(world, desk):
    job = desk.submit(world.succeeding())
    assert job.external_id
    assert len(job.external_id) <= 255
    assert world.engine.recover(job.scheduler, job.tag) == job.external_id


def test_it_is_found_again_by_an_engine_that_was_started_anew(world, desk):
    job = desk.submit(world.lasting())
    world.restart()
    assert world.engine.recover(job.scheduler, job.tag) == job.external_id


def test_submitting_an_attempt_twice_has_the_effect_of_once(world, desk):
    job = desk.submit(world.succeeding())
    assert world.engine.submit(job) == job.external_id
    world.restart()
    assert world.engine.submit(job) == job.external_id
    desk.until(job, Status.COMPLETE)
    desk.asked(5, job)
    assert world.starts(job) == 1


def test_submitting_an_attempt_that_has_ended_does_not_run_it_again(world, desk):
    job = desk.ended(world.succeeding())
    assert world.engine.submit(job) == job.external_id
    desk.asked(5, job)
    assert world.starts(job) == 1


def test_submitting_an_attempt_that_works_does_not_disturb_it(world, desk):
    job = desk.running(world.lasting())
    assert world.engine.submit(job) == job.external_id
    done = world.work_done(job)
    desk.wait(lambda: world.work_done(job) > done, "it works on", job)
    assert world.starts(job) == 1


def test_an_attempt_never_submitted_is_not_found(world, desk):
    job = desk.ready(world.succeeding())
    assert world.engine.recover(job.scheduler, job.tag) is None


def test_of_many_attempts_exactly_the_one_asked_for_is_found(world, desk):
    job, other = desk.submit(world.lasting()), desk.submit(world.lasting())
    never = desk.ready(world.succeeding())
    assert job.external_id != other.external_id
    assert world.engine.recover(job.scheduler, other.tag) == other.external_id
    assert world.engine.recover(job.scheduler, never.tag) is None
    assert world.engine.recover(job.scheduler, make_tag(job.uuid, job.attempt + 1)) is None


def test_what_another_installation_submitted_is_not_found(world, desk, settings):
    job = desk.submit(world.lasting())
    ours, settings.JOBS = settings.JOBS, {**settings.JOBS, "INSTANCE": "another"}
    theirs, settings.JOBS = job.tag, ours
    assert world.engine.recover(job.scheduler, theirs) is None


def test_what_cannot_run_is_refused_in_words_and_leaves_nothing(world, desk):
    job = desk.ready(world.impossible())
    with pytest.raises(EngineRefused) as refusal:
        world.engine.submit(job)
    assert str(refusal.value).strip()
    assert world.traces(job) == []
    assert world.engine.recover(job.scheduler, job.tag) is None
