"""An engine's schedulers, and an engine that is out of reach."""

import time

import pytest

from jobs.engine import EngineUnavailable, Watched, handle_of
from jobs.models import Scheduler
from jobs.status import Status
from jobs.types import type_of


def test_an_engine_chooses_a_scheduler_of_its_own_that_is_in_the_database(world):
    scheduler = world.engine.choose_scheduler(world.succeeding())
    assert Scheduler.objects.get(pk=scheduler.pk).type == world.engine.name


def test_preparing_again_changes_nothing(world):
    world.engine.prepare()
    rows = list(Scheduler.objects.order_by("pk").values())
    world.restart()
    world.engine.prepare()
    assert list(Scheduler.objects.order_by("pk").values()) == rows


@pytest.mark.needs("makes_schedulers")
def test_a_scheduler_that_was_removed_is_made_again(world):
    scheduler = world.engine.choose_scheduler(world.succeeding())
    Scheduler.objects.all().delete()
    again = world.engine.choose_scheduler(world.succeeding())
    assert (again.name, again.type) == (scheduler.name, scheduler.type)


def test_waiting_ends_when_the_time_is_up(world):
    # The engine that this process really has: an engine may hold on to what it waits at.
    engine = type_of(world.succeeding()).engine
    scheduler = engine.choose_scheduler(world.succeeding())
    engine.wait(scheduler, 0.05)  # what rang before is answered
    before = time.monotonic()
    assert engine.wait(scheduler, 0.2) in (True, False)
    assert time.monotonic() - before < 5


def test_what_an_engine_says_that_it_supports_is_what_it_does(world):
    supports = world.engine.supports
    assert supports == world.supports
    overridden = type(world.engine).pause.__qualname__ != "Engine.pause"
    assert supports.pause == overridden


@pytest.mark.needs("can_be_away")
def test_an_engine_out_of_reach_says_nothing_about_any_job(world, desk):
    job, never = desk.running(world.lasting()), desk.ready(world.succeeding())
    engine, handle = world.engine, handle_of(job)
    questions = {
        "submit": lambda: engine.submit(never),
        "recover": lambda: engine.recover(job.scheduler, job.tag),
        "poll": lambda: engine.poll(
            job.scheduler, job.scheduler.cursor, [Watched(job.tag, job.external_id, job.status_code)]
        ),
        "resolve": lambda: engine.resolve(job.scheduler, [handle]),
        "stop": lambda: engine.stop([handle]),
        "forget": lambda: engine.forget([handle]),
    }
    if engine.supports.pause:
        questions |= {"pause": lambda: engine.pause([handle]), "resume": lambda: engine.resume([handle])}
    with world.away():
        for what, ask in questions.items():
            with pytest.raises(EngineUnavailable) as answer:
                ask()
            assert str(answer.value).strip(), what


@pytest.mark.needs("can_be_away")
def test_an_engine_that_is_back_has_all_that_it_had(world, desk):
    job = desk.running(world.lasting())
    with world.away(), pytest.raises(EngineUnavailable):
        world.engine.stop([handle_of(job)])
    desk.latest.clear()
    desk.until(job, Status.RUNNING)
    assert world.works(job)
    assert world.engine.recover(job.scheduler, job.tag) == job.external_id
