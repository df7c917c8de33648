"""The embedded engine: what it makes of an attempt's folder."""

import json
import os
import shutil
from pathlib import Path

import pytest

from jobs.engine import EngineRefused, Handle, Outcome, Watched, handle_of, make_tag
from jobs.identity import HOST
from jobs.local.engine import LocalEngine, attempt_folder, look
from jobs.models import Heartbeat, Scheduler
from jobs.processes.identity import ProcessId, end_tagged
from jobs.status import Status
from jobs.testing import fake_clock
from jobs.workspaces import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(monkeypatch):
    return LocalEngine()


@pytest.fixture
def job(manager, ann, engine):
    """A command that this engine has been given; no runner has it."""
    job = manager.create_job(name="{id}", user=ann, job_type="COMMAND", command=["sleep", "30"])
    make_workspace(job)
    engine.submit(job)
    yield job
    end_tagged(job.tag)
    shutil.rmtree(Path(attempt_folder(job.tag).path).parent, ignore_errors=True)


def claim_as(job, **owner) -> None:
    """Have another process own the attempt: this one, but for what the test says."""
    me = {**ProcessId.of(os.getpid())._asdict(), **owner}
    Path(attempt_folder(job.tag).path, "claim.json").write_text(json.dumps(me))


def state_of(job, **state) -> None:
    attempt_folder(job.tag).write_state({"paused": False, "started": None, **state})


def test_a_second_submission_of_an_attempt_changes_nothing(engine, job):
    before = attempt_folder(job.tag).spec()
    job.command = ["rm", "-rf", "everything"]
    assert engine.submit(job) == job.tag
    assert attempt_folder(job.tag).spec() == before


def test_what_was_submitted_is_recovered_and_what_was_not_is_not(engine, job):
    scheduler = engine.choose_scheduler(job)
    assert engine.recover(scheduler, job.tag) == job.tag
    assert engine.recover(scheduler, make_tag(job.uuid, 2)) is None


@pytest.mark.parametrize(
    "tag", ["somebody.else", "jobdeck.x.1", "other.00000000000000000000000000000000.1", "", "../../etc"]
)
def test_a_tag_of_nobody_here_never_becomes_a_path(tag):
    with pytest.raises(EngineRefused):
        attempt_folder(tag)


def test_an_attempt_that_waits_is_submitted(job):
    assert look(job.tag).status == Status.SUBMITTED


def test_an_attempt_that_is_to_be_paused_before_it_starts_is_paused(engine, job):
    assert engine.pause([handle_of(job)]) == {job.tag: Outcome.DONE}
    assert look(job.tag).status == Status.PAUSED


def test_an_attempt_is_running_or_paused_as_its_living_runner_says(job):
    claim_as(job)
    assert look(job.tag).status == Status.RUNNING
    state_of(job, started="2026-01-01T10:00:00.000000+00:00")
    report = look(job.tag)
    assert (report.status, report.started.isoformat()) == (Status.RUNNING, "2026-01-01T10:00:00+00:00")
    state_of(job, paused=True)
    assert look(job.tag).status == Status.PAUSED


def test_a_recycled_pid_is_not_taken_for_the_runner(job):
    claim_as(job, start_ticks=1)
    state_of(job)
    report = look(job.tag)
    assert report.status == Status.ERROR
    assert "outcome is unknown" in report.message


def test_the_runner_of_another_host_is_left_alone(job):
    claim_as(job, host="elsewhere")
    state_of(job)
    assert look(job.tag).status == Status.RUNNING


def test_a_runner_that_ended_as_we_looked_is_believed(job):
    claim_as(job, start_ticks=1)
    outcome = {"reason": "exited", "exit_code": 0, "started": None, "finished": "2026-01-01T10:00:00+00:00"}
    attempt_folder(job.tag).finish({**outcome, "message": ""})
    assert look(job.tag).status == Status.COMPLETE


def test_an_attempt_that_nobody_knows_has_no_report(job):
    assert look(make_tag(job.uuid, 7)) is None


def test_stopping_what_waits_cancels_it_for_good(engine, job):
    assert engine.stop([handle_of(job)]) == {job.tag: Outcome.DONE}
    assert look(job.tag).status == Status.ABORTED
    assert not attempt_folder(job.tag).claim()


def test_there_is_nothing_to_stop_pause_or_forget_of_an_attempt_that_never_was(engine, job):
    handle = Handle(make_tag(job.uuid, 9), "", None, Path("/nowhere"))
    for act in (engine.stop, engine.pause, engine.resume, engine.forget):
        assert act([handle]) == {handle.tag: Outcome.OVER}
    assert engine.logs(handle) == []


def test_what_still_runs_is_not_forgotten_yet(engine, job):
    claim_as(job)
    assert engine.forget([handle_of(job)]) == {job.tag: Outcome.LATER}
    assert attempt_folder(job.tag).spec() is not None


def test_what_waits_is_looked_at_now_and_then_and_at_once_when_somebody_asks(engine, job):
    scheduler = engine.choose_scheduler(job)
    watched = [Watched(job.tag, job.tag, Status.SUBMITTED)]
    with fake_clock() as clock:
        assert engine.poll(scheduler, None, watched).full
        assert engine.poll(scheduler, None, watched).reports == []
        scheduler.look_wanted = clock()
        assert len(engine.poll(scheduler, None, watched).reports) == 1
        scheduler.look_wanted = None
        clock.move(5)
        assert engine.poll(scheduler, None, watched).full


def test_a_log_that_is_a_link_is_not_shown(engine, job, tmp_path):
    (tmp_path / "secret").write_text("secret")
    Path(attempt_folder(job.tag).path, "stdout").symlink_to(tmp_path / "secret")
    assert engine.logs(handle_of(job)) == []


def test_logs_are_read_in_ranges_of_bytes(engine, job):
    Path(attempt_folder(job.tag).path, "stdout").write_bytes(b"0123456789")
    (log,) = engine.logs(handle_of(job))
    assert (log.name, log.size) == ("stdout", 10)
    assert [log.read(2, 3), log.read(-3), log.read(8, 100), log.read(50), log.read(-50, 2)] == [
        b"234",
        b"789",
        b"89",
        b"",
        b"01",
    ]


def test_a_job_goes_to_this_host_or_to_one_that_has_a_monitor(engine, job, settings):
    from jobs import clock

    Scheduler.objects.all().delete()
    assert engine.choose_scheduler(job).host == HOST
    Scheduler.objects.update(host="elsewhere", name="local:elsewhere")
    Heartbeat.objects.create(kind="monitor", holder="m", host="elsewhere", pid=1, started=clock.now(), time=clock.now())
    assert engine.choose_scheduler(job).host == "elsewhere"
