"""Statuses, and the one function that moves jobs from one to the other."""

import itertools

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from jobs.errors import JobOver
from jobs.models import BasicJob, Job, JobEvent, job_rows
from jobs.signals import jobs_moved
from jobs.status import ACTIVE, FINAL, MOVES, Status, resolve_status
from jobs.transitions import Change, transition
from jobs.types import JobType, register, unregister
from tests.exampleapp.models import FakeJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_in(new_job):
    """A function that makes a job which stands in a status, however it came there."""

    def make(status, **columns):
        job = new_job(**columns.pop("attributes", {}))
        job_rows().filter(pk=job.pk).update(status_code=status, **columns)
        job.read_row()
        return job

    return make


def move(job, status=None, **facts):
    return transition([Change(job.pk, job.attempt, status, **facts)], source="test")


PAIRS = [(old, new) for old, new in itertools.product(Status, Status) if old != new]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{old}-{new}" for old, new in PAIRS])
def test_a_report_moves_a_job_exactly_where_the_table_says(job_in, row, history, old, new):
    job = job_in(old)
    # Results are processed or they are not: no report takes a job away from them.
    allowed = new in MOVES[old] and new != Status.PENDING and old != Status.RESULTS_READY
    moves = move(job, new)
    assert [(m.old, m.new) for m in moves] == ([(old, new)] if allowed else [])
    assert row(job)["status_code"] == (new if allowed else old)
    assert history(job) == ([(old, new)] if allowed else [])


@pytest.mark.parametrize("status", Status)
def test_a_report_of_the_same_status_is_no_move(job_in, row, history, status):
    job = job_in(status)
    before = row(job)
    assert move(job, status) == []
    assert row(job) == before
    assert history(job) == []


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_job_that_is_over_keeps_every_fact_whatever_is_reported(job_in, row, final):
    job = job_in(final)
    before = row(job)
    move(job, Status.RUNNING, message="late", progress=3.0, exit_code=9, external_id="x", resources={"cpu_seconds": 1})
    move(job, message="late", progress=3.0)
    move(job, process_again=True, status=Status.RESULTS_READY)
    assert row(job) == before


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_resubmitted_job_is_pending_as_a_new_attempt_with_nothing_left_of_the_old_one(job_in, row, history, final):
    job = job_in(final, exit_code=3, progress=40.0, external_id="17", status_message="bad", tries=2, missed=1)
    old_token = job.token_hash
    move(job, resubmit=True)
    now = row(job)
    assert (now["status_code"], now["attempt"]) == (Status.PENDING, 2)
    assert [now[name] for name in ("exit_code", "progress", "execute_time", "start_time", "completion_time")] == [
        None
    ] * 5
    assert (now["external_id"], now["status_message"], now["tries"], now["missed"]) == ("", "", 0, 0)
    assert now["token_hash"] not in ("", old_token)
    assert history(job) == [(final, Status.PENDING)]


@pytest.mark.parametrize("status", sorted(set(Status) - FINAL))
def test_a_job_that_is_not_over_is_not_resubmitted(job_in, row, status):
    job = job_in(status)
    assert move(job, resubmit=True) == []
    assert row(job)["attempt"] == 1


def test_what_an_earlier_attempt_reports_is_refused(job_in, row):
    job = job_in(Status.ERROR)
    move(job, resubmit=True)
    assert move(job, Status.COMPLETE, message="I was first") == []
    assert (row(job)["status_code"], row(job)["status_message"]) == (Status.PENDING, "")


def test_a_change_under_a_claim_holds_only_while_the_claim_does(job_in, row):
    job = job_in(Status.PENDING, claim="somebody else")
    assert move(job, Status.SUBMITTED, external_id="7", claim="mine") == []
    assert row(job)["external_id"] == ""
    assert len(move(job, Status.SUBMITTED, external_id="7", claim="somebody else")) == 1
    assert row(job)["claim"] == ""


def test_only_from_narrows_what_a_change_may_move(job_in):
    job = job_in(Status.RUNNING)
    assert move(job, Status.ERROR, only_from=frozenset({Status.PENDING})) == []


def test_process_again_takes_back_only_an_error_of_the_results(job_in, row):
    bad_results = job_in(Status.ERROR, results_failed=True, tries=3)
    bad_work = job_in(Status.ERROR)
    for job in (bad_results, bad_work):
        move(job, Status.RESULTS_READY, process_again=True)
    assert row(bad_work)["status_code"] == Status.ERROR
    now = row(bad_results)
    assert (now["status_code"], now["results_failed"], now["tries"]) == (Status.RESULTS_READY, False, 0)
    assert now["completion_time"] is None


def test_a_job_with_results_to_process_is_results_ready_before_it_is_complete(job_in, row):
    with_results = job_in(Status.RUNNING, attributes={"process_results_function": "tests.exampleapp.results.count"})
    without = job_in(Status.RUNNING)
    transition([Change(job.pk, 1, Status.COMPLETE) for job in (with_results, without)], source="test")
    assert row(with_results)["status_code"] == Status.RESULTS_READY
    assert row(with_results)["completion_time"] is None
    assert row(without)["status_code"] == Status.COMPLETE


def test_results_are_only_processed_when_all_went_well(job_in, row):
    job = job_in(Status.RUNNING, attributes={"process_results_function": "tests.exampleapp.results.count"})
    move(job, Status.VARIOUS_COMPLETE)
    assert row(job)["status_code"] == Status.VARIOUS_COMPLETE


def test_results_ready_is_left_by_whoever_processes_the_results_and_by_nobody_else(job_in, row):
    job = job_in(Status.RESULTS_READY, attributes={"process_results_function": "tests.exampleapp.results.count"})
    with pytest.raises(JobOver):
        BasicJob.objects.get(pk=job.pk).update_status("Complete")
    assert move(job, Status.ERROR, message="late") == []
    assert len(move(job, Status.COMPLETE, only_from=frozenset({Status.RESULTS_READY}))) == 1
    assert row(job)["status_code"] == Status.COMPLETE


def test_times_are_those_of_the_moves_unless_the_engine_knows_better(job_in, row, clock):
    job, told = job_in(Status.SUBMITTED), job_in(Status.SUBMITTED)
    start = clock()
    transition([Change(job.pk, 1, Status.RUNNING), Change(told.pk, 1, Status.RUNNING, started=start)], source="test")
    clock.move(60)
    end = clock()
    clock.move(5)
    transition([Change(job.pk, 1, Status.COMPLETE), Change(told.pk, 1, Status.COMPLETE, finished=end)], source="test")
    assert (row(job)["start_time"], row(job)["completion_time"]) == (start, clock())
    assert (row(told)["start_time"], row(told)["completion_time"]) == (start, end)


def test_the_start_is_that_of_the_first_run_also_after_a_pause(job_in, row, clock):
    job = job_in(Status.SUBMITTED)
    start = clock()
    for status in (Status.RUNNING, Status.PAUSED, Status.RUNNING):
        move(job, status)
        clock.move(10)
    assert row(job)["start_time"] == start


def test_a_complete_job_shows_no_progress_short_of_the_end(job_in, row):
    halfway, silent = job_in(Status.RUNNING, progress=40.0), job_in(Status.RUNNING)
    transition([Change(job.pk, 1, Status.COMPLETE) for job in (halfway, silent)], source="test")
    assert (row(halfway)["progress"], row(silent)["progress"]) == (100.0, None)


def test_facts_are_written_without_a_move_and_none_leaves_what_is_known(job_in, row, history):
    job = job_in(Status.RUNNING)
    move(job, message="half", progress=50.0, resources={"cpu_seconds": 1.5})
    move(job, exit_code=0, resources={"max_rss_bytes": 7})
    now = row(job)
    assert (now["status_message"], now["progress"], now["exit_code"]) == ("half", 50.0, 0)
    assert now["resources"] == {"cpu_seconds": 1.5, "max_rss_bytes": 7}
    assert history(job) == []


def test_several_changes_of_one_job_hold_one_after_the_other(job_in, row, history):
    job = job_in(Status.PENDING)
    changes = [Change(job.pk, 1, status) for status in ("SUB", "RUN", "COM", "ERR")]
    assert len(transition(changes, source="test")) == 3
    assert history(job) == [("PEN", "SUB"), ("SUB", "RUN"), ("RUN", "COM")]
    assert row(job)["status_code"] == "COM"


def test_different_jobs_take_different_ways_in_one_call(job_in, row):
    jobs = [job_in(Status.RUNNING) for _ in range(3)]
    changes = [
        Change(jobs[0].pk, 1, Status.COMPLETE, exit_code=0),
        Change(jobs[1].pk, 1, Status.ERROR, exit_code=2, message="no"),
        Change(jobs[2].pk, 1, progress=5.0),
        Change(10**9, 1, Status.COMPLETE),
    ]
    assert len(transition(changes, source="test")) == 2
    assert [(row(job)["status_code"], row(job)["exit_code"]) for job in jobs] == [("COM", 0), ("ERR", 2), ("RUN", None)]


def test_a_message_may_hold_what_no_database_takes(job_in, row):
    job = job_in(Status.RUNNING)
    move(job, Status.ERROR, message="before\0after \ud800 'quoted' \"twice\" ünï\n%s {}")
    message = row(job)["status_message"]
    assert message.startswith("before")
    assert message.endswith("'quoted' \"twice\" ünï\n%s {}")
    assert JobEvent.objects.get(job_id=job.pk).message == message


def test_the_event_is_written_with_the_move_or_neither_is(job_in, row, history):
    job = job_in(Status.RUNNING)
    with transaction.atomic():
        move(job, Status.COMPLETE)
        assert history(job) == [("RUN", "COM")]
        transaction.set_rollback(True)
    assert row(job)["status_code"] == Status.RUNNING
    assert history(job) == []


def test_an_event_says_who_when_and_why(job_in, clock):
    job = job_in(Status.RUNNING)
    transition([Change(job.pk, 1, Status.ERROR, message="too hot")], source="user ann")
    event = JobEvent.objects.get(job_id=job.pk)
    assert (event.source, event.message, event.time, event.attempt) == ("user ann", "too hot", clock(), 1)


@pytest.fixture
def heard():
    """The lists of moves that the signal brought."""
    received = []

    def receive(sender, moves, **kwargs):
        received.append([(move.old, move.new) for move in moves])

    jobs_moved.connect(receive)
    yield received
    jobs_moved.disconnect(receive)


def test_the_signal_follows_the_commit_and_none_follows_a_rollback(job_in, heard, django_capture_on_commit_callbacks):
    job = job_in(Status.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        move(job, Status.PAUSED)
        assert heard == []
    assert heard == [[("RUN", "PAS")]]
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            move(job, Status.RUNNING)
            transaction.set_rollback(True)
        move(job, message="no move")
    assert heard == [[("RUN", "PAS")]]


@pytest.fixture
def broken_receiver():
    """An app's receiver that fails, called before the others."""

    def receive(sender, **kwargs):
        raise RuntimeError("the app's own trouble")

    jobs_moved.connect(receive)
    yield
    jobs_moved.disconnect(receive)


def test_a_receiver_that_fails_stops_neither_the_move_nor_the_other_receivers(
    job_in, row, broken_receiver, heard, caplog, django_capture_on_commit_callbacks
):
    job = job_in(Status.RUNNING)
    with django_capture_on_commit_callbacks(execute=True):
        move(job, Status.COMPLETE)
    assert heard == [[("RUN", "COM")]]
    assert row(job)["status_code"] == Status.COMPLETE
    assert "the app's own trouble" in caplog.text


# --- custom statuses


def test_a_custom_status_is_a_base_status_with_another_label(job_in, row, settings, history):
    settings.JOBS = {**settings.JOBS, "CUSTOM_STATUSES": {"Calibrating": "RUN", "Looked over": "COM"}}
    job = job_in(Status.SUBMITTED)
    assert job.update_status("calibrating") == "Calibrating"
    assert (row(job)["status_code"], row(job)["status_label"]) == (Status.RUNNING, "Calibrating")
    assert job.update_status("Running") == "Running"
    assert job.update_status("Looked over") == "Looked over"
    assert row(job)["completion_time"] is not None
    assert history(job) == [("SUB", "RUN"), ("RUN", "RUN"), ("RUN", "COM")]


def test_a_job_type_brings_custom_statuses_of_its_own():
    surveyed = JobType(name="SURVEY", label="Survey", model=FakeJob, custom_statuses={"Surveying": "RUN"})
    register(surveyed)
    try:
        assert resolve_status("surveying") == (Status.RUNNING, "Surveying")
    finally:
        unregister(surveyed)
    with pytest.raises(ValueError, match="'surveying' is not a status; use one of Pending, Submitted"):
        resolve_status("surveying")


@pytest.mark.parametrize("status", Status)
def test_a_status_is_known_by_code_and_by_word_in_any_case(status):
    for word in (status.value, status.value.lower(), status.label, status.label.upper(), f" {status.label} "):
        assert resolve_status(word) == (status, "")


# --- stale objects


def test_a_stale_object_saved_late_changes_nothing_that_the_core_owns(fake_job, row, clock):
    job = fake_job(submitted=False)
    stale = FakeJob.objects.get(pk=job.pk)
    values = {
        "text": "from a stale object",
        "number": 77,
    }
    before = row(job)
    for name in Job.OWNED - {"uuid"}:
        field = Job._meta.get_field(name)
        kind = field.get_internal_type()
        if kind in ("CharField", "TextField"):
            setattr(stale, name, "ERR" if name == "status_code" else values["text"])
        elif kind in ("FloatField", "IntegerField", "PositiveIntegerField"):
            setattr(stale, name, values["number"])
        elif kind == "DateTimeField":
            setattr(stale, name, clock())
        elif kind == "BooleanField":
            setattr(stale, name, True)
        else:
            assert kind == "JSONField"
            setattr(stale, name, {"stale": True})
    stale.description = "kept"
    stale.save()
    stale.save(update_fields=["status_code", "attempt"])
    stale.save(update_fields=["status_code", "extended_properties"])
    assert row(job) == {**before, "description": "kept"}


def test_a_stale_object_saved_after_the_move_does_not_undo_it(new_job, row):
    job = new_job()
    stale = BasicJob.objects.get(pk=job.pk)
    job.execute()
    job.update_status("Running")
    stale.extended_properties = {"one": 1, "two": 2}
    stale.save()
    assert (row(job)["status_code"], row(job)["extended_properties"]) == ("RUN", {"one": 1, "two": 2})


def test_every_column_is_either_owned_by_the_core_or_the_authors():
    authors = {
        "id",
        "polymorphic_ctype",
        "name",
        "description",
        "user",
        "label",
        "workspace",
        "extended_properties",
        "process_results_function",
        "timeout",
        "scheduler",
    }
    assert {field.name for field in Job._meta.concrete_fields} == authors | Job.OWNED


# --- many at once


@pytest.fixture
def many(ann):
    """A function that makes so many running jobs with as few statements as it takes."""

    def make(count: int) -> list[int]:
        from django.contrib.contenttypes.models import ContentType

        ctype = ContentType.objects.get_for_model(BasicJob)
        Job.objects.bulk_create(
            Job(name=f"m{number}", user=ann, label="many", status_code="RUN", polymorphic_ctype=ctype)
            for number in range(count)
        )
        return list(job_rows().filter(label="many").values_list("pk", flat=True))

    return make


def test_ten_thousand_jobs_are_moved_by_one_update(many):
    ids = many(10_000)
    with CaptureQueriesContext(connection) as queries:
        moves = transition([Change(pk, 1, Status.COMPLETE, exit_code=0) for pk in ids], source="test")
    assert len(moves) == 10_000
    assert job_rows().filter(label="many", status_code="COM").count() == 10_000
    assert JobEvent.objects.count() == 10_000
    statements = [query["sql"] for query in queries]
    assert len([sql for sql in statements if sql.startswith('UPDATE "jobs_job" ')]) == 1
    # The rest reads and inserts in portions; none is about one job alone.
    assert len(statements) < 120


def test_active_and_final_and_the_rest_are_all_there_is():
    assert ACTIVE | FINAL | {Status.PENDING, Status.RESULTS_READY} == set(Status)
    assert not ACTIVE & FINAL
