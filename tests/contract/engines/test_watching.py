"""What an engine says about attempts."""

import json
import math
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.engine import Handle, Report, handle_of, make_tag
from jobs.status import FINAL, Status, resolve_status
from jobs.workspaces import workspace_path

CLOCKS = timedelta(seconds=2)
"""How far the clock of where the work runs may be off."""


def check(report: Report, since) -> None:
    """A report keeps to the form that `Report` promises."""
    if report.status is not None:
        resolve_status(report.status)  # raises for what is no status
    assert report.message is None or isinstance(report.message, str)
    assert report.exit_code is None or type(report.exit_code) is int
    assert report.progress is None or 0 <= report.progress <= 100
    for moment in (report.started, report.finished):
        assert moment is None or moment.utcoffset() is not None, "times are aware"
        assert moment is None or since - CLOCKS <= moment <= timezone.now() + CLOCKS
    assert report.started is None or report.finished is None or report.started <= report.finished
    assert all(math.isfinite(figure) and figure >= 0 for figure in (report.resources or {}).values())
    assert all(resolve_status(status) and number >= 0 for status, number in (report.counts or {}).items())
    for part in report.parts:
        assert part.name
        assert resolve_status(part.status)
        assert part.tries >= 0


@pytest.fixture
def since():
    return timezone.now()


def test_no_full_answer_after_the_submission_lacks_the_attempt(world, desk):
    job = desk.submit(world.lasting())
    answers = [desk.ask(job), *(desk.look(job) for _ in range(5))]
    for poll in answers:
        assert job.tag in {report.tag for report in poll.reports} or not poll.full


@pytest.mark.needs("full_answers")
def test_a_full_answer_has_every_attempt_watched_whatever_it_does(world, desk):
    jobs = [desk.running(world.lasting()), desk.ended(world.succeeding()), desk.ended(world.failing(3))]
    jobs.append(desk.submit(world.lasting()))
    assert {report.tag for report in desk.full_look(*jobs).reports} == {job.tag for job in jobs}


def test_a_job_that_goes_well_is_reported_complete(world, desk, since):
    job = desk.submit(world.succeeding())
    report = desk.until(job, *FINAL)
    assert report.status == Status.COMPLETE
    check(report, since)
    assert world.starts(job) == 1


@pytest.mark.needs("exit_codes")
def test_the_exit_code_of_a_job_that_goes_well_is_0(world, desk):
    job = desk.ended(world.succeeding())
    assert desk.latest[job.tag].exit_code == 0


def test_a_job_that_fails_is_reported_as_an_error(world, desk, since):
    job = desk.submit(world.failing(3))
    report = desk.until(job, *FINAL)
    assert report.status == Status.ERROR
    check(report, since)


@pytest.mark.needs("exit_codes")
@pytest.mark.parametrize("exit_code", [1, 3, 255])
def test_the_exit_code_of_a_job_that_fails_is_reported(world, desk, exit_code):
    job = desk.ended(world.failing(exit_code))
    assert desk.latest[job.tag].exit_code == exit_code


def test_a_job_that_works_is_reported_running_and_since_when(world, desk, since):
    job = desk.submit(world.lasting())
    desk.until(job, Status.RUNNING)
    desk.wait(lambda: world.work_done(job) > 2, "it works", job)
    report = desk.latest[job.tag]
    check(report, since)
    assert report.exit_code is None
    assert report.finished is None
    assert world.works(job)


def test_only_attempts_that_were_asked_for_are_reported(world, desk):
    job, other = desk.submit(world.lasting()), desk.submit(world.lasting())
    for _ in range(5):
        assert {report.tag for report in desk.look(other).reports} <= {other.tag}
    assert other.tag in desk.latest
    assert job.tag not in desk.latest


def test_an_attempt_that_the_engine_never_had_is_not_reported(world, desk):
    job, never = desk.submit(world.lasting()), desk.ready(world.succeeding())
    for _ in range(5):
        assert never.tag not in {report.tag for report in desk.look(job, never).reports}


def test_the_cursor_can_be_kept_in_the_database(world, desk):
    job = desk.submit(world.succeeding())
    poll = desk.look(job)
    assert json.loads(json.dumps(poll.cursor)) == poll.cursor


def test_an_engine_that_was_started_anew_knows_how_everything_is(world, desk):
    lasting, failed = desk.running(world.lasting()), desk.submit(world.failing(3))
    world.restart()
    desk.latest.clear()
    desk.until(failed, Status.ERROR)
    desk.until(lasting, Status.RUNNING)
    assert world.starts(lasting) == world.starts(failed) == 1


def test_the_history_has_what_has_ended(world, desk, since):
    job = desk.ended(world.failing(3))
    [report] = world.engine.resolve(job.scheduler, [handle_of(job)])
    assert (report.tag, report.status) == (job.tag, Status.ERROR)
    check(report, since)


def test_the_history_leaves_out_what_it_knows_nothing_of(world, desk):
    job, never = desk.ended(world.succeeding()), desk.ready(world.succeeding())
    unknown = Handle(make_tag(never.uuid, 1), "", job.scheduler, workspace_path(never))
    reports = world.engine.resolve(job.scheduler, [unknown, handle_of(job)])
    assert {report.tag for report in reports} == {job.tag}
    assert world.engine.resolve(job.scheduler, [unknown]) == []


@pytest.mark.needs("full_answers")
def test_an_attempt_that_the_engine_lost_is_neither_in_full_answers_nor_in_its_history(world, desk):
    job, other = desk.running(world.lasting()), desk.submit(world.lasting())
    world.lose(job)
    reported = {report.tag for report in desk.full_look(job, other).reports}
    assert reported == {other.tag}
    assert world.engine.resolve(job.scheduler, [handle_of(job)]) == []


@pytest.mark.needs("timeout")
def test_a_job_that_runs_longer_than_its_timeout_is_ended_by_the_engine(world, desk):
    job = desk.submit(world.lasting(timeout=1))
    assert desk.until(job, *FINAL).status == Status.ERROR
    assert desk.latest[job.tag].message
    assert not world.works(job)
