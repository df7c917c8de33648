"""The form for a new run: what it makes, and what it says of values that cannot be."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.farm.models import FarmRun
from jobs.models import Job

pytestmark = pytest.mark.django_db

URL = "/jobs/new/FARM/"


@pytest.fixture
def anns(ann) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def send(client, *, do="save", lines: bytes | None = None, **values):
    """Fill the form in and press a button."""
    sent = {"name": "run-{id}", "num_tasks": "10", "max_tries": "3", "do": do, **values}
    if lines is not None:
        sent["inputs"] = SimpleUploadedFile("inputs.jsonl", lines)
    return client.post(URL, sent)


def errors(response) -> dict[str, str]:
    """What is wrong, by field."""
    assert response.status_code == 422
    return {name: " ".join(texts) for name, texts in response.context["form"].errors.items()}


def made(response) -> FarmRun:
    """The run that the form made."""
    assert response.status_code == 302, errors(response)
    run = FarmRun.objects.get()
    assert response["Location"] == f"/jobs/{run.pk}/"
    return run


def test_a_number_of_tasks_makes_a_run(anns, ann):
    run = made(send(anns))
    assert (run.name, run.user, run.num_tasks, run.lease_seconds, run.max_tries) == (f"run-{run.pk}", ann, 10, None, 3)
    assert (run.status_code, list(run.participants.all())) == ("PEN", [])


def test_a_run_is_started_by_the_same_button(anns):
    assert made(send(anns, do="run")).state.phase == "O"


def test_lease_tries_participants_and_time_limit_are_taken(anns, bob, staff):
    run = made(send(anns, lease_seconds="60", max_tries="5", participants="bob\n\n staff \nbob", timeout="3600"))
    assert (run.lease_seconds, run.max_tries, run.timeout) == (60, 5, 3600)
    assert set(run.participants.all()) == {bob, staff}


def test_a_file_of_inputs_says_how_many_tasks_there_are(anns):
    run = made(send(anns, num_tasks="", lines='\ufeff{"wind": 3.5}\n"é"\nnull\r\n\n'.encode()))
    assert run.num_tasks == 3
    assert list(run.inputs) == [{"wind": 3.5}, "é", None]


def test_before_anything_is_typed_the_form_says_what_would_run(anns):
    text = anns.get(URL).content.decode()
    assert "As many tasks as you say above" in text
    assert "a task stays with its worker until it is done" in text


def test_what_is_typed_is_said_again_before_it_is_sent(anns, bob):
    text = send(
        anns, do="preview", num_tasks="1200", lease_seconds="90", max_tries="4", participants="bob"
    ).content.decode()
    assert "1,200 tasks, numbered 0 to 1,199" in text
    assert "silent for 90 s loses its tasks; one that was lost 4 times has failed" in text
    assert "a token of ann or bob" in text
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"num_tasks": ""}, "num_tasks", "Say how many tasks there are, or give a file"),
        ({"num_tasks": "0"}, "num_tasks", "greater than or equal to 1"),
        ({"num_tasks": "1000001"}, "num_tasks", "less than or equal to 1000000"),
        ({"num_tasks": "many"}, "num_tasks", "whole number"),
        ({"lease_seconds": "0"}, "lease_seconds", "greater than or equal to 1"),
        ({"lease_seconds": "86401"}, "lease_seconds", "less than or equal to 86400"),
        ({"max_tries": ""}, "max_tries", "required"),
        ({"max_tries": "101"}, "max_tries", "less than or equal to 100"),
        ({"participants": "ann\nnobody"}, "participants", "Line 2: there is no account called nobody."),
        ({"lines": b"1\n2\n"}, "inputs", "It has 2 lines for 10 tasks; give one for each"),
        ({"lines": b'{"a": 1}\n{"a": \n'}, "inputs", "Line 2 is no JSON (Expecting value, at character"),
        ({"lines": b"1\n\n3\n"}, "inputs", "Line 2 is empty"),
        ({"lines": b"1\nNaN\n"}, "inputs", "Line 2 is no JSON (NaN is no number of JSON)"),
        ({"lines": b"1\n\xff\n"}, "inputs", "Line 2 is no text in UTF-8"),
        ({"lines": b"[" * 100_000}, "inputs", "Line 1 is no JSON"),
        ({"lines": b""}, "inputs", "The submitted file is empty."),
    ],
)
def test_what_is_wrong_stands_at_its_field(anns, values, field, message):
    found = errors(send(anns, **values))
    assert message in found[field]
    assert set(found) == {field}
    assert not Job.objects.exists()


def test_a_name_that_is_taken_is_said_at_the_name(anns):
    made(send(anns, name="wind"))
    assert "already has a job 'wind'" in errors(send(anns, name="wind"))["name"]
    assert Job.objects.count() == 1


def test_a_run_whose_inputs_cannot_be_written_is_not_made(anns, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jobs.farm.inputs.make_workspace", full)
    found = errors(send(anns, num_tasks="", lines=b"1\n"))
    assert "No space left on device" in found["inputs"]
    assert not Job.objects.exists()


def test_farm_runs_are_among_the_types_to_choose_from(anns):
    assert f'href="{URL}"' in anns.get("/jobs/new/").content.decode()
