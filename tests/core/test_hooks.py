"""Types without an engine: their hooks run one by one, in a child that can be killed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from jobs import clock, hooks, intents
from jobs.models import Action, Intent, Status, job_rows
from jobs.testing import settle
from jobs.worker.carry_out import carry_out
from jobs.worker.claims import claim_job
from jobs.workspaces import make_workspace, workspace_path
from tests.core.test_monitor import eventually
from tests.exampleapp.models import EchoJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def echo(new_job):
    """A function that makes a job with hooks; it is started already where the test says nothing else."""

    def make(text="hello", *, started=True):
        job = new_job("ECHO", text=text)
        if started:
            job.execute()
            settle()
        return job

    return make


def text_of(job) -> str:
    path = workspace_path(job) / "echo.txt"
    return path.read_text() if path.exists() else ""


def test_execute_is_called_once_and_the_job_is_submitted(echo, row, history):
    job = echo()
    assert text_of(job) == "hello\n"
    assert history(job) == [("PEN", "SUB")]
    assert Intent.objects.open().count() == 0


def test_an_execute_that_fails_is_an_error_that_says_what_and_where(echo, row):
    job = echo("fail")
    assert row(job)["status_code"] == Status.ERROR
    assert row(job)["status_message"].startswith("_execute: RuntimeError: there is no echo here (")
    assert "exampleapp/models.py, line" in row(job)["status_message"]


def test_what_update_status_says_is_written(echo, row, history):
    job = echo()
    hooks.look(job.pk)
    assert row(job)["status_code"] == Status.RUNNING
    (workspace_path(job) / "done").touch()
    hooks.look(job.pk)
    assert history(job)[-2:] == [("SUB", "RUN"), ("RUN", "COM")]


def test_a_job_is_looked_at_again_only_after_the_interval(echo):
    job = echo()
    with_clock = set(hooks.due_looks())
    assert with_clock == {job.pk}
    hooks.look(job.pk)
    assert list(hooks.due_looks()) == []


def test_a_stop_calls_the_hook_and_ends_the_job(echo, row, ann):
    job = echo()
    intents.want(job, Action.STOP, user=ann)
    settle()
    assert (workspace_path(job) / "stopped").exists()
    assert row(job)["status_code"] == Status.ABORTED


def test_a_resubmitted_job_is_started_again(echo, row):
    job = echo()
    intents.want(job, Action.STOP)
    settle()
    job.resubmit()
    settle()
    assert text_of(job) == "hello\nhello\n"
    assert (row(job)["status_code"], row(job)["attempt"]) == (Status.SUBMITTED, 2)


def test_a_pending_job_that_is_stopped_is_never_started(echo, row):
    job = echo(started=False)
    job.execute()
    intents.want(job, Action.STOP)
    settle()
    assert row(job)["status_code"] == Status.ABORTED
    assert text_of(job) == ""


def test_deleting_a_job_at_work_stops_it_first(new_job, tmp_path):
    job = new_job("ECHO", workspace=str(tmp_path))
    job.execute()
    settle()
    job.delete()
    settle()
    assert (tmp_path / "stopped").exists()
    assert not job_rows().filter(pk=job.pk).exists()


def test_a_hook_that_hangs_is_killed_at_its_deadline_with_what_it_started(echo, row, settings, tmp_path):
    settings.JOBS = {**settings.JOBS, "HOOK_TIMEOUT": 2.0}
    before = time.monotonic()
    job = echo("hang")
    assert time.monotonic() - before < 8
    assert row(job)["status_code"] == Status.ERROR
    assert "_execute: it took longer than 2 seconds and was ended" in row(job)["status_message"]
    child = int((workspace_path(job) / "child").read_text())
    eventually(lambda: not _lives(child))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_hook_that_leaves_a_process_running_is_not_waited_for(echo, row):
    before = time.monotonic()
    job = echo("background")
    assert time.monotonic() - before < 10
    assert row(job)["status_code"] == Status.SUBMITTED
    os.kill(int((workspace_path(job) / "child").read_text()), signal.SIGKILL)


def test_a_hook_that_takes_longer_than_a_claim_is_not_taken_for_dead(echo, row, settings, history):
    settings.JOBS = {**settings.JOBS, "LEASE": 0.9}
    job = echo("slow", started=False)
    job.execute()
    intent = Intent.objects.get(job=job)

    def work():
        try:
            carry_out(intent.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    eventually((make_workspace(job) / "slow").exists)
    for _ in range(10):
        carry_out(intent.pk)
        time.sleep(0.15)
    (workspace_path(job) / "go on").touch()
    worker.join(20)
    assert history(job) == [("PEN", "SUB")]


def test_a_job_whose_starter_died_is_an_error_because_nobody_knows_what_it_did(echo, row):
    job = echo(started=False)
    job.execute()
    claim_job(job.pk, 1, [Status.PENDING])
    job_rows().filter(pk=job.pk).update(claim_expires=clock.now())
    settle()
    assert row(job)["status_code"] == Status.ERROR
    assert row(job)["status_message"] == "The process that started it died; outcome unknown."
    assert text_of(job) == ""


def test_a_look_that_fails_shows_why_and_moves_nothing(echo, row):
    job = echo("unwell")
    hooks.look(job.pk)
    assert row(job)["status_code"] == Status.SUBMITTED
    assert "Its status could not be looked at: KeyError: 'where'" in row(job)["status_message"]


def test_app_code_and_the_callback_may_move_such_a_job(echo, row, client):
    job = echo()
    assert job.update_status("Running", message="half way") == "Running"
    headers = {"Authorization": f"Bearer {job.callback_token()}"}
    assert client.post(f"/update-job-status/{job.pk}/", {"status": "COM"}, headers=headers).status_code == 200
    assert EchoJob.objects.get(pk=job.pk).status == "Complete"


def test_a_hook_that_is_unknown_is_none(echo):
    job = echo(started=False)
    with pytest.raises(ValueError, match="'delete' is not a hook"):
        hooks.call(job.pk, "delete")


def test_a_type_that_does_not_override_pause_is_not_offered_it(echo, row):
    job = echo()
    job_rows().filter(pk=job.pk).update(status_code=Status.RUNNING)
    assert Action.STOP in intents.allowed_actions(job_rows().get(pk=job.pk))
    assert Action.PAUSE not in intents.allowed_actions(job_rows().get(pk=job.pk))
    with pytest.raises(intents.ActionNotAllowed, match=r"Pause: job .*; jobs of type Echo cannot do that"):
        intents.want(job, Action.PAUSE)
