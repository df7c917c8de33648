"""Starting a command from its form."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.local.models import CommandJob
from jobs.models import Intent, Job
from jobs.types import get_type, job_types
from jobs.workspaces import list_files, workspace_path

pytestmark = pytest.mark.django_db

URL = "/jobs/new/COMMAND/"


def send(browser, **values):
    return browser.post(URL, {"name": "mine", "command_line": "true", "do": "save"} | values)


def errors(response, field):
    assert response.status_code == 422
    assert not Job.objects.exists()
    return " ".join(response.context["form"].errors[field])


def test_the_only_type_with_a_form_is_chosen_already(anns, monkeypatch):
    monkeypatch.setattr("jobs.web.views.new.job_types", lambda: [get_type("COMMAND"), get_type("BASIC")])

    assert anns.get("/jobs/new/").headers["Location"] == URL


def test_of_several_types_with_a_form_one_is_chosen(anns):
    page = anns.get("/jobs/new/").content.decode()

    for kind in (kind for kind in job_types() if kind.form):
        assert f'href="/jobs/new/{kind.name}/"' in page
        assert kind.description in page


def test_the_form_suggests_a_name_and_says_what_will_happen(anns):
    page = anns.get(URL).content.decode()

    assert 'value="command-{id}"' in page
    assert "in a new folder of its own" in page
    assert "The system account" in page


def test_saving_makes_a_pending_job_of_the_person(anns, ann):
    response = send(anns, command_line="python3 'my model.py' --years 10", description="ten years", timeout="60")

    job = CommandJob.objects.get()
    assert response.headers["Location"] == f"/jobs/{job.pk}/"
    assert job.user == ann
    assert job.label == "jobs"
    assert job.command == ["python3", "my model.py", "--years", "10"]
    assert (job.description, job.timeout, job.shell) == ("ten years", 60, False)
    assert not Intent.objects.exists()


def test_save_and_run_also_wants_it_run(anns):
    send(anns, do="run")

    assert Intent.objects.get().action == "run"


def test_a_shell_reads_the_line_only_when_asked(anns):
    send(anns, command_line="sort < in.txt | uniq -c", shell="on")

    job = CommandJob.objects.get()
    assert (job.command, job.shell) == ("sort < in.txt | uniq -c", True)


def test_the_environment_is_read_line_by_line(anns):
    send(anns, environment="A=1\r\n\r\nB=x=y\n EMPTY =\n")

    assert CommandJob.objects.get().environment == {"A": "1", "B": "x=y", "EMPTY": ""}


def test_files_are_put_into_the_workspace(anns):
    send(anns, files=[SimpleUploadedFile("in.csv", b"a,b\n"), SimpleUploadedFile("../../up.txt", b"x")])

    folder = workspace_path(Job.objects.get())
    assert [file.name for file in list_files(folder)] == ["in.csv", "up.txt"]
    assert (folder / "in.csv").read_bytes() == b"a,b\n"


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("name", {"name": " "}, "required"),
        ("name", {"name": "a\x07b"}, "one line"),
        ("command_line", {"command_line": ""}, "required"),
        ("command_line", {"command_line": "echo 'open"}, "quotation mark is opened"),
        ("command_line", {"command_line": "echo \\"}, "backslash"),
        ("command_line", {"command_line": "'' x"}, "empty word"),
        ("environment", {"environment": "A=1\nnonsense"}, "Line 2"),
        ("environment", {"environment": "A B=1"}, "Line 1"),
        ("timeout", {"timeout": "0"}, "greater than or equal to 1"),
        ("timeout", {"timeout": "99999999999"}, "less than or equal to"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(anns, field, values, message):
    assert message in errors(send(anns, **values), field)


def test_two_files_of_one_name_are_refused(anns):
    files = [SimpleUploadedFile("a.txt", b"1"), SimpleUploadedFile("a.txt", b"2")]

    assert "Two of the files are called a.txt" in errors(send(anns, files=files), "files")


def test_a_taken_name_is_said_at_the_name(anns, ann):
    send(anns)

    response = send(anns)

    assert "already has a job" in " ".join(response.context["form"].errors["name"])
    assert "use another name" in response.content.decode()
    assert Job.objects.count() == 1


def test_what_was_typed_stays_in_the_form(anns):
    page = send(anns, name="", command_line="echo <b>hello</b>").content.decode()

    assert "echo &lt;b&gt;hello&lt;/b&gt;" in page


@pytest.mark.parametrize(
    "attribute",
    ["process_results_function", "workspace", "user", "label", "input_files", "extended_properties", "scheduler"],
)
def test_nothing_else_of_a_job_can_come_from_the_form(anns, bob, attribute):
    send(anns)
    Job.objects.get().delete()
    values = {"user": bob.pk, "workspace": "/etc", "process_results_function": "os.system"}

    send(anns, **{attribute: values.get(attribute, "x")})

    plain, job = CommandJob.objects.order_by("pk")
    if attribute == "workspace":
        assert job.workspace != "/etc"
    else:
        assert getattr(job, attribute) == getattr(plain, attribute)


def test_a_preview_says_what_would_run_and_makes_nothing(anns):
    split = send(anns, do="preview", command_line="python3 'my model.py'").content.decode()
    shell = send(anns, do="preview", command_line="a | b", shell="on").content.decode()
    wrong = send(anns, do="preview", command_line="echo '").content.decode()

    assert "python3 &#x27;my model.py&#x27;" in split
    assert "/bin/sh -c &#x27;a | b&#x27;" in shell
    assert "quotation mark" in wrong
    assert not Job.objects.exists()


@pytest.mark.parametrize("url", [URL, "/jobs/new/"])
def test_without_the_permission_a_page_says_whom_to_ask(client, django_user_model, url, nothing_for_all):
    client.force_login(django_user_model.objects.create_user("guest"))

    response = client.get(url)

    assert response.status_code == 403
    assert "Ask an administrator" in response.content.decode()
    assert "jobs.run_commands" in response.content.decode()


def test_without_the_permission_nothing_is_made(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest"))

    assert send(client, do="run").status_code == 403
    assert not Job.objects.exists()


def test_a_type_that_is_not_there_or_has_no_form_is_404(anns):
    assert anns.get("/jobs/new/NONSENSE/").status_code == 404
    assert anns.get("/jobs/new/BASIC/").status_code == 404


def test_it_needs_a_login(client):
    assert client.get(URL).status_code == 302
    assert send(client).status_code == 302
    assert not Job.objects.exists()
