"""How single values read."""

import pytest

from jobs.functions.display.shape import display
from jobs.functions.display.values import figure, short


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1 + 0.2, "0.3"), (1 / 3, "0.333333"), (-1234567.0, "-1.23457e6"), (1.5e-7, "1.5e-7"), (3.0, "3"), (2024, "2024"),
     (1234567, "1234567"), (10**20, "1e20"), (5e-324, "4.94066e-324")],
)  # fmt: skip
def test_a_number_has_up_to_six_significant_digits(number, text):
    assert figure(number) == text


def test_what_was_rounded_is_beside_it_exactly():
    shown = display(0.1 + 0.2).value
    assert (shown.text, shown.exact) == ("0.3", "0.30000000000000004")
    assert display(0.25).value.exact == ""


def test_an_integer_keeps_its_digits_and_a_very_long_one_is_cut_in_its_middle():
    assert display(12345678901234567890123).value.text == "12345678901234567890123"
    number = 7 * 10**99 + 1
    shown = display(number).value
    assert shown.text == "70000000000000000000…00000001"
    assert shown.exact == str(number)


@pytest.mark.parametrize(("value", "text"), [(None, "none"), (True, "yes"), (False, "no"), (0, "0"), (1, "1")])
def test_yes_no_and_none_are_words_and_not_numbers(value, text):
    assert short(value).text == text
    assert short(value).is_number == (type(value) is int)


def test_a_short_text_is_shown_as_it_is():
    shown = display("two words").value
    assert (shown.text, shown.block, shown.note) == ("two words", False, "")


def test_a_long_text_is_cut_and_its_true_length_said():
    shown = display("a" * 1_234_567).value
    assert shown.block
    assert shown.text == "a" * 20_000
    assert shown.note == "The first 20,000 of 1,234,567 characters are shown."


def test_half_of_a_surrogate_pair_can_be_written_into_a_page():
    assert display("broken \ud83d").value.text.encode() == rb"broken \ud83d"
    assert display({"\ud83d": 1}).pairs.items[0].name == r"\ud83d"
    assert r"\ud83d" in display([[{"a": "\ud83d"}]]).value.text


@pytest.mark.parametrize(("value", "text"), [([], "an empty list"), ({}, "an empty dictionary"), ("", "")])
def test_what_is_empty_is_said_to_be(value, text):
    assert display(value).value.text == text
