"""CommandJob, from the wish to run it to its end, over the embedded engine."""

import stat
import sys
import time
from pathlib import Path

import pytest

from jobs.engine import handle_of
from jobs.local.engine import attempt_folder
from jobs.models import Job, Scheduler, job_rows
from jobs.monitor.polling import engines
from jobs.processes.identity import end_tagged, tagged_processes
from jobs.status import Status
from jobs.testing import settle
from jobs.workspaces import make_workspace, workspace_path
from tests.local.conftest import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(manager, ann):
    """A function that makes a CommandJob of ann's and executes it unless the test says otherwise."""
    made = []

    def make(*argv, execute=True, **attributes):
        attributes.setdefault("command", list(argv))
        user = attributes.pop("user", ann)
        job = manager.create_job(name="command {id}", user=user, job_type="COMMAND", **attributes)
        made.append(job.tag)
        if execute:
            job.execute()
            settle()
        return job

    yield make
    for tag in made:
        attempt_folder(tag).cancel() if attempt_folder(tag).spec() else None
        end_tagged(tag)


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


def until(job, *statuses: str):
    """Do what monitor and workers do until the job is in one of these statuses; its row."""

    def reached():
        settle()
        job.read_row()
        return job.status_code in statuses

    eventually(reached, within=20)
    return job


def ended(job):
    return until(job, Status.COMPLETE, Status.ERROR, Status.ABORTED, Status.RESULTS_READY)


def log(job, name="stdout") -> str:
    files = {file.name: file for file in engines()["local"].logs(handle_of(job))}
    return files[name].read().decode()


def test_a_command_runs_and_its_exit_code_logs_and_figures_are_known(command):
    job = ended(command(*shell("echo out; echo err >&2; exit 3")))
    assert (job.status, job.exit_code) == ("Error", 3)
    assert (log(job), log(job, "stderr")) == ("out\n", "err\n")
    assert "exit code 3" in job.status_message
    assert job.resources["cpu_seconds"] >= 0
    assert job.resources["max_rss_bytes"] > 0
    assert job.creation_time <= job.execute_time <= job.start_time <= job.completion_time


def test_a_command_that_ends_well_is_complete_and_keeps_what_it_said_last(command):
    job = command("sleep", "0.4")
    until(job, Status.RUNNING)
    from jobs.transitions import Change, transition

    transition([Change(job.pk, 1, message="all months computed")], source="callback")
    ended(job)
    assert (job.status, job.exit_code, job.status_message) == ("Complete", 0, "all months computed")


def test_words_of_an_argv_reach_the_program_as_they_are(command):
    words = ["a b", "$HOME", "*", "'", '"', "", "ünï", "-n", "a\nb"]
    job = ended(command(sys.executable, "-c", "import sys; print(sys.argv[1:])", *words))
    assert log(job) == f"{words}\n"


def test_a_line_for_the_shell_is_read_by_a_shell(command):
    job = ended(command(command="printf 'b\\na\\n' | sort && echo $((1+1))", shell=True))
    assert (job.status, log(job)) == ("Complete", "a\nb\n2\n")


def test_a_command_works_in_its_jobs_workspace(command):
    job = ended(command(*shell("pwd; echo 1 > result.txt")))
    assert log(job).strip() == str(workspace_path(job))
    assert (workspace_path(job) / "result.txt").read_text() == "1\n"


def test_input_files_are_copied_into_the_workspace(command, tmp_path):
    (tmp_path / "model.txt").write_text("42")
    job = command("cat", "model.txt", input_files=[str(tmp_path / "model.txt")])
    assert log(ended(job)) == "42"
    assert (tmp_path / "model.txt").read_text() == "42"


def test_an_input_file_that_lies_in_the_workspace_already_is_left_there(command):
    job = command("cat", "mine.txt", execute=False, input_files=["mine.txt"])
    (make_workspace(job) / "mine.txt").write_text("here")
    job.execute()
    assert log(ended(job)) == "here"


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_an_input_file_that_cannot_be_copied_is_an_error_that_names_it(command, tmp_path, what):
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    job = command("true", input_files=[str(path)])
    assert job.status == "Error"
    assert f"input_files: {path} could not be copied into the workspace: " in job.status_message
    assert job.start_time is None


def test_a_program_that_is_not_there_is_an_error_that_says_what_to_do(command):
    job = ended(command("no-such-program"))
    assert job.status == "Error"
    assert "'no-such-program' was not found" in job.status_message


def test_a_command_gets_the_jobs_variables_and_none_of_the_sites_secrets(command, monkeypatch, settings):
    for name in ("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a secret of the site")
    job = ended(command("env", environment={"OMP_NUM_THREADS": "4", "LANG": "C"}))
    values = dict(line.split("=", 1) for line in log(job).splitlines() if "=" in line)
    assert (values["OMP_NUM_THREADS"], values["LANG"]) == ("4", "C")
    assert values["JOBDECK_JOB_ID"] == str(job.uuid)
    assert values["JOBDECK_CALLBACK_URL"] == f"http://127.0.0.1:8000/update-job-status/{job.pk}/"
    assert "a secret of the site" not in log(job)
    assert job.callback_token() not in log(job)
    assert settings.SECRET_KEY not in log(job)


def test_the_token_file_is_for_this_account_only_and_opens_the_callback(command, client):
    job = command(*shell('cat "$JOBDECK_CALLBACK_TOKEN_FILE"; echo; echo "$JOBDECK_CALLBACK_TOKEN_FILE"; sleep 30'))
    until(job, Status.RUNNING)
    token, path = eventually(lambda: log(job).count("\n") == 2 and log(job).split())
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post(f"/update-job-status/{job.pk}/", {"progress": "40", "message": "half"}, headers=headers)
    assert answer.status_code == 200
    job.read_row()
    assert (job.status_code, job.progress, job.status_message) == ("RUN", 40.0, "half")


def test_a_command_over_its_timeout_is_ended_and_says_so(command):
    job = ended(command("sleep", "60", timeout=1))
    assert job.status == "Error"
    assert "longer than its timeout of 1 s" in job.status_message
    assert tagged_processes(job.tag) == []


def test_a_running_command_is_stopped_with_all_that_it_started(command):
    job = command(*shell("sleep 60 & setsid sleep 61 & wait"))
    until(job, Status.RUNNING)
    eventually(lambda: len(tagged_processes(job.tag)) >= 3)
    job.stop()
    ended(job)
    assert (job.status, job.exit_code) == ("Aborted", None)
    assert tagged_processes(job.tag) == []


def test_a_command_is_paused_and_goes_on(command):
    job = command(sys.executable, "-c", "import time\nwhile True: print(1, flush=True); time.sleep(0.01)")
    until(job, Status.RUNNING)
    eventually(lambda: log(job))
    job.pause()
    until(job, Status.PAUSED)
    before = log(job)
    time.sleep(0.1)
    assert log(job) == before
    job.resume()
    until(job, Status.RUNNING)
    eventually(lambda: len(log(job)) > len(before))
    job.stop()
    assert ended(job).status == "Aborted"


@pytest.mark.django_db(transaction=True)
def test_a_command_that_waits_for_a_slot_is_stopped_without_being_started(command, settings):
    settings.JOBS = {**settings.JOBS, "LOCAL_SLOTS": 0}
    job = command(*shell("touch started"))
    assert job.status == "Submitted"
    before = time.monotonic()
    job.stop()
    ended(job)
    assert time.monotonic() - before < 4, "a stop does not wait for the next look at all that waits"
    assert (job.status, job.status_message) == ("Aborted", "Stopped before it started.")
    assert not (workspace_path(job) / "started").exists()


def test_a_running_command_that_is_deleted_is_ended_and_leaves_nothing(command):
    job = command("sleep", "60")
    until(job, Status.RUNNING)
    folder, workspace, tag = attempt_folder(job.tag).path, workspace_path(job), job.tag
    job.delete()
    eventually(lambda: settle() or not job_rows().filter(pk=job.pk).exists(), within=20)
    assert tagged_processes(tag) == []
    assert not Path(folder).exists()
    assert not Path(folder).parent.exists()
    assert not workspace.exists()


def test_a_deleted_job_leaves_the_folder_that_its_author_named(command, tmp_path):
    job = ended(command(*shell("echo 1 > result.txt"), workspace=str(tmp_path)))
    job.delete()
    settle()
    assert not Job.objects.filter(pk=job.pk).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]


def test_each_attempt_has_logs_and_a_token_of_its_own(command):
    job = ended(command(*shell('echo "$PPID"; cat "$JOBDECK_CALLBACK_TOKEN_FILE"')))
    first, handle = log(job), handle_of(job)
    job.resubmit()
    settle()
    ended(job)
    assert job.attempt == 2
    assert log(job) != first
    assert engines()["local"].logs(handle)[0].read().decode() == first


def test_a_job_that_was_run_is_at_the_scheduler_of_this_host(command):
    job = ended(command("true"))
    assert job.scheduler == Scheduler.objects.get(type="local")


def test_the_command_line_is_shown_as_a_person_would_type_it(command):
    job = command("echo", "a b", "$c", execute=False)
    assert job.command_line == "echo 'a b' '$c'"
    assert command(execute=False, command="a | b", shell=True).command_line == "a | b"
