"""Whole jobs in a real pool, from app code to the files in the workspace."""

import os
import shutil
from pathlib import Path

import pytest

from jobs.apps import JobsAppMixin
from jobs.workspaces import workspace_path
from tests.condor.live import Live

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1 << 20


class MyFirstApp(JobsAppMixin):
    """The app of the example."""

    name = "my_first_app"


@pytest.fixture
def live(pool, ann):
    """The pool, as a site uses it."""
    live = Live(pool, ann)
    yield live
    live.close()


@pytest.fixture
def shared(pool, ann):
    """The pool with the folder that it shares with this machine, and a folder of this test's in it."""
    if not pool.shared_folder:
        pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
    live = Live(pool, ann, shared_folders=[pool.shared_folder])
    live.folder = Path(pool.shared_folder) / f"jobs-{os.urandom(6).hex()}"
    live.folder.mkdir()
    yield live
    live.close()
    shutil.rmtree(live.folder)


def read(job, name: str) -> str:
    """A file in the job's workspace."""
    return (workspace_path(job) / name).read_text()


def stdout(job, process: int = 0) -> str:
    """What a process of the job printed."""
    from jobs.engine import handle_of

    name = "stdout" if job.num_jobs == 1 else f"stdout {process}"
    [log] = [log for log in job.type.engine.logs(handle_of(job)) if log.name == name]
    return log.read().decode()


def test_the_example_of_the_jobs_api_works_as_printed(live, ann, manager, settings):
    """Seed 001, 'Creating and Executing a Job', word for word; `request.user` is ann, `app` an app of this site."""

    class request:
        user = ann

    app = MyFirstApp
    job_manager = app.get_job_manager()
    app_workspace = app.get_app_workspace().path
    script = Path(app_workspace) / "my_script.py"
    script.write_text("#!/usr/bin/python3\nprint(open('input_1').read() + open('input_2').read())\n")
    (Path(app_workspace) / "input_1").write_text("wind ")
    (Path(app_workspace) / "input_2").write_text("and weather")

    # create a new job from the job manager
    job = job_manager.create_job(
        name="myjob_{id}",  # required
        user=request.user,  # required
        job_type="CONDOR",  # required
        # any other properties can be passed in as kwargs
        attributes=dict(attribute1="attr1"),  # noqa: C408 as printed
        condorpy_template_name="vanilla_transfer_files",
        remote_input_files=(
            os.path.join(app_workspace, "my_script.py"),  # noqa: PTH118 as printed
            os.path.join(app_workspace, "input_1"),  # noqa: PTH118
            os.path.join(app_workspace, "input_2"),  # noqa: PTH118
        ),
    )

    # properties can also be added after the job is created
    job.extended_properties = {"one": 1, "two": 2}

    # each job type may provided methods to further specify the job
    job.set_attribute("executable", "my_script.py")

    # save or execute the job
    job.save()
    # or
    job.execute()

    live.jobs.append(job)
    live.ended(job)
    assert (job.status, job.exit_code) == ("Complete", 0)
    assert stdout(job).strip() == "wind and weather"
    assert job.name == f"myjob_{job.pk}"
    assert job.cluster_id > 0


def test_input_goes_out_and_output_comes_back_into_the_workspace(live, tmp_path):
    (tmp_path / "wind.txt").write_text("3 m/s")
    job = live.shell("cat wind.txt > copy.txt; echo done >&2; exit 0", remote_input_files=[str(tmp_path / "wind.txt")])
    live.ended(job)
    assert job.status == "Complete"
    assert read(job, "copy.txt") == "3 m/s"
    assert {"cpu_seconds", "max_rss_bytes"} >= job.resources.keys()
    assert job.start_time <= job.completion_time


def test_nothing_of_a_job_is_left_in_the_queue_after_its_outputs_are_here(live):
    from jobs.condor.reach import reach_of

    job = live.ended(live.shell("true"))
    tag = f'JobdeckTag == "{job.tag}"'
    live.until(lambda: not reach_of(live.scheduler).query(tag, ["ClusterId"]), "it is out of the queue")
    job.read_row()
    assert (job.leftover, job.status_display) == (False, "Complete")


@pytest.mark.parametrize("names", [["wind speed é.txt", "ß", "plain.txt"]])
def test_names_with_spaces_and_letters_of_all_languages_travel_both_ways(live, tmp_path, names):
    for name in names:
        (tmp_path / name).write_text(name)
    line = 'for name in *; do [ -f "$name" ] && cp "$name" "out $name"; done; exit 0'
    job = live.ended(live.shell(line, remote_input_files=[str(tmp_path / name) for name in names]))
    assert job.status == "Complete", job.status_message
    for name in names:
        assert read(job, f"out {name}") == name


def test_a_program_with_a_space_in_its_name_gets_its_arguments(live, tmp_path):
    (tmp_path / "my model.sh").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (tmp_path / "my data.txt").write_text("1")
    job = live.job(
        attributes={"executable": "my model.sh", "arguments": ["a b", "it's", 'say "hi"', ""]},
        remote_input_files=[str(tmp_path / "my model.sh"), str(tmp_path / "my data.txt")],
    )
    live.ended(job)
    assert stdout(job) == 'a b|it\'s|say "hi"||'


def test_an_output_with_a_comma_in_its_name_is_an_error_that_says_so_and_loses_nothing(live):
    job = live.ended(live.shell("echo 1 > 'a,b.txt'"))
    assert job.status == "Error"
    assert "could not be fetched" in job.status_message
    assert job.exit_code == 0
    assert not job.leftover


@pytest.mark.parametrize("where", ["spooled", "shared"])
def test_200_mb_go_there_and_come_back(request, where, tmp_path):
    live = request.getfixturevalue("live" if where == "spooled" else "shared")
    folder = tmp_path if where == "spooled" else live.folder
    with (folder / "big").open("wb") as file:
        for _ in range(200):
            file.write(os.urandom(MB))
    fields = {} if where == "spooled" else {"workspace": str(live.folder / "work")}
    job = live.ended(live.shell("cp big back; rm big", remote_input_files=[str(folder / "big")], **fields))
    assert job.status == "Complete", job.status_message
    with (folder / "big").open("rb") as sent, (workspace_path(job) / "back").open("rb") as came:
        while chunk := sent.read(MB):
            assert chunk == came.read(MB)
        assert not came.read(1)


@pytest.mark.parametrize("template", ["vanilla_transfer_files", "vanilla_nfs"])
def test_in_a_shared_folder_a_job_works_on_the_workspace_itself(shared, template):
    workspace = shared.folder / "wind"
    workspace.mkdir()
    (workspace / "in put.txt").write_text("3 m/s")
    job = shared.shell(
        "cat 'in put.txt' > out.txt; test -r $JOBDECK_CALLBACK_TOKEN_FILE",
        workspace=str(workspace),
        condorpy_template_name=template,
        remote_input_files=["in put.txt"],
    )
    shared.ended(job)
    assert job.status == "Complete", job.status_message
    assert (workspace / "out.txt").read_text() == "3 m/s"
    shared.until(lambda: not (workspace / ".jobdeck").exists(), "Jobdeck's own files are gone")


@pytest.mark.parametrize("processes", [3, 500])
def test_a_job_of_many_processes_is_various_until_all_are_over(live, processes):
    seen = []
    # Hundreds behind the few of other tests.
    job = live.shell("echo $0 > out.$0", num_jobs=processes, attributes={"priority": -processes // 25})
    job.set_attribute("arguments", "\"-c 'echo $0 > out.$0; [ $0 = 0 ] && sleep 4; true' $(Process)\"")
    job.execute()

    def over():
        job.read_row()
        seen.append((job.status_display, sum((job.resources.get("counts") or {"": processes}).values())))
        return job.is_over

    live.until(over, "all are over", job)
    assert job.status == "Complete", job.status_message
    assert "Various" in {word for word, _ in seen}
    assert {number for _, number in seen} == {processes}
    assert job.resources["counts"] == {"COM": processes}
    assert [read(job, f"out.{number}").strip() for number in range(processes)] == list(map(str, range(processes)))


def test_of_many_processes_some_that_fail_make_it_various_complete(live):
    job = live.shell("", num_jobs=3)
    job.set_attribute("arguments", "\"-c 'exit $0' $(Process)\"")
    live.ended(job)
    assert job.status == "Various-Complete"
    assert job.resources["counts"] == {"COM": 1, "ERR": 2}
    assert "2 of 3 failed" in job.status_message


def test_what_htcondor_refuses_is_said_in_its_own_words(live):
    job = live.ended(live.shell("true", attributes={"request_memory": "a lot, please"}))
    assert job.status == "Error"
    assert "RequestMemory" in job.status_message or "request_memory" in job.status_message
    assert job.cluster_id == 0


def test_a_hold_shows_htcondors_reason_and_is_released_by_resume(live):
    held = {"on_exit_hold": "NumJobStarts == 1", "on_exit_hold_reason": '"look at it first"'}
    job = live.submitted(live.shell("true", attributes=held))
    live.until_status(job, "Paused")
    assert "look at it first" in job.status_message
    job.resume()
    live.until_over(job)
    assert (job.status, job.status_message) == ("Complete", "")


def test_a_hold_that_a_missing_output_brings_is_paused_with_the_reason(live):
    job = live.submitted(live.shell("true", attributes={"transfer_output_files": "never_written.txt"}))
    live.until_status(job, "Paused")
    assert "never_written.txt" in job.status_message


def test_the_callback_reaches_a_job_with_its_token_in_a_file(live, live_server, settings):
    settings.JOBS = {**settings.JOBS, "URL": live_server.url}
    progress = settings.BASE_DIR / "examples" / "weather" / "progress.py"
    line = (
        'import os; from progress import Progress; Progress(os.environ).report(40, "sunny"); print(sorted(os.environ))'
    )
    job = live.job(
        attributes={"executable": "/usr/bin/python3", "arguments": ["-c", f"{line}; import time; time.sleep(600)"]},
        remote_input_files=[str(progress)],
    )
    live.submitted(job)
    live.until(lambda: job.cached_status == "Running" and job.progress == 40, "it reported", job)
    assert job.status_message == "sunny"
    [ad] = _ads(live, job)
    assert job.callback_token() not in str(ad)
    assert f"JOBDECK_CALLBACK_URL={live_server.url}/update-job-status/{job.pk}/" in ad["Environment"]


def _ads(live, job) -> list[dict]:
    from jobs.condor.reach import reach_of

    return reach_of(live.scheduler).query(f'JobdeckTag == "{job.tag}"', [])
