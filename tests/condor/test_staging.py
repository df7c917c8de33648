"""What is laid out for a job before it is submitted, and what its submit description says of it."""

from pathlib import Path

import pytest

from jobs.condor.models import CondorJob
from jobs.condor.outputs import check_aim
from jobs.condor.submission.commands import Commands
from jobs.condor.submission.description import describe, variables_of
from jobs.condor.submission.folders import folders_of
from jobs.condor.submission.staging import Staging
from jobs.engine import EngineRefused
from jobs.errors import InvalidAttribute
from jobs.manager import JobManager
from jobs.workspaces import make_workspace, move_into, workspace_path

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_job(ann):
    """A function that makes a CondorJob with its workspace."""

    def new(*, name="wind {id}", attributes=None, **fields) -> CondorJob:
        attributes = {"executable": "/usr/bin/true", **(attributes or {})}
        job = JobManager("app").create_job(name, ann, "CONDOR", attributes=attributes, **fields)
        make_workspace(job)
        return job

    return new


def lay_out(job, shared_folders=(), commands=None):
    """The attempt's folders and what was staged in them."""
    folders = folders_of(job, job.tag, shared_folders)
    commands = commands or Commands(job.condorpy_template_name, job.attributes)
    return folders, Staging(job, commands, folders, shared_folders).lay_out()


def described(job, shared_folders=()) -> dict[str, str]:
    """The submit description by command."""
    commands = Commands(job.condorpy_template_name, job.attributes)
    folders, staged = lay_out(job, shared_folders, commands)
    variables = variables_of(job, token_file="t", callback_url="http://here/27/")
    text = describe(job.name, commands, folders, staged, tag=job.tag, instance="jobdeck", variables=variables)
    return dict(line.split(" = ", 1) for line in text.splitlines())


def test_input_files_lie_at_the_top_of_what_travels(new_job, tmp_path):
    (tmp_path / "one.txt").write_text("1")
    job = new_job(remote_input_files=[str(tmp_path / "one.txt"), "two.txt"])
    (workspace_path(job) / "two.txt").write_text("2")
    folders, staged = lay_out(job)
    assert {path.name for path in folders.inputs.iterdir()} == {"one.txt", "two.txt", ".jobdeck-token"}
    assert (folders.inputs / "one.txt").read_text() == "1"
    assert staged.inputs == ["../in/"]
    assert list(folders.iwd.iterdir()) == [folders.iwd / "logs"]


def test_the_token_is_in_a_file_that_nobody_else_reads_and_not_in_the_description(new_job):
    job = new_job()
    folders, _ = lay_out(job)
    token = folders.inputs / ".jobdeck-token"
    assert token.read_text() == job.callback_token()
    assert token.stat().st_mode & 0o777 == 0o600
    assert not any(job.callback_token() in value for value in described(job).values())


def test_a_program_among_the_input_files_is_found_by_its_name(new_job, tmp_path):
    (tmp_path / "my_script.py").write_text("#!/usr/bin/python3\n")
    job = new_job(attributes={"executable": "my_script.py"}, remote_input_files=[str(tmp_path / "my_script.py")])
    _, staged = lay_out(job)
    assert Path(staged.executable).read_text() == "#!/usr/bin/python3\n"
    assert staged.transfer_executable


def test_an_installed_program_does_not_travel_unless_its_author_says_so(new_job):
    assert lay_out(new_job())[1].transfer_executable is False
    travels = new_job(attributes={"executable": "/bin/sh", "transfer_executable": True})
    assert lay_out(travels)[1].transfer_executable is True


@pytest.mark.parametrize(
    ("attributes", "inputs", "said"),
    [
        ({"executable": ""}, [], "attributes: executable: a job needs one"),
        ({"executable": "no_such.py"}, [], "attributes: executable: no_such.py: no such file"),
        ({}, ["no_such.txt"], "remote_input_files: no_such.txt is not there"),
        ({"initialdir": "run_$(Process)"}, [], "attributes: initialdir"),
    ],
)
def test_what_is_not_there_is_refused_by_name(new_job, attributes, inputs, said):
    job = new_job(attributes=attributes, remote_input_files=inputs)
    with pytest.raises(EngineRefused, match=said.replace("(", r"\(").replace("$", r"\$")):
        lay_out(job)


def test_files_with_spaces_travel_in_a_folder_and_a_starter_puts_them_into_place(new_job, tmp_path):
    (tmp_path / "wind data é.txt").write_text("1")
    (tmp_path / "model.sh").write_text("#!/bin/sh\n")
    job = new_job(
        attributes={"executable": "model.sh"},
        remote_input_files=[str(tmp_path / "wind data é.txt"), str(tmp_path / "model.sh")],
    )
    folders, staged = lay_out(job)
    assert (folders.inputs / "jobdeck-input" / "wind data é.txt").exists()
    assert not [path for path in folders.inputs.iterdir() if " " in path.name]
    assert "./jobdeck-program" in Path(staged.executable).read_text()


def test_what_a_user_named_is_copied_and_what_app_code_named_is_linked(new_job, tmp_path, settings):
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(tmp_path)]}
    (tmp_path / "one.txt").write_text("1")
    for restricted in (True, False):
        job = new_job(remote_input_files=[str(tmp_path / "one.txt")], restricted=restricted)
        folders, _ = lay_out(job)
        assert (folders.inputs / "one.txt").is_symlink() is not restricted
        assert (folders.inputs / "one.txt").read_text() == "1"


def test_a_link_that_leads_out_is_not_followed_for_a_user(new_job, tmp_path):
    job = new_job(remote_input_files=["mine.txt"], restricted=True)
    (workspace_path(job) / "mine.txt").symlink_to("/etc/passwd")
    with pytest.raises(EngineRefused, match="outside the job's workspace"):
        lay_out(job)


@pytest.mark.parametrize("name", [".", "..", "...", "/", "a/../.."])
def test_no_name_of_a_job_is_a_folder_in_the_names_of_its_files(new_job, name):
    said = described(new_job(name=name))
    assert ".." not in Path(said["job_name"]).parts
    assert said["job_name"] not in (".", "..", "")
    assert "/" not in said["job_name"]


def test_a_users_output_does_not_lead_out_by_the_name_of_its_job(new_job):
    attributes = {"error": "d/e", "output": "d/$(job_name)/$(job_name)/escaped"}
    with pytest.raises(InvalidAttribute, match="output"):
        new_job(name="x", attributes={**attributes, "output": "d/$(job_name)/../../../escaped"}, restricted=True)
    folders, _ = lay_out(new_job(name="..", attributes=attributes, restricted=True))
    assert {path.name for path in folders.iwd.iterdir()} <= {"d", "logs"}
    assert not (folders.attempt.parent / "escaped").exists()


@pytest.mark.parametrize("name", ["a\nqueue 5", "a\r\ngetenv = True", "a\u2028b"])
def test_a_name_of_more_than_one_line_is_refused(new_job, name):
    with pytest.raises(InvalidAttribute, match="name"):
        new_job(name=name)


def test_no_macro_in_a_name_is_expanded(new_job):
    assert "$" not in described(new_job(name="$ENV(PATH)"))["My.JobBatchName"]


def test_staging_writes_through_no_link_that_a_job_left(new_job, tmp_path):
    shared, victim = tmp_path / "shared", tmp_path / "authorized_keys"
    (shared / "mine" / "sub").mkdir(parents=True)
    victim.write_text("mine")
    (shared / "mine" / "sub" / "k").write_text("an attacker's key")
    (shared / "mine" / "k").symlink_to(victim)
    job = new_job(workspace=str(shared / "mine"), condorpy_template_name="vanilla_nfs", remote_input_files=["sub/k"])
    lay_out(job, [str(shared)])
    assert victim.read_text() == "mine"


def test_nothing_is_removed_behind_a_link_in_the_place_of_jobdecks_own_folder(new_job, tmp_path):
    shared, precious = tmp_path / "shared", tmp_path / "precious"
    job = new_job(workspace=str(shared / "mine"))
    (precious / "1").mkdir(parents=True)
    (shared / "mine" / ".jobdeck").mkdir(parents=True)
    (shared / "mine" / ".jobdeck" / job.uuid.hex).symlink_to(precious)
    with pytest.raises(EngineRefused, match="a job put a link"):
        lay_out(job, [str(shared)])
    assert (precious / "1").is_dir()


def test_a_users_job_travels_also_from_a_shared_folder(new_job, tmp_path, settings):
    shared = tmp_path / "shared"
    shared.mkdir()
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(shared)]}
    job = new_job(workspace=str(shared / "mine"), restricted=True)
    assert not folders_of(job, job.tag, [str(shared)]).shared


def test_a_shared_folder_above_the_data_folder_gives_no_right_to_what_is_in_it(new_job, data_dir, settings):
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(data_dir.parent)]}
    (data_dir / "condor" / "tokens").mkdir(parents=True, exist_ok=True)
    secret = data_dir / "condor" / "tokens" / "token"
    secret.write_text("secret")
    for path in (secret, data_dir):
        with pytest.raises(InvalidAttribute, match="outside"):
            new_job(remote_input_files=[str(path)], restricted=True)


@pytest.mark.parametrize(
    ("ad", "restricted"),
    [
        ({"SUBMIT_Iwd": "/root/.ssh"}, False),
        ({}, False),
        ({"SUBMIT_Iwd": "/here/out", "TransferOutputRemaps": "x=/root/.ssh/authorized_keys"}, True),
        ({"SUBMIT_Iwd": "/here/out", "SUBMIT_TransferOutputRemaps": "a=b;x=../../y"}, True),
    ],
)
def test_outputs_are_not_fetched_to_where_somebody_in_the_pool_wants_them(ad, restricted):
    with pytest.raises(EngineRefused, match="not fetched"):
        check_aim([ad], Path("/here/out"), restricted=restricted)
    own = {"SUBMIT_Iwd": "/here/out", "SUBMIT_TransferOutputRemaps": "_condor_stdout=logs/o.1.0.out"}
    check_aim([own], Path("/here/out"), restricted=True)


def test_a_folder_that_a_job_closed_is_opened_and_all_of_it_moved(tmp_path):
    came = tmp_path / "came"
    (came / "cache").mkdir(parents=True)
    (came / "cache" / "one.txt").write_text("1")
    (came / "cache").chmod(0o555)
    move_into(tmp_path / "workspace", came)
    assert (tmp_path / "workspace" / "cache" / "one.txt").read_text() == "1"


def test_what_lies_too_deep_to_be_moved_is_an_error_and_not_lost(tmp_path):
    deep = tmp_path / "came" / "/".join(["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "one.txt").write_text("1")
    with pytest.raises(InvalidAttribute, match="cannot be moved"):
        move_into(tmp_path / "workspace", tmp_path / "came")


def test_a_folder_travels_with_all_that_is_in_it(new_job, tmp_path):
    (tmp_path / "grid" / "deep er").mkdir(parents=True)
    (tmp_path / "grid" / "deep er" / "cells").write_text("1")
    job = new_job(remote_input_files=[str(tmp_path / "grid")])
    folders, _ = lay_out(job)
    assert (folders.inputs / "grid" / "deep er" / "cells").read_text() == "1"


def test_laying_out_again_after_a_crash_comes_to_the_same(new_job, tmp_path):
    (tmp_path / "one.txt").write_text("1")
    job = new_job(remote_input_files=[str(tmp_path / "one.txt")])
    folders, first = lay_out(job)
    (folders.inputs / "half").write_text("broken off")
    assert lay_out(job) == (folders, first)
    assert not (folders.inputs / "half").exists()


def test_each_process_finds_the_standard_input_of_its_own(new_job):
    job = new_job(attributes={"input": "wind.$(Process)"}, num_jobs=2, restricted=True)
    for number in range(2):
        (workspace_path(job) / f"wind.{number}").write_text(str(number))
    place = Path(described(job)["input"])
    assert place.name == "wind.$(Process)"
    assert [(place.parent / f"wind.{number}").read_text() for number in range(2)] == ["0", "1"]


def test_the_input_files_of_all_processes_travel(new_job):
    job = new_job(attributes={"transfer_input_files": "wind.$(Process), grid"}, num_jobs=2)
    for name in ("wind.0", "wind.1", "grid"):
        (workspace_path(job) / name).write_text(name)
    folders, _ = lay_out(job)
    assert {path.name for path in folders.inputs.iterdir()} == {"wind.0", "wind.1", "grid", ".jobdeck-token"}


def test_in_a_shared_folder_the_job_works_on_the_workspace_itself(new_job, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "one.txt").write_text("1")
    job = new_job(workspace=str(shared / "mine"), remote_input_files=[str(shared / "one.txt")])
    said = described(job, [str(shared)])
    assert said["initialdir"] == str(shared / "mine")
    assert said["should_transfer_files"] == "YES"
    staged = folders_of(job, job.tag, [str(shared)]).inputs / "one.txt"
    assert staged.readlink() == shared / "one.txt"
    assert (shared / "mine").stat().st_mode & 0o070 == 0o070


def test_a_job_from_condorpys_nfs_template_works_in_the_shared_folder_and_nothing_travels(new_job, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    job = new_job(workspace=str(shared / "mine"), condorpy_template_name="vanilla_nfs")
    assert described(job, [str(shared)])["should_transfer_files"] == "NO"
    assert described(new_job(condorpy_template_name="vanilla_nfs"))["should_transfer_files"] == "YES"


def test_the_description_marks_the_attempt_and_keeps_it_in_the_queue_until_it_was_fetched(new_job):
    job = new_job(name='the "wind" {id}')
    said = described(job)
    assert said["My.JobdeckTag"] == f'"{job.tag}"'
    assert said["My.JobBatchName"] == f'"the \\"wind\\" {job.pk}"'
    assert said["job_name"] == f"the__wind__{job.pk}"
    assert said["leave_in_queue"].startswith("(JobStatus == 4 || JobStatus == 3)")
    assert "JOBDECK_CALLBACK_URL=http://here/27/" in said["environment"]


def test_the_workspace_gets_what_came_and_no_link_leads_it_out(new_job, tmp_path):
    came, workspace, outside = tmp_path / "came", tmp_path / "workspace", tmp_path / "outside"
    for folder in (came / "logs", workspace, outside):
        folder.mkdir(parents=True)
    (came / "logs" / "one.txt").write_text("1")
    (came / "link").symlink_to("/etc/passwd")
    (workspace / "logs").symlink_to(outside)
    with pytest.raises(InvalidAttribute):
        move_into(workspace, came)
    assert list(outside.iterdir()) == []
    (workspace / "logs").unlink()
    move_into(workspace, came)
    assert (workspace / "logs" / "one.txt").read_text() == "1"
    assert not (workspace / "link").exists()
