"""What a submit description may ask for: form for everybody, the allow-list for what comes from users."""

import re
import time
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from jobs.condor.models import CondorJob
from jobs.condor.submission.allowlist import ALLOWED, Refusal, check_attributes, check_form, why_refused
from jobs.condor.submission.commands import Commands


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A workspace with a program and an input file."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "in.txt").write_text("1\n")
    return folder


@pytest.fixture
def shared(tmp_path, settings) -> Path:
    """A shared folder that the operator has listed."""
    folder = tmp_path / "shared"
    folder.mkdir()
    settings.JOBS = {**settings.JOBS, "SHARED_FOLDERS": [str(folder)]}
    return folder


@pytest.fixture
def job(workspace):
    """A function that makes a job of a user's, not saved; keywords are commands where they are no fields."""

    def make(attributes=None, **fields):
        commands = {"executable": "run.sh", **(attributes or {})}
        return CondorJob(name="job", workspace=str(workspace), restricted=True, attributes=commands, **fields)

    return make


def refusal_of(check, job) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(job)
    assert str(caught.value).startswith(f"{caught.value.field}: ")
    return caught.value


def refused(job) -> str:
    """Why the job, whose form is well, is refused."""
    check_form(job)
    return str(refusal_of(check_attributes, job))


def allowed(job) -> None:
    check_form(job)
    check_attributes(job)


# --- the form, for every job


def test_the_example_of_app_code_has_the_form(workspace):
    job = CondorJob(
        name="example",
        workspace=str(workspace),
        attributes={"attribute1": "attr1", "executable": "my_script.py"},
        condorpy_template_name="vanilla_transfer_files",
        remote_input_files=("/apps/my_script.py", "/apps/input_1", "/apps/input_2"),
    )
    check_form(job)


def test_app_code_may_ask_for_anything_that_is_one_line(job):
    check_form(
        job(
            {
                "getenv": True,
                "+Owner": '"somebody"',
                "My.Note": '"x"',
                "universe": "scheduler",
                "request_memory": 1.5,
                "transfer_input_files": ["http://example.org/a", "/etc/hostname"],
                "environment": {"A": "1", "B": "x y"},
            }
        )
    )


@pytest.mark.parametrize("sign", ["\n", "\r", "\0", "\x0b", "\x0c", "\x1b", "\x85", "\u2028", "\ud800"])
def test_a_value_with_a_sign_that_could_begin_another_line_is_refused(job, sign):
    for value in (f"a{sign}queue 5", ["a", f"b{sign}queue 5"]):
        refusal = refusal_of(check_form, job({"arguments": value}))
        assert refusal.field == "attributes"
        assert str(refusal).startswith("attributes: arguments: has a character (U+")
    assert "U+" in str(refusal_of(check_form, job({"environment": {"A": f"1{sign}"}})))


def test_a_value_that_ends_in_a_backslash_is_refused_because_it_swallows_the_next_line(job):
    for value in ("a\\", "a\\  ", ["a", "b\\"]):
        assert "attributes: requirements: ends in a backslash" in str(
            refusal_of(check_form, job({"requirements": value}))
        )


@pytest.mark.parametrize("name", ["queue", "Queue", "if", "elif", "ELSE", "endif", "include", "use"])
def test_syntax_of_submit_files_is_no_name(job, name):
    assert f"attributes: {name}: is no command but syntax" in str(refusal_of(check_form, job({name: "5"})))


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a=b\nqueue", "arguments\nqueue 5\nx", "a @", "@a", "a:", "-a", "1a", "ä", "++a", "a\n", 5]
)
def test_a_name_that_is_more_than_a_name_is_refused(job, name):
    assert "the name of a command is letters" in str(refusal_of(check_form, job({name: "5"})))


@pytest.mark.parametrize(
    "name",
    [
        "JobdeckTag",
        "+JobdeckTag",
        "My.JobdeckTag",
        "MY.jobdeckinstance",
        "leave_in_queue",
        "LeaveJobInQueue",
        "max_idle",
    ],
)
def test_what_the_engine_says_itself_cannot_be_set(job, name):
    assert f"attributes: {name}: Jobdeck sets it itself" in str(refusal_of(check_form, job({name: "true"})))


def test_two_names_that_are_one_to_htcondor_are_refused(job):
    assert "attributes: Executable: HTCondor takes it for the same as executable" in str(
        refusal_of(check_form, job({"Executable": "/bin/sh"}))
    )


@pytest.mark.parametrize("value", [None, {"a": 1}, [["a"]], object(), [None], b"a"])
def test_a_value_is_a_text_a_number_a_truth_or_a_list_of_these(job, value):
    assert "must be a text, a number" in str(refusal_of(check_form, job({"rank": value})))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_is_one_that_htcondor_knows(job, value):
    assert "is no number that HTCondor knows" in str(refusal_of(check_form, job({"rank": value})))


@pytest.mark.parametrize("name", ["A B", "", "A=B", 'A"', 5])
def test_a_variable_of_the_environment_has_a_name(job, name):
    assert "cannot be the name of a variable" in str(refusal_of(check_form, job({"environment": {name: "1"}})))


def test_attributes_are_a_dictionary(workspace):
    job = CondorJob(name="job", workspace=str(workspace), attributes="executable = x")
    assert "must be a dictionary" in str(refusal_of(check_form, job))


def test_macros_that_refer_to_each_other_are_refused_because_the_client_never_ends(job):
    ring = {"my_a": "$(my_b)", "my_b": "x $INT(my_c)", "My_C": "$(MY_A:1)", "arguments": "$(my_a)"}
    text = str(refusal_of(check_form, job(ring)))
    assert text.startswith("attributes: my_a, my_b, My_C, arguments: their macros refer to each other")
    check_form(
        job({"my_a": "$(my_b) $(my_b)", "my_b": "$(my_c)", "my_c": "$(Process)", "requirements": "$(requirements)"})
    )


@pytest.mark.parametrize("number", [0, -1, 100_001, "3", 1.5, True, None])
def test_the_number_of_processes_has_bounds(job, number):
    refusal = refusal_of(check_form, job(num_jobs=number))
    assert refusal.field == "num_jobs"
    check_form(job(num_jobs=100_000))


def test_a_template_is_one_of_condorpys(job):
    for name in ("", "base", "vanilla_base", "vanilla_transfer_files", "vanilla_nfs"):
        check_form(job(condorpy_template_name=name))
    refusal = refusal_of(check_form, job(condorpy_template_name="__class__"))
    assert refusal.field == "condorpy_template_name"
    assert "vanilla_nfs" in str(refusal)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ("in.txt", "must be a list of paths"),
        ([5], "without control characters"),
        (["a\0b"], "without control characters"),
        (["a\nb"], "without control characters"),
        ([""], "does not name a file"),
        (["/"], "does not name a file"),
        (["a/.."], "does not name a file"),
        (["a/x.txt", "b/x.txt"], "a/x.txt and b/x.txt would both be x.txt where the job starts"),
    ],
)
def test_input_files_are_paths_of_different_names(job, files, why):
    refusal = refusal_of(check_form, job(remote_input_files=files))
    assert refusal.field == "remote_input_files"
    assert why in str(refusal)


# --- the allow-list: what users may ask for


def test_a_job_of_a_user_may_ask_for_what_jobs_need(job, workspace, shared):
    (shared / "data.csv").touch()
    (workspace / "results").mkdir()
    allowed(
        job(
            {
                "arguments": "-c 'echo $HOME $1 $$ | grep x$' $(my_data) $(Process) $(seed1)",
                "my_data": "data.csv",
                "seed1": 5,
                "environment": "\"A=1 B='x y'\"",
                "input": "in.txt",
                "output": "results/$(job_name).$(Cluster).$(Process).out",
                "error": "/dev/null",
                "log": "$(logdir)/job.log",
                "logdir": "protocols",
                "universe": "Vanilla",
                "request_cpus": 2,
                "request_memory": "2 GB",
                "Request_Licenses": 1,
                "requirements": 'OpSys == "LINUX" && Memory > 100',
                "transfer_input_files": ["in.txt", str(shared / "data.csv")],
                "transfer_output_files": "results, out put.txt",
                "transfer_executable": True,
                "when_to_transfer_output": "ON_EXIT",
                "max_retries": 3,
                "notification": "Never",
            },
            remote_input_files=["run.sh", str(shared / "data.csv")],
            num_jobs=3,
        )
    )


@pytest.mark.parametrize("template", ["", "base", "vanilla_base", "vanilla_transfer_files", "vanilla_nfs"])
def test_every_template_is_allowed_as_it_is(job, template):
    allowed(job(condorpy_template_name=template))


@pytest.mark.parametrize("program", ["/bin/sh", "/usr/bin/env"])
def test_a_program_that_is_installed_where_the_job_runs_is_not_read_here(job, program):
    allowed(job({"executable": program}))
    allowed(job({"executable": "/opt/model/bin/model", "transfer_executable": False}))
    assert "attributes: executable: /bin/sh: lies outside" in refused(
        job({"executable": "/bin/sh", "transfer_executable": True})
    )


def test_a_container_comes_from_a_registry_or_out_of_the_workspace(job, workspace):
    (workspace / "image.sif").touch()
    for image in ("docker://python:3.12", "image.sif"):
        allowed(job({"universe": "container", "container_image": image}))
    for image in ("/etc/hostname", "http://example.org/x.sif", "file:///etc/hostname"):
        assert "attributes: container_image: " in refused(job({"universe": "container", "container_image": image}))


# --- the allow-list: commands refused by name


REFUSED = {
    "getenv": "web server's environment",
    "get_env": "web server's environment",
    "+Owner": "only app code may set one",
    "My.X": "only app code may set one",
    "Remote_x.y": "only app code may set one",
    "transfer_output_remaps": "outside of the workspace",
    "transfer_input_remaps": "outside of the workspace",
    "TransferOutputRemaps": "outside of the workspace",
    "file_remaps": "outside of the workspace",
    "output_destination": "outside of the workspace",
    "output_directory": "outside of the workspace",
    "checkpoint_destination": "outside of the workspace",
    "manifest": "outside of the workspace",
    "x509userproxy": "credentials",
    "use_x509userproxy": "credentials",
    "use_scitokens": "credentials",
    "scitokens_file": "credentials",
    "use_oauth_services": "credentials",
    "box_oauth_permissions": "credentials",
    "send_credential": "credentials",
    "docker_send_credentials": "credentials",
    "delegate_job_gsi_credentials_lifetime": "credentials",
    "aws_access_key_id_file": "credentials",
    "s3_secret_access_key_file": "credentials",
    "gs_access_key_id_file": "credentials",
    "ec2_user_data_file": "credentials",
    "gce_json_file": "credentials",
    "azure_auth_file": "credentials",
    "keystore_file": "credentials",
    "transfer_input": "use transfer_input_files",
    "public_input_files": "use transfer_input_files",
    "common_input_files": "use transfer_input_files",
    "jar_files": "use transfer_input_files",
    "append_files": "use transfer_input_files",
    "tool_daemon_cmd": "use transfer_input_files",
    "vm_disk": "use transfer_input_files",
    "transfer_plugins": "another program",
    "hook_keyword": "another program",
    "allow_startup_script": "another program",
    "preCmd": "another program",
    "interactive_executable": "another program",
    "docker_image": "container_image",
    "accounting_group": "operators",
    "accounting_group_user": "operators",
    "concurrency_limits": "operators",
    "nice_user": "operators",
    "run_as_owner": "operators",
    "notify_user": "operators",
    "email_attributes": "operators",
    "periodic_release": "behind Jobdeck's back",
    "on_exit_remove": "behind Jobdeck's back",
    "on_exit_hold": "behind Jobdeck's back",
    "hold": "behind Jobdeck's back",
    "cron_minute": "behind Jobdeck's back",
    "deferral_time": "behind Jobdeck's back",
    "noop_job": "behind Jobdeck's back",
    "job_lease_duration": "behind Jobdeck's back",
    "skip_filechecks": "how files travel",
    "copy_to_spool": "how files travel",
    "preserve_relative_paths": "how files travel",
    "stream_output": "how files travel",
    "encrypt_input_files": "how files travel",
    "dont_encrypt_input_files": "how files travel",
    "max_transfer_input_mb": "how files travel",
    "env": "another name for environment",
    "stdin": "another name for input",
    "initial_dir": "another name for initialdir",
    "TransferInputFiles": "another name for transfer_input_files",
    "arguments2": "another name for arguments",
    "submit_event_notes": "may not be set here",
    "job_machine_attrs": "may not be set here",
    "transform_body_x": "may not be set here",
    "grid_resource": "may not be set here",
    "dagman_log": "may not be set here",
    "Cmd": "may not be set here",
    "no_such_command": "may not be set here",
}


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_a_command_that_reaches_beyond_the_job_is_refused_by_name(job, name, why):
    text = refused(job({name: "true"}))
    assert text.startswith(f"attributes: {name}: ")
    assert why in text


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,20}", fullmatch=True))
def test_a_name_is_allowed_only_if_it_is_on_the_list_or_of_the_form_of_a_macro(name):
    job = CondorJob(
        name="job", workspace="/nowhere", condorpy_template_name="", attributes={name: "1"}, restricted=True
    )
    form = r"request_[a-z0-9_]+|my_[a-z0-9_]+|(?!arguments2$|environment2$)[a-z]+[0-9]+"
    try:
        check_attributes(job)
        passed = True
    except Refusal as refusal:
        # A command that is on the list may still not take any value.
        passed = "'1': may be " in str(refusal)
    assert passed == bool(name.lower() in ALLOWED or re.fullmatch(form, name.lower()))


@pytest.mark.parametrize(
    "universe", ["scheduler", "local", "grid", "parallel", "java", "vm", "docker", "7", "5", "$(my_u)"]
)
def test_universes_other_than_vanilla_and_container_are_refused(job, universe):
    text = refused(job({"universe": universe, "my_u": "scheduler"}))
    assert text.endswith("may be vanilla or container here")


@pytest.mark.parametrize("word", ["no", "0", "1==2", "$(Process)", "!true"])
def test_whether_the_program_travels_is_said_so_that_nobody_reads_it_differently(job, word):
    """HTCondor's client takes some of these for true and others for false."""
    assert "attributes: transfer_executable: " in refused(
        job({"executable": "/etc/shadow", "transfer_executable": word})
    )


# --- the allow-list: macros


@pytest.mark.parametrize(
    "value",
    [
        "$ENV(SECRET_KEY)",
        "x$ENV(SECRET_KEY)y",
        "$ENV(SECRET_KEY:none)",
        "$(nothing:$ENV(SECRET_KEY))",
        "$(my_a:x)",
        "$$ENV(SECRET_KEY)",
        "$$$ENV(SECRET_KEY)",
        "$$(Arch)",
        "$$([1 + 1])",
        "$F(my_a)",
        "$Fdnx(my_a)",
        "$INT(my_a)",
        "$RANDOM_CHOICE(1,2)",
        "$CHOICE(0,a,b)",
        "$EVAL(my_a)",
        "$SUBSTR(my_a,0,1)",
        "$DIRNAME(my_a)",
        "$(my_a",
        "$E$(my_a)",
        "$$(my_a)",
        "$(my.a)",
        "$($(my_a))",
    ],
)
@pytest.mark.parametrize("name", ["arguments", "environment", "my_b", "requirements", "output"])
def test_what_the_client_would_look_up_on_this_host_is_refused_in_any_value(job, name, value):
    text = refused(job({name: value, "my_a": "NV(SECRET_KEY)"}))
    assert text.startswith(f"attributes: {name}: ")


@pytest.mark.parametrize(
    "name", ["HOME", "SPOOL", "ARCH", "SUBMIT_FILE", "SUBMIT_TIME", "DOLLAR", "FULL_HOSTNAME", "Item"]
)
def test_a_macro_that_is_none_of_the_jobs_is_refused(job, name):
    assert f"attributes: arguments: $({name}) refers to nothing" in refused(job({"arguments": f"$({name})"}))


@pytest.mark.parametrize(("first", "second"), [("$", "$(my_a)ENV(SECRET_KEY)"), ("$E", "x$(my_a)NV(SECRET_KEY)")])
def test_what_becomes_a_function_when_it_is_put_together_is_refused(job, first, second):
    assert "refers to a value with a $ in it" in refused(job({"my_a": first, "arguments": second}))


def test_a_value_that_a_template_refers_to_has_no_macros_of_its_own(job):
    assert "refers to a value with a $ in it" in refused(job({"logdir": "$(my_a)", "my_a": "x"}))


def test_macros_cannot_multiply_a_value_without_end(job):
    text = refused(job({"my_a": "x" * 50_000, "arguments": "$(my_a)" * 1000}))
    assert "is longer than 100000 characters" in text


@given(
    st.lists(st.sampled_from(["$", "$(", "(", ")", "my_a", "my_b", "ENV", "E", "NV", ":", "x", " "]), max_size=6).map(
        "".join
    )
)
def test_no_value_that_passes_has_a_function_in_it_once_it_is_put_together(value):
    for other in ("$", "$E", "ENV(X)", "(X)", "V(X)", "x", value):
        attributes = {"arguments": value, "my_a": other, "my_b": "NV(X)"}
        job = CondorJob(
            name="job", workspace="/nowhere", condorpy_template_name="", attributes=attributes, restricted=True
        )
        try:
            check_form(job)
            check_attributes(job)
        except Refusal:
            continue
        together = Commands("", attributes).expanded("arguments")
        assert not re.search(r"\$\w*\(", together), (value, other)


# --- the allow-list: paths


READ = ["executable", "input", "transfer_input_files", "container_image", "initialdir"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../../../etc/passwd", "link", "folder/../link"])
@pytest.mark.parametrize("name", READ)
def test_what_would_be_read_from_outside_the_workspace_is_refused(job, workspace, name, path):
    (workspace / "folder").mkdir()
    (workspace / "link").symlink_to("/etc/passwd")
    text = refused(job({name: path}))
    assert text.startswith(f"attributes: {name}: ")
    assert "lies outside the job's workspace" in text


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../../../etc/passwd", "link"])
def test_input_files_from_outside_the_workspace_are_refused(job, workspace, path):
    (workspace / "link").symlink_to("/etc/passwd")
    text = refused(job(remote_input_files=["in.txt", path]))
    assert text.startswith("remote_input_files: ")
    assert "lies outside the job's workspace" in text


def test_relative_names_start_in_the_initial_folder(job, workspace, shared):
    (shared / "here").mkdir()
    allowed(job({"initialdir": str(shared), "input": "here/../here/in.txt", "executable": str(workspace / "run.sh")}))
    assert "attributes: input: " in refused(job({"initialdir": str(shared), "input": "../workspace2/in.txt"}))


@pytest.mark.parametrize(
    "parts", [("my_a", "/etc/passwd"), ("my_a", "in.txt, /etc/passwd"), ("my_a", "in.txt /etc/passwd")]
)
def test_a_path_that_is_put_together_from_macros_is_looked_at_as_a_whole(job, parts):
    name, value = parts
    assert "lies outside the job's workspace" in refused(job({name: value, "transfer_input_files": f"$({name})"}))


@pytest.mark.parametrize(
    "text", ["in.txt,/etc/passwd", "in.txt /etc/passwd", "in.txt\u00a0, /etc/passwd", ["in.txt", "/etc/passwd"]]
)
def test_each_entry_of_a_list_of_files_is_looked_at(job, text):
    assert "attributes: transfer_input_files: /etc/passwd: lies outside" in refused(job({"transfer_input_files": text}))


@pytest.mark.parametrize("name", ["executable", "input", "transfer_input_files"])
def test_quotes_that_the_client_takes_away_are_refused(job, name):
    assert "takes quotes away" in refused(job({name: '"/etc/passwd"'}))


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "file:///etc/passwd", "osdf:///x", "s3://b/x", "in.txt, ftp://x/y"]
)
def test_urls_are_no_input_files(job, url):
    assert "no URLs" in refused(job({"transfer_input_files": url}))
    assert "no URLs" in refused(job(remote_input_files=[url]))


def test_a_folder_with_a_link_that_leads_out_is_refused_however_deep(job, workspace):
    (workspace / "data" / "deep").mkdir(parents=True)
    allowed(job({"transfer_input_files": "data/"}))
    (workspace / "data" / "deep" / "harmless").symlink_to(workspace / "in.txt")
    (workspace / "elsewhere").mkdir()
    (workspace / "data" / "deep" / "folder").symlink_to(workspace / "elsewhere")
    (workspace / "data" / "ring").symlink_to(workspace / "data")
    allowed(job({"transfer_input_files": "data/"}))

    (workspace / "elsewhere" / "passwords").symlink_to("/etc/passwd")
    assert "passwords: lies outside" in refused(job({"transfer_input_files": "data/"}))
    assert "passwords: lies outside" in refused(job(remote_input_files=["data"]))


def test_the_input_of_each_process_is_looked_at(job, workspace):
    (workspace / "in.7").symlink_to("/etc/passwd")
    allowed(job({"input": "in.$(Process)"}, num_jobs=7))
    assert "in.7: lies outside" in refused(job({"input": "in.$(ProcId)"}, num_jobs=8))
    assert "$(Cluster) is not known yet" in refused(job({"input": "in.$(Cluster)"}))


def test_more_files_than_can_be_looked_at_are_refused_in_time(job):
    begun = time.monotonic()
    assert "names more than 20000 files" in refused(
        job({"transfer_input_files": ", ".join(f"{n}.$(Process)" for n in range(50))}, num_jobs=100_000)
    )
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("path", ["/tmp/x", "../x", "a/../../x", "file:///tmp/x", '"x"'])
@pytest.mark.parametrize("name", ["output", "error", "log", "transfer_output_files"])
def test_outputs_that_would_come_outside_of_the_workspace_are_refused(job, name, path):
    text = refused(job({name: path}))
    assert text.startswith(f"attributes: {name}: ")
    assert "outputs come into the workspace" in text


@pytest.mark.parametrize(
    ("name", "value"), [("logdir", "/tmp"), ("logdir", ".."), ("job_name", "../../x"), ("job_name", "/../x")]
)
def test_what_the_templates_file_names_are_made_of_cannot_lead_out(job, name, value):
    assert "outputs come into the workspace" in refused(job({name: value}))


# --- through the model


def test_a_refusal_is_a_validation_error_of_the_field_that_is_wrong(job):
    for wrong, field in (
        (job({"getenv": True}), "attributes"),
        (job(num_jobs=0), "num_jobs"),
        (job(remote_input_files=["/etc/passwd"]), "remote_input_files"),
        (job(condorpy_template_name="none"), "condorpy_template_name"),
    ):
        with pytest.raises(ValidationError) as caught:
            wrong.clean()
        assert list(caught.value.message_dict) == [field]


def test_the_allow_list_is_not_for_app_code(job):
    mine = job({"getenv": True, "transfer_input_files": "/etc/hostname"})
    mine.restricted = False
    mine.clean()


def test_each_kind_of_refusal_says_something_of_its_own():
    reasons = {why_refused(name.lower()) for name in REFUSED}
    assert len(reasons) == len(set(REFUSED.values()))
    assert all(reason[0].islower() and len(reason) > 20 for reason in reasons)
