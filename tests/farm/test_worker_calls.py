"""How a worker takes a site's bad days: answers that are late, lost, cut off, or not meant for it."""

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jobs.farm.worker import Farm, HandedOut, NotAnswered, Refused
from jobs.farm.worker import client as client_module

TASK = HandedOut(7, "a" * 32)
NO_TASKS = {"tasks": [], "state": "open", "lease_seconds": None, "retry_after": 2}
ONE_TASK = {**NO_TASKS, "tasks": [{"number": 7, "token": "a" * 32, "tries": 1, "percent": 0, "input": None}]}
TAKEN = {"taken": [7], "lost": [], "state": "open"}


class Answers:
    """A site that answers with what the test says, in order.

    An answer is a status, a body (a JSON value, or bytes), and headers; or None for a connection that is closed instead.
    """

    def __init__(self):
        self.answers: list = []
        self.asked: list[tuple[str, str, dict]] = []
        self.times: list[float] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                outer.times.append(time.monotonic())
                length = int(self.headers["Content-Length"] or 0)
                next_answer = outer.answers.pop(0)
                reads_all = next_answer is None or next_answer[0] != 413
                body = self.rfile.read(length) if reads_all else b""
                is_json = self.headers["Content-Type"] == "application/json"
                outer.asked.append((self.command, self.path, json.loads(body) if is_json else body))
                if next_answer is None:
                    self.close_connection = True
                    return
                status, said, headers = next_answer
                data = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                self.close_connection = self.close_connection or not reads_all

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/farm/"

    def will(self, status: int, said=b"", **headers: str) -> None:
        self.answers.append((status, said, {name.replace("_", "-"): value for name, value in headers.items()}))

    def will_hang_up(self) -> None:
        self.answers.append(None)


@pytest.fixture
def answers():
    made = Answers()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def farm(answers):
    made = Farm(answers.url, "jobdeck_token")
    yield made
    made.close()


def test_a_site_that_asks_to_be_left_alone_is(answers, farm, caplog):
    answers.will(503, Retry_After="1")
    answers.will(429, {"error": {"code": "throttled", "message": "slowly"}}, Retry_After="0")
    answers.will(200, TAKEN)
    assert farm.report([{"number": 7, "token": "a"}]).taken == {7}
    assert 1 <= answers.times[1] - answers.times[0] < 2
    assert [record.getMessage() for record in caplog.records] == [
        "127.0.0.1 does not answer (it says 503 Service Unavailable); it is asked again until it does",
        "127.0.0.1 answers again",
    ]


def test_a_checkout_whose_answer_was_lost_is_repeated_as_such(answers, farm):
    answers.will_hang_up()
    answers.will(502)
    answers.will(200, ONE_TASK)
    assert [task.number for task in farm.checkout(3).tasks] == [7]
    bodies = [body for _, _, body in answers.asked]
    assert len({body["token"] for body in bodies}) == 1
    assert [body.get("again") for body in bodies] == [None, True, True]
    assert {body["count"] for body in bodies} == {3}


def test_what_a_lost_checkout_is_given_while_it_waits_at_the_site_is_asked_for_later(answers, farm, monkeypatch):
    monkeypatch.setattr(client_module, "_RESERVE", 0.1)
    answers.will_hang_up()
    answers.will(200, NO_TASKS)
    assert farm.checkout(1, wait=0.9).tasks == ()
    answers.will(200, ONE_TASK)
    assert [task.number for task in farm.settle_doubts()] == [7]
    first, _, last = (body for _, _, body in answers.asked)
    assert (last["token"], last["again"]) == (first["token"], True)
    assert answers.times[2] - answers.times[0] > 0.9


def test_a_connection_that_the_site_closed_meanwhile_is_no_news(answers, farm, caplog):
    caplog.set_level(logging.INFO)
    answers.will(200, TAKEN)
    answers.will_hang_up()
    answers.will(200, TAKEN)
    for _ in range(2):
        assert farm.report([{"number": 7, "token": "a"}]).taken == {7}
    assert caplog.records == []


@pytest.mark.parametrize("length", ["60", ""], ids=["shorter than it says", "its head cut off"])
def test_half_an_answer_is_none(answers, farm, length):
    answers.will(200, b'{"taken": [7', Content_Length=length, Connection="close")
    answers.will(200, TAKEN)
    assert farm.report([{"number": 7, "token": "a"}]).taken == {7}


def test_half_a_file_is_none(answers, farm, tmp_path):
    answers.will(200, b"half of ", Content_Length="16", Connection="close")
    answers.will(200, b"half of it")
    farm.save_input(TASK, "a b/c.txt", tmp_path / "c.txt")
    assert (tmp_path / "c.txt").read_bytes() == b"half of it"
    assert answers.asked[0][1] == "/farm/tasks/7/inputs/a%20b/c.txt"
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]


def test_a_file_is_sent_whole_each_time(answers, farm, tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 3_000_000)
    answers.will_hang_up()
    answers.will(201, {"name": "big"})
    farm.put_file(TASK, "big", tmp_path / "big")
    assert [len(body) for _, _, body in answers.asked] == [3_000_000] * 2


def test_a_file_that_is_refused_before_it_was_read_is_not_sent_for_ever(answers, farm, tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 30_000_000)
    answers.will(413, {"error": {"code": "too_large", "message": "A file may have 1,000 bytes here."}})
    answers.will(413, {"error": {"code": "too_large", "message": "A file may have 1,000 bytes here."}})
    with pytest.raises(Refused, match="A file may have 1,000 bytes here"):
        farm.put_file(TASK, "big", tmp_path / "big")


def test_an_input_for_which_there_is_no_room_is_not_asked_for_for_ever(answers, farm, tmp_path):
    answers.will(200, b"it")
    with pytest.raises(FileNotFoundError):
        farm.save_input(TASK, "it", tmp_path / "gone" / "it")


@pytest.mark.parametrize(
    ("status", "said", "headers", "message"),
    [
        (301, b"", {"Location": "https://site.example/farm/"}, "has moved to https://site.example/farm/"),
        (200, b"<!doctype html>", {"Content_Type": "text/html"}, "is no farm run's API: it does not answer with JSON"),
        (200, {"name": "another API"}, {}, "is no farm run's API, or of another version"),
        (401, b"", {}, "the token may be mistyped, revoked or expired"),
        (409, {"error": {"message": "Not now."}}, {}, "Not now"),
    ],
)
def test_what_would_not_change_by_asking_again_is_said(answers, farm, status, said, headers, message):
    answers.will(status, said, **headers)
    with pytest.raises(Refused, match=message):
        farm.checkout()


def test_a_call_that_nobody_wants_any_more_ends(answers, farm):
    answers.will(503, Retry_After="60")
    threading.Timer(0.3, farm.give_up).start()
    with pytest.raises(NotAnswered):
        farm.report([{"number": 7, "token": "a"}])


@pytest.mark.parametrize("url", ["site.example", "ftp://site.example/", "https://", "https://site.example/a b/"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="is no address of a run's API"):
        Farm(url, "jobdeck_token")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", ""])
def test_no_name_of_an_input_file_leads_out_of_the_tasks_folder(tmp_path, name):
    with pytest.raises(Refused, match="would not be in the task's folder"):
        client_module.inside(tmp_path, name)
