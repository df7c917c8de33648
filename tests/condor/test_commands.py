"""Submit commands: template and author together, written as HTCondor reads them."""

import pytest

from jobs.condor.submission.commands import Commands, as_list, with_variables
from jobs.condor.submission.templates import template_attributes, template_names


def test_an_authors_command_comes_over_the_templates_whatever_its_case():
    commands = Commands("vanilla_transfer_files", {"Transfer_Executable": "FALSE", "executable": "model.py"})
    assert commands.get("transfer_executable") == "FALSE"
    assert [line for line in commands.lines() if line.lower().startswith("transfer_executable")] == [
        "transfer_executable = FALSE"
    ]
    assert commands.is_own("TRANSFER_EXECUTABLE")
    assert not commands.is_own("universe")


def test_commands_without_a_value_are_left_out_as_condorpy_does():
    commands = Commands("vanilla_transfer_files", {})
    assert "universe = vanilla" in commands.lines()
    assert not any(line.startswith(("executable", "arguments")) for line in commands.lines())


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("request_cpus", 4, "4"),
        ("stream_output", True, "true"),
        ("transfer_executable", False, "false"),
        ("transfer_input_files", ["a.txt", "b.txt"], "a.txt, b.txt"),
        ("arguments", "1 2", "1 2"),
        ("arguments", ["a b", "it's", 'say "hi"', "", "x"], "\"'a b' 'it''s' 'say \"\"hi\"\"' '' x\""),
        ("environment", {"A": "1", "B": "b c"}, "\"A=1 B='b c'\""),
    ],
)
def test_a_value_is_written_as_a_submit_description_has_it(name, value, text):
    assert Commands("", {name: value}).get(name) == text


@pytest.mark.parametrize(
    ("written", "together"),
    [
        ("", "\"X='1 2'\""),
        ("\"A=1 B='b c'\"", "\"A=1 B='b c' X='1 2'\""),
        ("A=1;B=b c", "\"A=1 B='b c' X='1 2'\""),
    ],
)
def test_variables_are_added_to_an_environment_in_the_old_and_the_new_syntax(written, together):
    assert with_variables(written, {"X": "1 2"}) == together


def test_macros_of_the_job_are_expanded_and_others_left_alone():
    commands = Commands("vanilla_base", {"output": "$(logdir)/$(job_name).$(Cluster).$(ProcId).$(other)"})
    text = commands.expanded("output", cluster=12, process=3, job_name="wind")
    assert text == "logs/wind.12.3.$(other)"


def test_a_macro_that_means_itself_comes_to_an_end():
    assert "$(a)" in Commands("", {"a": "x$(a)"}).expanded("a")


def test_lists_of_files_are_split_at_commas():
    assert as_list(" a b.txt, c.txt,, ") == ["a b.txt", "c.txt"]


def test_all_of_condorpys_templates_can_be_used():
    assert set(template_names()) == {"base", "vanilla_base", "vanilla_transfer_files", "vanilla_nfs"}
    assert template_attributes("vanilla_nfs")["universe"] == "vanilla"
    assert template_attributes("") == {}
    with pytest.raises(KeyError):
        template_attributes("no_such")
