"""Starting a job in a pool from its form, and the job's page."""

import base64
import json
import stat

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.condor.forms import CondorJobForm
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.condor.models import job as models
from jobs.condor.submission.allowlist import Refusal
from jobs.manager import JobManager
from jobs.models import Intent, Job, Scheduler, job_rows
from jobs.workspaces import list_files, workspace_path

pytestmark = pytest.mark.django_db

URL = "/jobs/new/CONDOR/"


def upload(name="sim.py", content=b"#!/usr/bin/env python3\n"):
    return SimpleUploadedFile(name, content)


@pytest.fixture
def pool(db) -> CondorScheduler:
    """A pool with a token for the account jobs@lab."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "jobs@lab"}).encode()).decode().rstrip("=")
    return CondorScheduler.objects.create(
        name="lab", address="cm.example.org", token=f"aGVhZA.{claims}.c2lnbmF0dXJl", is_default=True
    )


@pytest.fixture
def anns(ann) -> Client:
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def send(anns, pool):
    """A function that fills in the form as ann and sends it; what the test does not say is as the page suggests it."""

    def post(**values):
        usual = {"name": "mine", "scheduler": pool.pk, "executable": "/usr/bin/true", "num_jobs": "1", "do": "save"}
        if "program" in values:
            del usual["executable"]
        return anns.post(URL, usual | values)

    return post


def errors(response, field) -> str:
    assert response.status_code == 422
    assert not Job.objects.exists()
    return " ".join(response.context["form"].errors[field])


def page(browser, url=URL) -> str:
    return " ".join(browser.get(url).content.decode().split())


# --- before


def test_the_default_pool_is_chosen_already(anns, pool):
    CondorScheduler.objects.create(name="attic", address="attic.example.org")

    shown = page(anns)

    assert f'<option value="{pool.pk}" selected>lab (the default)</option>' in shown
    assert "In the pool lab, on a machine that HTCondor chooses." in shown
    assert "The account jobs@lab, for ann." in shown


def test_a_single_pool_is_chosen_without_being_the_default(anns):
    CondorScheduler.objects.create(name="attic", address="attic.example.org")

    assert "In the pool attic" in page(anns)


def test_of_several_pools_without_a_default_one_is_to_be_chosen(anns, pool):
    CondorScheduler.objects.filter(pk=pool.pk).update(is_default=False)
    CondorScheduler.objects.create(name="attic", address="attic.example.org")

    assert "In the pool that you choose above." in page(anns)
    response = anns.post(URL, {"name": "mine", "executable": "/usr/bin/true", "num_jobs": "1", "do": "save"})
    assert errors(response, "scheduler") == "Choose the pool that runs it."


def test_without_a_pool_the_form_says_who_can_add_one(anns):
    assert "There is no HTCondor pool here yet; staff of this site can add one" in page(anns)

    response = anns.post(URL, {"name": "mine", "executable": "/usr/bin/true", "num_jobs": "1", "do": "save"})
    assert "staff of this site can add one" in errors(response, "scheduler")


def test_a_pool_that_is_away_says_so(anns, pool):
    Scheduler.objects.filter(pk=pool.pk).update(failures=3)

    assert "does not answer at the moment; the job waits until it does" in page(anns)


def test_a_token_that_cannot_be_read_any_more_names_no_account(pool, ann, settings):
    settings.SECRET_KEY = "another one"

    explained = dict(CondorJobForm(user=ann).explain())

    assert explained["As"].startswith("The account that the pool takes this site for")


def test_a_users_job_travels_also_where_the_pool_mounts_the_workspaces(anns, pool, data_dir):
    CondorScheduler.objects.filter(pk=pool.pk).update(shared_folders=[str(data_dir)])

    assert "Program and files travel there" in page(anns).replace("&#x27;", "'")


def test_a_preview_says_what_would_run_and_makes_nothing(send):
    installed = send(do="preview", arguments="--years 10", num_jobs="500").content.decode()
    uploaded = send(do="preview", executable="", arguments="$(Process)").content.decode()

    assert "/usr/bin/true --years 10, in 500 processes" in installed
    assert "the uploaded program $(Process)" in uploaded
    assert "The account jobs@lab" in uploaded
    assert not Job.objects.exists()


def test_a_preview_does_not_send_the_uploads(anns, pool):
    assert 'hx-params="not program,files,"' in page(anns)


# --- what becomes of it


def test_an_installed_program_is_run_where_it_is(send, ann, pool):
    response = send(
        executable="/opt/model/bin/sim", arguments="--out 'my file.nc' $(Process)", num_jobs="3", timeout="60"
    )

    job = CondorJob.objects.get()
    assert response.headers["Location"] == f"/jobs/{job.pk}/"
    assert (job.user, job.label, job.scheduler.pk) == (ann, "jobs", pool.pk)
    assert job.attributes == {
        "executable": "/opt/model/bin/sim",
        "transfer_executable": "false",
        "arguments": ["--out", "my file.nc", "$(Process)"],
    }
    assert (job.num_jobs, job.timeout, job.remote_input_files) == (3, 60, [])
    assert not Intent.objects.exists()


def test_what_comes_from_the_form_is_restricted(send):
    send()

    assert CondorJob.objects.get().restricted


def test_save_and_run_also_wants_it_run(send):
    send(do="run")

    assert Intent.objects.get().action == "run"


def test_an_uploaded_program_and_its_files_lie_in_the_workspace(send):
    send(program=upload(), files=[upload("in.csv", b"a,b\n"), upload("my data.csv", b"c\n")])

    job = CondorJob.objects.get()
    folder = workspace_path(job)
    assert [file.name for file in list_files(folder)] == ["in.csv", "my data.csv", "sim.py"]
    assert (folder / "in.csv").read_bytes() == b"a,b\n"
    assert stat.S_IMODE((folder / "sim.py").stat().st_mode) == 0o700
    assert job.attributes == {"executable": "sim.py"}
    assert job.remote_input_files == ["in.csv", "my data.csv"]


def test_a_path_in_an_uploads_name_does_not_lead_out(send):
    send(program=upload("../../sim.py"))

    job = CondorJob.objects.get()
    assert [file.name for file in list_files(workspace_path(job))] == ["sim.py"]


def test_advanced_fields_become_commands(send):
    send(
        request_cpus="2",
        request_memory="1.5 GB",
        environment="A=1\r\nB=x y\r\n",
        attributes='# more\r\nrequest_disk = 10 GB\r\n\r\nrequirements = OpSys == "LINUX"\r\n',
    )

    attributes = CondorJob.objects.get().attributes
    assert attributes["request_cpus"] == 2
    assert attributes["request_memory"] == "1.5 GB"
    assert attributes["environment"] == {"A": "1", "B": "x y"}
    assert attributes["request_disk"] == "10 GB"
    assert attributes["requirements"] == 'OpSys == "LINUX"'


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("name", {"name": " "}, "required"),
        ("scheduler", {"scheduler": "4711"}, "Select a valid choice"),
        ("program", {"executable": ""}, "Choose a program to upload"),
        ("executable", {"executable": "sim.py"}, "whole path"),
        ("arguments", {"arguments": "'open"}, "quotation mark is opened"),
        ("num_jobs", {"num_jobs": "0"}, "greater than or equal to 1"),
        ("num_jobs", {"num_jobs": "100001"}, "less than or equal to 100000"),
        ("request_cpus", {"request_cpus": "0"}, "greater than or equal to 1"),
        ("request_memory", {"request_memory": "much"}, "such as 512 MB"),
        ("request_memory", {"request_memory": "1 GB\nqueue 5"}, "such as 512 MB"),
        ("environment", {"environment": "A B=1"}, "Line 1"),
        ("attributes", {"attributes": "request_disk = 1\nqueue 5"}, "Line 2"),
        ("attributes", {"attributes": "= 5"}, "Line 1"),
        ("attributes", {"attributes": "Executable = /bin/sh"}, "has a field of its own"),
        ("attributes", {"attributes": "rank = 1\nRank = 2"}, "stands there twice"),
        ("timeout", {"timeout": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(send, field, values, message):
    assert message in errors(send(**values), field)


def test_a_program_comes_from_one_place(send):
    response = send(program=upload(), executable="/usr/bin/true")

    assert "give one of the two" in errors(response, "executable")


@pytest.mark.parametrize("field", ["program", "files"])
def test_names_that_htcondor_cannot_carry_are_refused(send, field):
    assert "no comma in it" in errors(send(**{field: [upload("a,b.py")]}), field)


def test_a_file_cannot_take_the_programs_place(send):
    assert "The program is called sim.py already" in errors(send(program=upload(), files=[upload()]), "files")


def test_a_taken_name_is_said_at_the_name(send):
    send()

    response = send()

    assert "already has a job" in " ".join(response.context["form"].errors["name"])
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "line", ["getenv = True", "universe = scheduler", "+Owner = root", "transfer_input_files = /etc/passwd"]
)
def test_what_the_allow_list_refuses_is_said_at_its_field(send, line):
    name = line.partition(" ")[0]

    assert name in errors(send(attributes=line), "attributes")


@pytest.mark.parametrize(
    ("refused", "values", "shown_at"),
    [
        (("attributes", "attributes: executable: not this one"), {}, "executable"),
        (("attributes", "executable: not this one"), {}, "executable"),
        (("attributes", "attributes: executable: not this one"), {"program": True}, "program"),
        (("attributes", "attributes: arguments: not this one"), {}, "arguments"),
        (("attributes", "attributes: rank: not this one"), {}, "attributes"),
        (("remote_input_files", "remote_input_files: not this one"), {}, "files"),
        (("num_jobs", "num_jobs: not this one"), {}, "num_jobs"),
    ],
)
def test_a_refusal_is_shown_at_the_field_that_it_is_about(send, monkeypatch, refused, values, shown_at):
    def refuse(job):
        raise Refusal(*refused)

    monkeypatch.setattr(models, "check_attributes", refuse)

    response = send(**({"program": upload()} if values else {}))

    assert errors(response, shown_at).endswith("not this one")


@pytest.mark.parametrize("attribute", ["restricted", "workspace", "user", "label", "remote_input_files", "status_code"])
def test_nothing_else_of_a_job_can_come_from_the_form(send, bob, attribute):
    values = {"restricted": "", "workspace": "/etc", "user": bob.pk, "remote_input_files": "/etc/passwd"}
    send(name="plain")
    send(name="forged", **{attribute: values.get(attribute, "x")})

    plain, job = CondorJob.objects.order_by("pk")
    if attribute == "workspace":
        assert job.workspace != "/etc"
    else:
        assert getattr(job, attribute) == getattr(plain, attribute)


def test_without_the_permission_nothing_is_made(client, django_user_model, pool):
    client.force_login(django_user_model.objects.create_user("guest"))

    assert client.get(URL).status_code == 403
    assert client.post(URL, {"name": "mine", "scheduler": pool.pk, "executable": "/bin/true"}).status_code == 403
    assert not Job.objects.exists()


def test_it_needs_a_login(client, pool):
    assert client.get(URL).status_code == 302
    assert client.post(URL, {"name": "mine"}).status_code == 302


# --- the job's page


@pytest.fixture
def job(ann, pool):
    made = JobManager("jobs").create_job(
        "many",
        ann,
        "CONDOR",
        scheduler=pool,
        num_jobs=500,
        attributes={
            "executable": "/usr/bin/python3",
            "arguments": ["my model.py", "$(Process)"],
            "environment": {"TOKEN": "s3cret value"},
            "requirements": 'Arch == "<b>X86_64</b>"',
            "request_memory": "",
        },
        remote_input_files=["/shared/in.nc"],
    )
    job_rows().filter(pk=made.pk).update(
        external_id="815", status_code="VAR", resources={"counts": {"COM": 1, "RUN": 499}}
    )
    return made


def test_the_page_says_what_runs_where(anns, job):
    shown = page(anns, f"/jobs/{job.pk}/")

    assert "/usr/bin/python3 &#x27;my model.py&#x27; &#x27;$(Process)&#x27;" in shown
    assert "<dt>Processes</dt><dd>500</dd>" in shown
    assert "<dt>Cluster</dt><dd>815</dd>" in shown
    assert "/shared/in.nc" in shown
    assert "<dt>Runs at</dt><dd>lab</dd>" in shown
    assert "Arch == &quot;&lt;b&gt;X86_64&lt;/b&gt;&quot;" in shown
    assert "1 of 500 over" in shown
    assert "request_memory" not in shown


@pytest.mark.parametrize("environment", [{"TOKEN": "s3cret value"}, "TOKEN=s3cret value", "\"TOKEN='s3cret value'\""])
def test_values_of_variables_are_not_shown(anns, job, environment):
    job.attributes = {"Environment": environment}
    job.save()

    shown = page(anns, f"/jobs/{job.pk}/")

    assert "Environment" in shown
    assert "s3cret" not in shown


def test_a_job_that_has_nothing_yet_has_a_page(anns, ann):
    job = JobManager("jobs").create_job(
        "bare", ann, "CONDOR", attributes={"executable": "x"}, condorpy_template_name=""
    )

    shown = page(anns, f"/jobs/{job.pk}/")

    assert "<dt>Cluster</dt>" not in shown
    assert "<dt>Processes</dt>" not in shown


def test_another_persons_job_looks_like_none(client, bob, job):
    client.force_login(bob)

    response = client.get(f"/jobs/{job.pk}/")

    assert response.status_code == 404
    assert "many" not in response.content.decode()


def test_the_pools_token_is_on_no_page(anns, pool, job, send):
    pool.refresh_from_db()
    secret = pool.token.reveal()

    for response in (
        anns.get(URL),
        anns.get(f"/jobs/{job.pk}/"),
        send(name=""),
        send(do="preview"),
        anns.get("/jobs/"),
    ):
        text = response.content.decode()
        assert secret not in text
        assert "c2lnbmF0dXJl" not in text
        assert pool.token.encrypted not in text
