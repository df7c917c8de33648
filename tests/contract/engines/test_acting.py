"""Stopping, pausing and resuming attempts."""

import pytest

from jobs.engine import Outcome, handle_of
from jobs.status import FINAL, Status

VERBS = [
    "stop",
    pytest.param("pause", marks=pytest.mark.needs("pause")),
    pytest.param("resume", marks=pytest.mark.needs("pause")),
]


@pytest.mark.parametrize("force", [False, True], ids=["asked", "forced"])
def test_a_stop_ends_the_job_with_all_that_it_started(world, desk, force):
    job = desk.running(world.lasting())
    assert desk.act("stop", job, force=force) is Outcome.DONE
    assert desk.until(job, *FINAL).status == Status.ABORTED
    assert not world.works(job)


def test_a_stop_before_the_start_keeps_the_job_from_working(world, desk):
    job = desk.submit(world.lasting())
    assert desk.act("stop", job) is Outcome.DONE
    assert desk.until(job, *FINAL).status == Status.ABORTED
    desk.asked(5, job)
    assert not world.works(job)


def test_asking_for_a_stop_again_is_harmless(world, desk):
    job = desk.running(world.lasting())
    desk.act("stop", job)
    assert desk.act("stop", job, force=True) in (Outcome.DONE, Outcome.OVER)
    assert desk.until(job, *FINAL).status == Status.ABORTED


def test_a_stop_touches_no_other_job(world, desk):
    job, other = desk.running(world.lasting()), desk.running(world.lasting())
    desk.act("stop", job)
    desk.until(job, Status.ABORTED)
    done = world.work_done(other)
    desk.wait(lambda: world.work_done(other) > done, "the other one works on", other)


def test_a_stop_works_after_the_engine_was_started_anew(world, desk):
    job = desk.running(world.lasting())
    world.restart()
    assert desk.act("stop", job) is Outcome.DONE
    assert desk.until(job, *FINAL).status == Status.ABORTED
    assert not world.works(job)


@pytest.mark.parametrize("verb", VERBS)
def test_there_is_nothing_to_act_on_in_an_attempt_that_has_ended(world, desk, verb):
    job = desk.ended(world.succeeding())
    assert desk.act(verb, job) is Outcome.OVER
    desk.latest.clear()
    assert desk.until(job, *FINAL).status == Status.COMPLETE


@pytest.mark.parametrize("verb", VERBS)
def test_there_is_nothing_to_act_on_where_the_engine_never_had_the_attempt(world, desk, verb):
    never = desk.ready(world.lasting())
    assert desk.act(verb, never) is Outcome.OVER
    assert world.traces(never) == []


def test_each_of_several_attempts_has_its_own_outcome(world, desk):
    works, over = desk.running(world.lasting()), desk.ended(world.succeeding())
    never = desk.ready(world.lasting())
    outcomes = world.engine.stop([handle_of(job) for job in (works, over, never)])
    assert outcomes == {works.tag: Outcome.DONE, over.tag: Outcome.OVER, never.tag: Outcome.OVER}
    desk.until(works, Status.ABORTED)


@pytest.mark.needs("pause")
def test_a_paused_job_rests_until_it_is_resumed(world, desk):
    job = desk.running(world.lasting())
    assert desk.act("pause", job) is Outcome.DONE
    desk.until(job, Status.PAUSED)
    done = world.work_done(job)
    desk.asked(15, job)
    assert world.work_done(job) == done
    assert desk.act("resume", job) is Outcome.DONE
    desk.until(job, Status.RUNNING)
    desk.wait(lambda: world.work_done(job) > done, "it works again", job)
    assert world.starts(job) == (2 if world.pause_interrupts else 1)


@pytest.mark.needs("pause")
def test_a_job_paused_before_its_start_does_not_start_until_it_is_resumed(world, desk):
    for _ in range(3):
        job = desk.submit(world.succeeding())
        assert desk.act_when_possible("pause", job) is Outcome.DONE
        if world.starts(job) == 0:  # else the engine had started it before the pause came: that is another test
            break
    desk.until(job, Status.PAUSED)
    desk.asked(10, job)
    assert world.starts(job) == 0
    desk.act("resume", job)
    desk.until(job, Status.COMPLETE)
    assert world.starts(job) == 1


@pytest.mark.needs("pause")
def test_a_paused_job_can_be_stopped(world, desk):
    job = desk.running(world.lasting())
    desk.act("pause", job)
    desk.until(job, Status.PAUSED)
    assert desk.act("stop", job) is Outcome.DONE
    assert desk.until(job, *FINAL).status == Status.ABORTED
    assert not world.works(job)


@pytest.mark.needs("pause")
def test_pausing_and_resuming_twice_is_harmless(world, desk):
    job = desk.running(world.lasting())
    for verb, status in (("pause", Status.PAUSED), ("resume", Status.RUNNING)):
        assert desk.act(verb, job) is Outcome.DONE
        desk.until(job, status)
        assert desk.act(verb, job) is Outcome.DONE
        desk.asked(3, job)
        assert desk.latest[job.tag].status == status
