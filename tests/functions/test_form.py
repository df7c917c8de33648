"""The form of a function: what is typed becomes the arguments of a job, and what is wrong is said at its field."""

import enum
import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import Field

from jobs.functions.models import FunctionJob
from jobs.models import Intent
from tests.functions.conftest import allow, browser

pytestmark = pytest.mark.django_db

TYPED = {
    "argument_whole": "1",
    "argument_number": "0.5",
    "argument_flag": "on",
    "argument_text": "wind",
    "argument_numbers": "1, 2.5",
    "argument_kind": "fast",
    "argument_point": '{"x": 1.0}',
    "argument_more": "",
    "name": "mine",
}


def send(client, function="typed", do="save", **values):
    first = TYPED if function == "typed" else {"name": "mine"}
    arguments = {f"argument_{name}": value for name, value in values.pop("arguments", {}).items()}
    return client.post(f"/jobs/functions/{function}/", first | arguments | {"do": do} | values)


def made(response) -> dict:
    """The arguments of the job that was made."""
    assert response.status_code == 302, response.context["form"].errors
    job = FunctionJob.objects.get()
    assert response.headers["Location"] == f"/jobs/{job.pk}/"
    return job.arguments


def errors(response, parameter: str) -> str:
    assert response.status_code == 422
    assert not FunctionJob.objects.exists()
    assert list(response.context["form"].errors) == [f"argument_{parameter}"]
    return " ".join(response.context["form"].errors[f"argument_{parameter}"])


def field(client, function: str, parameter: str):
    return client.get(f"/jobs/functions/{function}/").context["form"][f"argument_{parameter}"]


# --- from the fields to a job


def test_each_kind_of_field_becomes_what_the_parameter_takes(anns):
    assert made(send(anns)) == {
        "whole": 1,
        "number": 0.5,
        "flag": True,
        "text": "wind",
        "numbers": [1.0, 2.5],
        "kind": "fast",
        "point": {"x": 1.0},
        "more": None,
    }


def test_saving_makes_a_pending_job_of_the_person(anns, ann):
    send(anns, description="a try", timeout="60")
    job = FunctionJob.objects.get()
    assert (job.user, job.label, job.function) == (ann, "jobs", "typed")
    assert (job.name, job.description, job.timeout) == ("mine", "a try", 60)
    assert job.status_display == "Pending"
    assert not Intent.objects.exists()


def test_save_and_run_hands_it_to_the_workers(anns):
    response = send(anns, do="run")
    job = FunctionJob.objects.get()
    assert job.status_display == "Submitted"
    assert job.call.queue == "tests"
    assert "it starts as soon as there is room" in anns.get(response.headers["Location"]).content.decode()


def test_the_name_that_is_suggested_gets_the_number_of_the_job(anns):
    name = anns.get("/jobs/functions/add/").context["form"]["name"].value()
    assert name == "add-{id}"
    send(anns, "add", name=name, arguments={"x": "2", "y": "3"})
    job = FunctionJob.objects.get()
    assert job.name == f"add-{job.pk}"


def test_a_box_that_is_not_ticked_is_false(anns):
    assert made(anns.post("/jobs/functions/typed/", {**TYPED, "argument_flag": ""}))["flag"] is False


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1 2 3", [1, 2, 3]),
        ("1,2, 3,", [1, 2, 3]),
        (" .5\t-2e3 +4. ", [0.5, -2000.0, 4.0]),
        ("[1, 2.5]", [1, 2.5]),
        ("7", [7]),
        ("[]", []),
    ],
)
def test_a_list_is_typed_with_commas_or_spaces_or_as_json(anns, text, numbers):
    assert made(send(anns, arguments={"numbers": text}))["numbers"] == numbers


def test_a_text_is_passed_as_it_stands(anns):
    assert made(send(anns, arguments={"text": "  two\r\nlines \u2603 "}))["text"] == "  two\nlines \u2603 "


def test_a_list_without_a_kind_takes_numbers_and_json(anns):
    numbers = {"dt": "0.1", "r0": "0 0 1", "v0": '[1, 2, "x"]', "mass": "1", "radius": "1"}
    assert made(send(anns, "mov3d", arguments=numbers)) == {
        "dt": 0.1,
        "r0": [0, 0, 1],
        "v0": [1, 2, "x"],
        "mass": 1.0,
        "radius": 1.0,
        "drag": False,
    }


def test_texts_of_a_list_may_have_spaces_as_json(anns, new_function):
    def named(names: list[str]): ...

    new_function(named)
    assert made(send(anns, "named", arguments={"names": "ann, bob carl"})) == {"names": ["ann", "bob", "carl"]}
    send(anns, "named", name="other", arguments={"names": '["ann b"]'})
    assert FunctionJob.objects.get(name="other").arguments == {"names": ["ann b"]}


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Wind:
    """How it blows."""

    speed: float
    gusts: list[float]


def choosing(
    color: Color, level: Level = Level.HIGH, mode: Literal["", "a b"] = "a b", sure: bool | None = None
) -> None: ...


def test_a_choice_passes_the_value_and_not_its_text(anns, new_function):
    new_function(choosing)
    arguments = {"color": "blue", "level": "1", "mode": '""', "sure": "false"}
    assert made(send(anns, "choosing", arguments=arguments)) == {
        "color": "blue",
        "level": 1,
        "mode": "",
        "sure": False,
    }


def test_a_choice_that_has_no_default_must_be_made(anns, new_function):
    new_function(choosing)
    assert "required" in errors(send(anns, "choosing", arguments={"color": "", "level": "1"}), "color")


def test_what_stands_for_nothing_is_passed_as_none(anns, new_function):
    def maybe(x: float | None, text: str | None, when: date | None = None, many: list[int] | None = None): ...

    new_function(maybe)
    assert made(send(anns, "maybe", arguments=dict.fromkeys(("x", "text", "when", "many"), ""))) == {
        "x": None,
        "text": None,
        "when": None,
        "many": None,
    }


# --- defaults


def defaults(
    n: int = 5,
    t: float = 1e-6,
    text: str = "a fit",
    note: str = "two\nlines",
    sizes: list[int] = [1, 2],  # noqa: B006 as people write it
    names: list[str] = ["a b"],  # noqa: B006
    wind: Wind = Wind(1.0, [2.0]),  # noqa: B008
    when: date = date(2026, 1, 31),
    on: bool = True,
) -> None: ...


def test_defaults_stand_in_the_fields(anns, new_function):
    new_function(defaults)
    form = anns.get("/jobs/functions/defaults/").context["form"]
    values = {name.removeprefix("argument_"): form[name].value() for name in form.fields}
    assert {name: values[name] for name in ("n", "t", "text", "note", "sizes", "names", "wind", "when", "on")} == {
        "n": 5,
        "t": 1e-6,
        "text": "a fit",
        "note": "two\nlines",
        "sizes": "1, 2",
        "names": '["a b"]',
        "wind": '{"speed": 1.0, "gusts": [2.0]}',
        "when": "2026-01-31",
        "on": True,
    }
    assert "<textarea" in str(form["argument_note"])
    assert "<input" in str(form["argument_text"])


def test_a_field_that_is_emptied_stands_for_the_default_and_says_so(anns, new_function):
    new_function(defaults)
    assert "Empty stands for <code>5</code>." in field(anns, "defaults", "n").help_text
    arguments = dict.fromkeys(("n", "t", "sizes", "names", "wind", "when", "note"), "")
    assert made(send(anns, "defaults", arguments={**arguments, "text": ""})) == {"text": "", "note": "", "on": False}


# --- what a field tells


def test_a_parameter_is_described_by_its_annotation_its_docstring_or_its_type(anns, new_function):
    def told(a: Annotated[int, Field(ge=1, description="rounds of the solver")], b: float, c: Wind, d: str = ""):
        """Do it.

        Args:
            a: not this.
            b: seconds of a `step`,
                at most 3.
            d (str): a title

        Returns:
            Nothing.
        """

    new_function(told)
    form = anns.get("/jobs/functions/told/").context["form"]
    assert form["argument_a"].help_text == "Rounds of the solver."
    assert 'min="1"' in str(form["argument_a"])
    assert form["argument_b"].help_text == "Seconds of a <code>step</code>, at most 3."
    assert form["argument_c"].help_text.startswith("How it blows. JSON, for example <code>{&quot;speed&quot;: 1.0, ")
    assert form["argument_d"].help_text == "A title."
    page = anns.get("/jobs/functions/told/").content.decode()
    assert "Nothing." in page
    assert "not this" not in page


def test_a_docstring_is_text_and_no_markup(anns, new_function):
    def evil(x: int):
        """<script>alert(1)</script> `<b>`"""

    new_function(evil)
    for url in ("/jobs/functions/evil/", "/jobs/functions/"):
        page = anns.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<code>&lt;b&gt;</code>" in page


def test_a_form_says_what_will_run_where_and_as_whom(anns, new_worker):
    new_worker()
    said = dict(anns.get("/jobs/functions/slow/").context["form"].explain())
    assert said["What"] == "slow(outside=…)"
    assert said["Where"] == "On a worker of the queue tests. 1 worker can take it now."
    assert said["As"].startswith("For ann, ")
    assert said["Limits"] == "Ended after 1 s."


def test_a_preview_makes_nothing_and_shows_what_is_typed(anns):
    page = send(anns, do="preview", arguments={"whole": "no"}).content.decode()
    assert "typed(whole=…, number=0.5, flag=True, text=&#x27;wind&#x27;, numbers=[1, 2.5]" in page
    assert "No worker that runs has it: the job waits for one." in page
    assert not FunctionJob.objects.exists()


# --- what is wrong


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        ("whole", "1.5", "whole number"),
        ("whole", "", "required"),
        ("whole", "9" * 5000, "whole number"),
        ("number", "x", "number"),
        ("number", "1e999", "number"),
        ("text", "", "required"),
        ("text", "a\0b", "Null characters"),
        ("numbers", "1 two", "'two' is no number"),
        ("numbers", "1_000", "'1_000' is no number"),
        ("numbers", "nan", "'nan' is no number"),
        ("numbers", "[1", "no JSON"),
        ("numbers", '["a"]', "[0] input should be a valid number"),
        ("kind", "slow", "Select a valid choice"),
        ("point", "{'x': 1}", "line 1, column 2"),
        ("point", "{}", "['x'] field required"),
        ("point", "[" * 100_000, "more than can be read"),
        ("more", '{"a": NaN}', "nan"),
        ("more", '{"a": "\\u0000"}', "cannot be stored"),
        ("more", '{"a": "\\ud800"}', "cannot be stored"),
        ("more", "9" * 5000, "more than can be read"),
        ("more", "[1]", "an object"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(anns, parameter, text, message):
    assert message.lower() in errors(send(anns, arguments={parameter: text}), parameter).lower()


def test_what_was_typed_stays_in_the_form(anns):
    page = send(anns, arguments={"whole": "x", "text": "two\nlines", "point": "<b>"}).content.decode()
    assert "two\nlines</textarea>" in page
    assert "&lt;b&gt;" in page
    assert 'value="1, 2.5"' in page


def test_a_bound_of_the_annotation_holds(anns, new_function):
    def bounded(n: Annotated[int, Field(ge=1, le=10)]): ...

    new_function(bounded)
    assert "less than or equal to 10" in errors(send(anns, "bounded", arguments={"n": "11"}), "n")


def test_a_taken_name_is_said_at_the_name(anns):
    send(anns)
    response = send(anns)
    assert "already has a job" in " ".join(response.context["form"].errors["name"])
    assert FunctionJob.objects.count() == 1


def test_a_parameter_may_be_called_as_a_field_of_every_job(anns, new_function):
    def clash(name: str, timeout: int, do: str, files: str, user: str): ...

    new_function(clash)
    arguments = {"name": "inner", "timeout": "3", "do": "x", "files": "f", "user": "u"}
    assert made(send(anns, "clash", name="outer", arguments=arguments)) == {**arguments, "timeout": 3}
    assert FunctionJob.objects.get().name == "outer"
    assert FunctionJob.objects.get().timeout is None


@pytest.mark.parametrize("attribute", ["function", "user", "workspace", "process_results_function", "arguments"])
def test_nothing_else_of_a_job_can_come_from_the_form(anns, ann, bob, attribute):
    value = {"user": bob.pk, "function": "fail", "arguments": '{"whole": 2}'}.get(attribute, "os.system")
    assert made(anns.post("/jobs/functions/typed/", {**TYPED, attribute: value}))["whole"] == 1
    job = FunctionJob.objects.get()
    assert (job.user, job.function, job.process_results_function) == (ann, "typed", "")
    assert "os.system" not in str(job.workspace)


# --- again, with changes


def test_the_arguments_of_an_earlier_job_can_stand_there_at_first(anns, calling):
    point = {"x": 1.0}
    job = calling(
        "typed", whole=7, number=0.5, flag=True, text="a\nb", numbers=[3.0], kind="exact", point=point, more={"a": []}
    )
    form = anns.get(f"/jobs/functions/typed/?from={job.pk}").context["form"]
    values = {name: form[f"argument_{name}"].value() for name in job.arguments}
    assert values | {"point": json.loads(values["point"]), "more": json.loads(values["more"])} == {
        **job.arguments,
        "numbers": "3.0",
    }


def test_only_a_job_of_that_function_that_the_person_may_see_will_do(anns, bob, calling, manager):
    theirs = manager.create_job("bob's", bob, "FUNCTION", function="add", arguments={"x": 1, "y": 2})
    for job in (theirs, calling("add", x=1, y=2)):
        expected = 404 if job.user == bob else 200
        assert anns.get(f"/jobs/functions/add/?from={job.pk}").status_code == expected
    assert anns.get(f"/jobs/functions/typed/?from={calling('add', x=1, y=2).pk}").status_code == 404


# --- who may


def test_without_the_right_a_page_says_whom_to_ask_and_nothing_is_made(guests):
    for response in (guests.get("/jobs/functions/typed/"), send(guests, do="run"), send(guests, do="preview")):
        assert response.status_code == 403
        assert "Ask an administrator" in response.content.decode()
        assert "jobs_functions.call_typed" in response.content.decode()
    assert not FunctionJob.objects.exists()


def test_a_public_function_and_one_with_a_right_of_its_own_may_be_run(guest):
    assert made(send(browser(guest), "add", arguments={"x": "2", "y": "3"})) == {"x": 2, "y": 3}
    assert send(browser(allow(guest, "call_typed")), name="another").status_code == 302


def test_a_function_that_is_not_there_is_404(anns):
    assert anns.get("/jobs/functions/nonsense/").status_code == 404
    assert anns.post("/jobs/functions/nonsense/").status_code == 404


def test_it_needs_a_login(client):
    assert client.get("/jobs/functions/add/").status_code == 302
    assert send(client, "add").status_code == 302
