"""The weather example reports its progress to the callback, and does its work also where nobody listens."""

import json
import socket
import time

import pytest

from examples.weather import check

TOKEN = "c2VjcmV0LXRva2Vu"


@pytest.fixture
def token_file(tmp_path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="ascii")
    path.chmod(0o600)
    return str(path)


def test_progress_rises_to_100_with_the_token_of_the_job(analyse, callback, token_file):
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    assert (done.returncode, done.stderr) == (0, "")
    reports = [json.loads(body) for _, _, body in callback.requests]
    percents = [report["progress"] for report in reports]
    assert percents == sorted(set(percents))
    assert (percents[0], percents[-1]) == (0, 100)
    assert all(report["message"] for report in reports)
    for path, headers, _ in callback.requests:
        assert path == "/update-job-status/7/"
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["Content-Type"] == "application/json"


def test_what_it_reports_it_also_prints(analyse, callback, token_file):
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    reports = [json.loads(body) for _, _, body in callback.requests]
    assert done.stdout.splitlines() == [f"{report['progress']:3d} %  {report['message']}" for report in reports]


def test_no_proxy_stands_between_the_job_and_its_server(analyse, callback, token_file):
    away = "http://127.0.0.1:1"
    analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=token_file, http_proxy=away)
    assert len(callback.requests) == 6


@pytest.mark.parametrize("given", [(), ("JOBDECK_CALLBACK_URL",), ("JOBDECK_CALLBACK_TOKEN_FILE",)])
def test_without_a_callback_it_runs_the_same_and_silently(given, analyse, callback, token_file, tmp_path):
    both = {"JOBDECK_CALLBACK_URL": callback.url, "JOBDECK_CALLBACK_TOKEN_FILE": token_file}
    done = analyse(**{name: both[name] for name in given})
    assert (done.returncode, done.stderr, callback.requests) == (0, "", [])
    assert check.differences(tmp_path) == []


def test_a_server_that_is_away_does_not_fail_it(analyse, token_file, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{free.getsockname()[1]}/update-job-status/7/"
        done = analyse(JOBDECK_CALLBACK_URL=url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    assert done.returncode == 0
    assert "warning: progress not reported" in done.stderr
    assert "Connection refused" in done.stderr
    assert check.differences(tmp_path) == []


def test_a_server_that_hangs_costs_two_seconds_a_report(analyse, callback, token_file, tmp_path):
    callback.answers = [0]
    started = time.monotonic()
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    assert 2 <= time.monotonic() - started < 15
    assert done.returncode == 0
    assert done.stderr.count("timed out") == 1
    assert json.loads(callback.requests[-1][2])["progress"] == 100
    assert check.differences(tmp_path) == []


@pytest.mark.parametrize("status", [302, 403, 409, 500, 503])
def test_an_answer_that_is_no_success_is_a_warning_and_the_next_report_follows(status, analyse, callback, token_file):
    callback.answers = [status]
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    assert done.returncode == 0
    assert done.stderr == f"warning: progress not reported: the server answered HTTP {status}; the work goes on\n"
    assert len(callback.requests) == 6


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "127.0.0.1:8000/x", "http://127.0.0.1:99999999/"])
def test_an_address_that_is_none_does_not_fail_it(url, analyse, token_file):
    done = analyse(JOBDECK_CALLBACK_URL=url, JOBDECK_CALLBACK_TOKEN_FILE=token_file)
    assert done.returncode == 0
    assert "the callback's address or token is not usable" in done.stderr


@pytest.mark.parametrize("content", [b"two\nlines", b"\xff"])
def test_a_spoiled_token_is_never_shown(content, analyse, callback, tmp_path):
    path = tmp_path / "spoiled"
    path.write_bytes(content)
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=str(path))
    assert done.returncode == 0
    assert "warning: progress not reported" in done.stderr
    assert "two" not in done.stderr
    assert callback.requests == []


def test_a_token_file_that_is_gone_does_not_fail_it(analyse, callback, tmp_path):
    done = analyse(JOBDECK_CALLBACK_URL=callback.url, JOBDECK_CALLBACK_TOKEN_FILE=str(tmp_path / "gone"))
    assert done.returncode == 0
    assert done.stderr.count("cannot be read (FileNotFoundError)") == 1
