"""Several attempts of one job, and what is left of them."""

import pytest

from jobs.engine import Outcome, handle_of
from jobs.status import FINAL, Status


def test_a_new_attempt_is_another_one_for_the_engine(world, desk):
    job = desk.ended(world.succeeding())
    first, first_id = job.tag, job.external_id
    desk.resubmit(job)
    assert job.external_id != first_id
    assert world.engine.recover(job.scheduler, first) == first_id
    assert world.engine.recover(job.scheduler, job.tag) == job.external_id
    desk.until(job, Status.COMPLETE)
    assert world.starts(job, 1) == world.starts(job, 2) == 1


def test_acting_on_an_earlier_attempt_leaves_the_new_one_alone(world, desk):
    job = world.lasting()
    desk.running(job)
    desk.act("stop", job)
    desk.until(job, Status.ABORTED)
    earlier = handle_of(job)
    desk.resubmit(job)
    desk.until(job, Status.RUNNING)
    assert world.engine.stop([earlier]) == {earlier.tag: Outcome.OVER}
    assert world.engine.forget([earlier]) == {earlier.tag: Outcome.DONE}
    done = world.work_done(job)
    desk.wait(lambda: world.work_done(job) > done, "the new attempt works on", job)
    assert world.engine.recover(job.scheduler, job.tag) == job.external_id


def test_nothing_is_left_of_an_attempt_that_was_forgotten(world, desk):
    job = desk.ended(world.succeeding())
    assert world.traces(job)
    assert desk.act("forget", job) is Outcome.DONE
    assert world.traces(job) == []
    assert world.engine.recover(job.scheduler, job.tag) is None
    if not world.keeps_history:
        assert world.engine.resolve(job.scheduler, [handle_of(job)]) == []
    assert world.engine.logs(handle_of(job)) == []


def test_there_is_nothing_to_forget_twice(world, desk):
    job = desk.ended(world.failing(3))
    desk.act("forget", job)
    assert desk.act("forget", job) is Outcome.OVER
    assert desk.act("stop", job) is Outcome.OVER


def test_an_attempt_that_never_was_is_easily_forgotten(world, desk):
    assert desk.act("forget", desk.ready(world.succeeding())) is Outcome.OVER


def test_all_attempts_of_a_job_can_be_forgotten_at_once(world, desk):
    job = desk.ended(world.succeeding())
    desk.resubmit(job)
    desk.until(job, *FINAL)
    handles = [handle_of(job, attempt=number) for number in (1, 2, 3)]
    outcomes = world.engine.forget(handles)
    assert list(map(outcomes.get, (handle.tag for handle in handles))) == [Outcome.DONE, Outcome.DONE, Outcome.OVER]
    assert world.traces(job) == []


def test_an_attempt_that_still_works_is_not_forgotten(world, desk):
    job = desk.running(world.lasting())
    assert desk.act("forget", job) is Outcome.LATER
    done = world.work_done(job)
    desk.wait(lambda: world.work_done(job) > done, "it works on", job)


@pytest.mark.needs("live_logs")
def test_the_logs_of_an_earlier_attempt_can_still_be_read(world, desk):
    job = desk.running(world.writing("only once said"))
    desk.act("stop", job)
    desk.until(job, *FINAL)
    earlier = handle_of(job)
    desk.resubmit(job)
    desk.until(job, Status.RUNNING)
    desk.wait(lambda: any(log.size for log in world.engine.logs(handle_of(job))), "the new attempt writes", job)
    for handle in (earlier, handle_of(job, attempt=1), handle_of(job)):
        assert b"".join(log.read() for log in world.engine.logs(handle)) == b"only once said"
