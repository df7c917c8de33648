"""Logs on a job's page: as text, piece by piece, whole as a download."""

import pytest

from jobs.manager import JobManager
from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.web.logs import PIECE

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(new_job):
    return new_job(status=Status.RUNNING)


def test_html_in_a_log_is_text(anns, running, logs):
    logs(running, "<script>alert(1)</script>\n<b>bold</b>\n")

    page = anns.get(f"/jobs/{running.pk}/log/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_the_last_part_of_a_large_log_is_shown_from_a_whole_line_on(anns, running, logs):
    logs(running, "".join(f"line {number:07}\n" for number in range(20_000)))

    page = anns.get(f"/jobs/{running.pk}/log/")

    shown = "".join(segment.text for segment in page.context["view"].segments)
    assert shown.endswith("line 0019999\n")
    assert shown.startswith("line 00")
    assert len(shown) <= PIECE
    assert "Earlier part" in page.content.decode()


def test_stdout_and_stderr_can_be_chosen(anns, running, logs):
    logs(running, "all is well", "stdout")
    logs(running, "not quite", "stderr")

    assert "all is well" in anns.get(f"/jobs/{running.pk}/log/").content.decode()
    assert "not quite" in anns.get(f"/jobs/{running.pk}/log/?log=stderr").content.decode()


def test_an_earlier_attempts_log_can_be_read(anns, new_job, logs):
    job = new_job(status=Status.ERROR)
    logs(job, "the first try")
    job.resubmit()

    assert "the first try" in anns.get(f"/jobs/{job.pk}/log/?attempt=1").content.decode()


def test_the_tail_goes_on_where_the_last_piece_ended(anns, running, logs):
    path = logs(running, "one\n")
    url = f"/jobs/{running.pk}/log/1/stdout/tail/"
    first = anns.get(url)
    with path.open("a") as file:
        file.write("two\n")

    second = anns.get(url, {"offset": first.headers["X-Log-Next"]})

    assert (first.content, second.content) == (b"one\n", b"two\n")
    assert second.headers["X-Log-Active"] == "1"


def test_a_character_that_is_half_written_waits_for_its_other_half(anns, running, logs):
    whole = "Grüße".encode()
    path = logs(running, whole[:3])
    url = f"/jobs/{running.pk}/log/1/stdout/tail/"
    first = anns.get(url)
    path.write_bytes(whole)

    second = anns.get(url, {"offset": first.headers["X-Log-Next"]})

    assert (first.content + second.content).decode() == "Grüße"


def test_bytes_that_are_no_text_are_replaced(anns, running, logs):
    logs(running, b"\xff\xfe\x00 done\n")

    answer = anns.get(f"/jobs/{running.pk}/log/1/stdout/tail/")

    assert "done" in answer.content.decode()
    assert b"\0" not in answer.content


def test_colours_for_a_terminal_are_left_out(anns, running, logs):
    logs(running, "\x1b[31mred\x1b[0m\n")

    assert anns.get(f"/jobs/{running.pk}/log/1/stdout/tail/").content == b"red\n"


def test_the_tail_of_a_job_that_is_over_says_so(anns, new_job, logs):
    job = new_job(status=Status.COMPLETE)
    logs(job, "done\n")

    assert anns.get(f"/jobs/{job.pk}/log/1/stdout/tail/").headers["X-Log-Active"] == "0"


def test_the_tail_is_plain_text_that_no_browser_takes_for_a_page(anns, running, logs):
    logs(running, "<html>")

    answer = anns.get(f"/jobs/{running.pk}/log/1/stdout/tail/")

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_whole_log_is_an_attachment_of_plain_text(anns, running, logs):
    logs(running, "x" * 200_000)

    answer = anns.get(f"/jobs/{running.pk}/log/1/stdout/download/")

    assert b"".join(answer.streaming_content) == b"x" * 200_000
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_log_that_grows_while_it_is_sent_keeps_to_its_announced_length(anns, running, logs):
    path = logs(running, "x" * 100)
    answer = anns.get(f"/jobs/{running.pk}/log/1/stdout/download/")
    with path.open("a") as file:
        file.write("more")

    assert len(b"".join(answer.streaming_content)) == int(answer.headers["Content-Length"]) == 100


def test_the_engines_own_log_is_there_where_it_says_something(anns, ann, data_dir):
    job = JobManager("jobs").create_job("cmd", ann, "COMMAND", command=["true"])
    transition([Change(job.pk, 1, Status.RUNNING, external_id=job.tag)], source="test")
    folder = data_dir / "local" / job.uuid.hex / "1"
    folder.mkdir(parents=True)
    for name in ("stdout", "stderr", "runner.log"):
        (folder / name).touch()

    def shown() -> str:
        return anns.get(f"/jobs/{job.pk}/log/").content.decode()

    assert "?log=engine" not in shown()
    (folder / "runner.log").write_text("Traceback: the disk is full")
    assert "?log=engine" in shown()
    # The first log that says something is the one that is shown.
    assert "the disk is full" in shown()


@pytest.mark.parametrize(
    "rest", ["log/1/secret/tail/", "log/2/stdout/tail/", "log/0/stdout/download/", "log/1/..%2Fx/tail/"]
)
def test_a_log_that_is_not_there_is_404(anns, running, logs, rest):
    logs(running, "x")

    assert anns.get(f"/jobs/{running.pk}/{rest}").status_code == 404


def test_an_engine_that_cannot_give_the_log_is_said_on_the_page(anns, running, logs):
    logs(running, "x").unlink()

    assert "cannot be read at the moment" in anns.get(f"/jobs/{running.pk}/log/").content.decode()
