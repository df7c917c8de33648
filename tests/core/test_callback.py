"""The status callback: jobs report with their attempt's token; anybody may ask for a look."""

import json

import pytest

from jobs.models import JobEvent, Scheduler, job_rows
from jobs.status import Status
from jobs.testing import settle
from jobs.tokens import callback_token
from jobs.transitions import Change, transition

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(new_job):
    """A BasicJob at work."""
    job = new_job()
    job.execute()
    job.update_status("Running")
    return job


@pytest.fixture
def post(client):
    """A function that posts a report of a job: JSON, or a form where the test says so."""

    def send(job, body, *, token=None, query="", form=False, scheme="Bearer"):
        headers = {"Authorization": f"{scheme} {job.callback_token() if token is None else token}"}
        url = f"/update-job-status/{job.pk}/{query}"
        if form:
            return client.post(url, body, headers=headers)
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(url, text, content_type="application/json", headers=headers)

    return send


def failed(response, status: int, words: str) -> bool:
    body = response.json()
    assert (response.status_code, body["success"]) == (status, False), body
    assert words in body["error"], body
    return True


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_report_moves_a_job_that_no_engine_runs(running, post, row, form):
    response = post(running, {"status": "Paused", "progress": "40", "message": "waiting for data"}, form=form)
    assert (response.status_code, response.json()) == (200, {"success": True})
    now = row(running)
    assert (now["status_code"], now["progress"], now["status_message"]) == ("PAS", 40.0, "waiting for data")
    assert JobEvent.objects.filter(job=running).last().source == "callback"


def test_a_report_of_part_leaves_the_rest(running, post, row):
    post(running, {"progress": 10, "message": "one"})
    post(running, {"message": "two"})
    assert (row(running)["progress"], row(running)["status_message"]) == (10.0, "two")


def test_a_custom_status_is_taken(running, post, row, settings):
    settings.JOBS = {**settings.JOBS, "CUSTOM_STATUSES": {"Calibrating": "RUN"}}
    assert post(running, {"status": "calibrating"}).status_code == 200
    assert (row(running)["status_code"], row(running)["status_label"]) == ("RUN", "Calibrating")


def test_the_same_status_again_is_fine(running, post):
    assert post(running, {"status": "RUN"}).status_code == 200


def test_a_job_reports_results_ready_only_where_there_are_results_to_process(running, post, row, new_job):
    post(running, {"status": "Results-Ready"})
    assert row(running)["status_code"] == Status.COMPLETE
    other = new_job(process_results_function="tests.exampleapp.results.count")
    other.execute()
    post(other, {"status": "Results-Ready"})
    assert row(other)["status_code"] == Status.RESULTS_READY


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"progress": -1}, "progress: -1 must be a number from 0 to 100, in percent"),
        ({"progress": 101}, "progress: 101"),
        ({"progress": "x"}, "progress: 'x'"),
        ({"progress": True}, "progress: True"),
        ({"progress": None}, "progress: None"),
        ({"progress": [1]}, "progress: [1]"),
        ({"progress": "nan"}, "progress: 'nan'"),
        ('{"progress": NaN}', "progress: nan"),
        ('{"progress": Infinity}', "progress: inf"),
        ('{"progress": 1' + "0" * 400 + "}", "must be a number from 0 to 100"),
        ({"status": "Exploded"}, "status: 'Exploded' is not a status; use one of Pending, Submitted"),
        ({"status": None}, "is not a status"),
        ({"message": None}, "message: None must be a text"),
        ({"message": {"a": 1}}, "must be a text"),
        ({"state": "RUN"}, "state: not known; a report has status, progress and message"),
        ({}, "the report is empty"),
        ("[1]", "must be a JSON object"),
        ("{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        ("[" * 60000, "the body is not JSON"),
        ('{"message": "' + "x" * 65536 + '"}', "the body is larger than 65536 bytes"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_report_is_refused_with_what_is_wrong_and_changes_nothing(running, post, row, body, words):
    before = row(running)
    assert failed(post(running, body), 400, words)
    assert row(running) == before


@pytest.mark.parametrize("progress", [0, 100, 0.5, "99.9", "1e1"])
def test_progress_is_percent_with_both_ends(running, post, row, progress):
    assert post(running, {"progress": progress}).status_code == 200
    assert row(running)["progress"] == float(progress)


def test_a_message_is_cut_and_cleaned(running, post, row):
    post(running, {"message": "a\0b" + "x" * 5000})
    assert row(running)["status_message"] == "ab" + "x" * 1998
    assert post(running, '{"message": "half \\ud800 pair"}').status_code == 200
    assert row(running)["status_message"] == "half ? pair"
    post(running, {"message": "<script>alert(1)</script>"})
    assert row(running)["status_message"] == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "token", ["", "0" * 64, "\u00fc", " ", "x" * 10000], ids=["none", "wrong", "odd", "blank", "long"]
)
def test_a_wrong_token_is_forbidden(running, post, row, token):
    before = row(running)
    response = post(running, {"progress": 3}, token=token)
    assert failed(response, 403, "The token is not that of the job's current attempt.")
    assert row(running) == before


def test_a_report_without_a_token_or_with_another_scheme_is_forbidden(running, client, post):
    assert failed(client.post(f"/update-job-status/{running.pk}/", {"progress": 3}), 403, "token")
    assert failed(post(running, {"progress": 3}, scheme="Basic"), 403, "token")
    assert post(running, {"progress": 3}, scheme="bearer").status_code == 200


def test_the_token_of_another_job_is_forbidden(running, new_job, post):
    assert failed(post(running, {"progress": 3}, token=new_job().callback_token()), 403, "token")


def test_the_token_of_an_earlier_attempt_is_forbidden(running, post, row):
    earlier = running.callback_token()
    running.update_status("Error")
    running.resubmit()
    assert failed(post(running, {"progress": 3}, token=earlier), 403, "token")
    assert post(running, {"progress": 3}, token=callback_token(running.uuid, 2)).status_code == 200


def test_the_database_has_no_token(running, row):
    assert running.callback_token() not in str(row(running))


def test_a_token_stays_valid_when_the_secret_key_changes(running, post, settings):
    token = running.callback_token()
    settings.SECRET_KEY = "another one, as long as it has to be, and as random"
    assert post(running, {"progress": 3}, token=token).status_code == 200


@pytest.mark.parametrize("final", ["Complete", "Various-Complete", "Error", "Aborted"])
def test_a_report_about_an_attempt_that_is_over_is_a_conflict(running, post, row, final):
    running.update_status(final)
    before = row(running)
    assert failed(post(running, {"status": "Running", "progress": 1}), 409, "attempt 1 is over")
    assert row(running) == before


def test_a_move_that_the_rules_do_not_allow_is_a_conflict(running, post, row):
    assert failed(post(running, {"status": "Pending", "message": "x"}), 409, "is Running and cannot become Pending")
    assert row(running)["status_message"] == "", "refused as a whole"


@pytest.mark.parametrize("job_id", [0, 10**9, 10**30])
def test_an_unknown_job_is_not_found(client, db, job_id):
    for response in (client.get(f"/update-job-status/{job_id}/"), client.post(f"/update-job-status/{job_id}/")):
        assert failed(response, 404, "There is no such job.")


def test_a_job_that_is_being_deleted_is_not_found(running, post, client):
    job_rows().filter(pk=running.pk).update(hidden=True)
    assert failed(post(running, {"progress": 3}), 404, "There is no such job.")
    assert failed(client.get(f"/update-job-status/{running.pk}/"), 404, "There is no such job.")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options"])
def test_other_methods_are_not_allowed(running, client, row, method):
    before = row(running)
    assert getattr(client, method)(f"/update-job-status/{running.pk}/").status_code == 405
    assert row(running) == before


def test_a_report_needs_no_cookie_and_no_csrf_token(running):
    from django.test import Client

    headers = {"Authorization": f"Bearer {running.callback_token()}"}
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/update-job-status/{running.pk}/", {"progress": 3}, headers=headers).status_code == 200


# --- jobs that an engine runs


@pytest.fixture
def at_engine(fake_job, fake):
    """A job that the fake engine runs; nobody has asked for a look."""
    job = fake_job()
    fake.start(job)
    settle()
    Scheduler.objects.update(look_wanted=None)
    return job


def looked() -> bool:
    return Scheduler.objects.get().look_wanted is not None


@pytest.mark.django_db(transaction=True)
def test_the_reported_end_of_a_job_at_an_engine_makes_a_look_now_and_one_later(at_engine, post, row, clock):
    assert post(at_engine, {"status": "Complete", "progress": 100, "message": "all done"}).status_code == 200
    now = row(at_engine)
    assert (now["status_code"], now["progress"], now["status_message"]) == ("RUN", 100.0, "all done")
    assert looked()
    assert (now["look_at"] - clock()).total_seconds() == 3


def test_progress_of_a_job_at_an_engine_asks_for_no_look(at_engine, post, row):
    post(at_engine, {"progress": 50})
    assert row(at_engine)["progress"] == 50.0
    assert not looked()


@pytest.mark.django_db(transaction=True)
def test_what_one_of_many_parts_reports_is_not_the_progress_of_the_job(at_engine, post, row):
    transition(
        [Change(at_engine.pk, at_engine.attempt, resources={"counts": {"COM": 1, "RUN": 3}}, progress=25.0)],
        source="fake",
    )
    assert post(at_engine, {"progress": 90, "message": "nearly there"}).status_code == 200
    now = row(at_engine)
    assert (now["progress"], now["status_message"]) == (25.0, "nearly there")


@pytest.mark.django_db(transaction=True)
def test_a_get_asks_for_a_look_and_changes_nothing_else(at_engine, client, row, clock):
    before = row(at_engine)
    response = client.get(f"/update-job-status/{at_engine.pk}/")
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert looked()
    assert {name for name, value in row(at_engine).items() if value != before[name]} == {"last_look"}


@pytest.mark.django_db(transaction=True)
def test_gets_ask_for_at_most_one_look_a_second(at_engine, client, clock):
    asked = 0
    for _ in range(10):
        client.get(f"/update-job-status/{at_engine.pk}/")
        asked += looked()
        Scheduler.objects.update(look_wanted=None)
        clock.move(0.3)
    assert asked == 3


def test_a_get_for_a_job_that_is_over_or_at_no_engine_changes_nothing(at_engine, fake, running, client, row):
    fake.finish(at_engine)
    settle()
    Scheduler.objects.update(look_wanted=None)
    for job in (at_engine, running):
        before = row(job)
        assert client.get(f"/update-job-status/{job.pk}/").status_code == 200
        assert row(job) == before
    assert not looked()


def test_a_delay_is_kept_in_the_database_and_the_earlier_of_two_holds(at_engine, client, row, clock):
    for delay in (60, 10, 30):
        assert client.get(f"/update-job-status/{at_engine.pk}/?delay={delay}").status_code == 200
    assert (row(at_engine)["look_at"] - clock()).total_seconds() == 10
    assert not looked()
    clock.move(11)
    settle()
    assert row(at_engine)["look_at"] is None


@pytest.mark.parametrize("delay", ["-1", "3601", "x", "nan", "inf", "", "1e9"])
def test_a_delay_out_of_bounds_is_refused(at_engine, client, post, row, delay):
    before = row(at_engine)
    words = f"delay: '{delay}' must be a number of seconds from 0 to 3600"
    assert failed(client.get(f"/update-job-status/{at_engine.pk}/?delay={delay}"), 400, words)
    assert failed(post(at_engine, {"progress": 1}, query=f"?delay={delay}"), 400, words)
    assert row(at_engine) == before
