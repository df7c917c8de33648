"""Finding a text in a log, going back in it, and a log of a gigabyte."""

import re
import time

import pytest

from jobs.engine import LogFile
from jobs.status import Status
from jobs.web import search as module
from jobs.web.logs import piece, piece_before
from jobs.web.search import search

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(new_job):
    return new_job(status=Status.RUNNING)


@pytest.fixture
def log(tmp_path):
    """A function that makes a log of some text or bytes."""

    def make(content="") -> LogFile:
        path = tmp_path / "stdout"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return LogFile("stdout", path.stat().st_size, path)

    return make


LINES = "".join(f"line {number}: {'ERROR' if number % 100 == 0 else 'fine'}\n" for number in range(1, 1001))


def matches(log, query, *, backwards) -> list[int]:
    """The lines of all matches, found one after the other."""
    found, start, line = [], None, None
    while True:
        step = search(log, query, start, backwards=backwards, line=line)
        if step.at is None:
            assert step.over
            return found
        found.append(step.line)
        start, line = step.at if backwards else step.at + 1, step.line


@pytest.mark.parametrize("backwards", [False, True])
def test_every_match_is_found_once_with_its_line(log, backwards):
    expected = list(range(100, 1001, 100))

    assert matches(log(LINES), "error", backwards=backwards) == (expected[::-1] if backwards else expected)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("chunk", [1, 3, 7, 64])
def test_a_match_across_the_border_of_two_reads_is_found(log, monkeypatch, backwards, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)

    assert matches(log("xx\nneedle\nyyneedleneedle\n"), "Needle", backwards=backwards) == (
        [3, 3, 2] if backwards else [2, 3, 3]
    )


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_search_goes_on_in_steps_and_knows_its_line(log, monkeypatch, backwards):
    monkeypatch.setattr(module, "STEP_BYTES", 1000)
    monkeypatch.setattr(module, "_CHUNK", 100)
    text = "begin\n" + "x\n" * 5000 + "end\n"
    made = log(text)
    start, line, steps = None, None, 0
    while True:
        step = search(made, "begin" if backwards else "end", start, backwards=backwards, line=line)
        steps += 1
        if step.at is not None:
            break
        assert not step.over
        start, line = step.reached, step.reached_line

    assert steps > 5
    assert step.line == (1 if backwards else 5002)


def test_the_page_shows_the_latest_match_first_and_leads_to_its_neighbours(anns, running, logs):
    logs(running, LINES + "x\n" * 200_000)

    response = anns.get(f"/jobs/{running.pk}/log/", {"log": "stdout", "attempt": "1", "q": "error"})
    page = response.content.decode()

    assert '<mark id="jd-match" aria-current="true">ERROR</mark>' in page
    assert "Line 1000" in page
    at = response.context["view"].found.at
    assert f"from={at}&amp;line=1000#jd-match" in page
    earlier = anns.get(f"/jobs/{running.pk}/log/", {"q": "error", "find": "previous", "from": at, "line": 1000})
    assert "Line 900" in earlier.content.decode()
    later = anns.get(f"/jobs/{running.pk}/log/", {"q": "error", "find": "next", "from": at + 1, "line": 1000})
    assert "No later match" in later.content.decode()


def test_where_counting_lines_takes_too_long_the_place_is_said_instead(anns, running, logs, monkeypatch):
    monkeypatch.setattr(module, "COUNT_SECONDS", -1)
    logs(running, LINES)

    page = anns.get(f"/jobs/{running.pk}/log/", {"q": "error"}).content.decode()

    assert re.search(r"At [\d.]+\xa0KB of [\d.]+\xa0KB", page)


def test_a_text_that_is_not_there_is_said(anns, running, logs):
    logs(running, LINES)

    assert "Not in this log" in anns.get(f"/jobs/{running.pk}/log/", {"q": "nowhere"}).content.decode()


def test_what_was_searched_and_found_is_text(anns, running, logs):
    logs(running, "a <script>alert(1)</script> b\n")

    page = anns.get(f"/jobs/{running.pk}/log/", {"q": "<script>alert"}).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert</mark>" in page


@pytest.mark.parametrize(
    "query",
    [
        *({"q": "x", "from": "9" * 18}, {"q": "x", "from": "-1"}, {"q": "\0"}, {"q": "x" * 5000}),
        *({"q": "a", "line": "x"}, {"q": "ü"}, {"q": "x", "find": "sideways"}),
        *({"at": "9" * 18}, {"before": "0"}, {"before": "9" * 18}),
    ],
)
def test_no_question_breaks_the_page(anns, running, logs, query):
    logs(running, LINES)

    assert (
        anns.get(f"/jobs/{running.pk}/log/", {k: v.encode("utf-8", "replace") for k, v in query.items()}).status_code
        == 200
    )


def test_going_back_piece_by_piece_gives_the_whole_log(log):
    made = log("".join(f"line {number:07} ☀\n" for number in range(20_000)) + "x" * 200_000 + "\nend\n")
    shown = piece(made)
    text, start = shown.text, shown.start
    while start:
        before = piece_before(made, start)
        assert (before.end, before.start < start) == (start, True)
        text, start = before.text + text, before.start

    assert text == made.path.read_text()


def test_earlier_and_later_parts_have_pages_of_their_own(anns, running, logs):
    path = logs(running, "".join(f"line {number:07}\n" for number in range(20_000)))
    end = anns.get(f"/jobs/{running.pk}/log/").context["view"]

    earlier = anns.get(f"/jobs/{running.pk}/log/", {"before": end.start})
    view = earlier.context["view"]

    assert view.end == end.start
    assert "Later part" in earlier.content.decode()
    assert "Follow the end" in earlier.content.decode()
    answer = anns.get(f"/jobs/{running.pk}/log/1/stdout/tail/", {"before": view.start})
    assert answer.content == path.read_bytes()[int(answer.headers["X-Log-Start"]) : view.start]


def test_whether_lines_are_wrapped_is_remembered(anns, running, logs):
    logs(running, LINES)

    assert "jd-nowrap" not in anns.get(f"/jobs/{running.pk}/log/").content.decode()
    anns.get(f"/jobs/{running.pk}/log/", {"wrap": "off"})
    assert "jd-nowrap" in anns.get(f"/jobs/{running.pk}/log/").content.decode()


def test_a_log_that_was_swapped_for_a_link_is_not_read(anns, running, logs, tmp_path):
    path = logs(running, "mine\n")
    (tmp_path / "secret").write_text("top secret")
    path.unlink()
    path.symlink_to(tmp_path / "secret")

    assert "top secret" not in anns.get(f"/jobs/{running.pk}/log/").content.decode()
    assert anns.get(f"/jobs/{running.pk}/log/1/stdout/tail/").status_code == 404
    assert anns.get(f"/jobs/{running.pk}/log/1/stdout/download/").status_code == 404


def seconds(call) -> float:
    """The shortest of five calls."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert call().status_code == 200
        times.append(time.perf_counter() - began)
    return min(times)


def test_a_log_of_a_gigabyte_opens_as_quickly_as_one_of_a_kilobyte(anns, new_job, logs, record_property):
    small, large = new_job(status=Status.RUNNING), new_job(status=Status.RUNNING)
    line = b"0123456789 12:03:41 step of the model\n"
    logs(small, line * 27)
    path = logs(large, b"")
    with path.open("r+b") as file:
        # Holes take no room on the disk; they read as any other bytes do.
        for offset in range(0, 2**30, 2**26):
            file.seek(offset)
            file.write(line * 2000)
        file.seek(2**30 - len(line) * 2000)
        file.write(line * 2000)

    quick, slow = (seconds(lambda job=job: anns.get(f"/jobs/{job.pk}/log/")) for job in (small, large))
    tail = seconds(lambda: anns.get(f"/jobs/{large.pk}/log/1/stdout/tail/", {"offset": 2**29}))
    searched = seconds(lambda: anns.get(f"/jobs/{large.pk}/log/", {"q": "not in there", "find": "next"}))
    record_property(
        "figures",
        f"log page: {quick * 1000:.1f} ms for 1 KB, {slow * 1000:.1f} ms for 1 GB (64 KB of it are shown); a piece from "
        f"its middle {tail * 1000:.1f} ms; one step of a search {searched * 1000:.0f} ms",
    )
    assert slow < quick + 0.1
    assert searched < 5
