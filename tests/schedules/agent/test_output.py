"""What is kept of an output: its beginning, its end, and how long it was."""

import pytest

from jobs.schedules.agent.output import MOST, Kept


def kept(data: bytes, limit: int, piece: int = 7) -> Kept:
    one = Kept(limit)
    for start in range(0, len(data), piece):
        one.add(data[start : start + piece])
    return one


def test_what_fits_is_kept_as_it_is():
    one = kept("zwölf Boxkämpfer\n".encode(), 20)
    assert (one.text(), one.size) == ("zwölf Boxkämpfer\n", 19)


@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_of_what_does_not_the_beginning_and_the_end_are(piece):
    data = b"".join(b"%05d\n" % number for number in range(1000))
    one = kept(data, 60, piece)
    assert one.size == 6000
    assert one.text() == (
        "00000\n00001\n00002\n00003\n00004\n[… 5940 bytes left out …]\n00995\n00996\n00997\n00998\n00999\n"
    )


def test_no_character_is_cut_in_two():
    text = kept("€".encode() * 100, 20).text()
    assert text == "€€€\n[… 280 bytes left out …]\n€€€"


def test_what_is_no_text_is_shown_as_such_and_gets_no_longer():
    one = kept(b"\xff\0" * 100, 200)
    assert one.size == 200
    assert set(one.text()) == {"\N{REPLACEMENT CHARACTER}"}
    assert len(one.text().encode()) <= 200


def test_no_site_makes_an_agent_keep_more_than_a_report_takes():
    one = Kept(10**12)
    for _ in range(40):
        one.add(b"x" * MOST)
    assert one.size == 40 * MOST
    assert len(one.text()) < MOST + 100
