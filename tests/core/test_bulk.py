"""Bulk actions: which jobs they are about, what each answers, and that nothing is lost or done twice on the way."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError

from jobs import bulk
from jobs.filters import JobFilter
from jobs.models import BulkAction, BulkJob, Intent, JobEvent, job_rows
from jobs.monitor.sweep import Sweep
from jobs.testing import settle
from jobs.worker import bulk as worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def carried_out():
    """A function that has a worker carry a bulk action out, and gives its answers: job id to message, empty for done."""

    def carry_out(made) -> dict[int, str]:
        worker.carry_out_bulk(made.pk)
        made.refresh_from_db()
        return dict(made.jobs.values_list("job_id", "message"))

    return carry_out


@pytest.fixture
def small(monkeypatch):
    """Batches of two."""
    monkeypatch.setattr(worker, "TOGETHER", 2)


def wanted(action: str) -> list[int]:
    return sorted(Intent.objects.open().filter(action=action).values_list("job_id", flat=True))


def test_by_ids_each_job_answers(new_job, ann, carried_out):
    first, second, over = new_job(), new_job(), new_job()
    over.update_status("Complete")
    made = bulk.by_ids(ann, "stop", [first.pk, over.pk])
    first.execute()  # the status in which a job is when it is asked counts

    answers = carried_out(made)

    assert set(answers) == {first.pk, over.pk}
    assert answers[first.pk] == ""
    assert "is Complete" in answers[over.pk]
    assert (made.total, made.done + made.refused, made.left, made.state) == (2, 2, 0, "finished")
    assert second.pk not in answers


def test_by_filter_all_that_match_are_asked_and_deleted(fake_job, ann, carried_out, small):
    jobs = [fake_job() for _ in range(5)]
    other = fake_job()
    job_rows().filter(pk__in=[job.pk for job in jobs]).update(label="x")

    answers = carried_out(bulk.by_filter(ann, "delete", {"label": ["x"]}))
    settle(3)

    assert answers == dict.fromkeys([job.pk for job in jobs], "")
    assert list(job_rows().values_list("pk", flat=True)) == [other.pk]


def test_what_arrives_or_changes_after_the_confirmation_is_neither_added_nor_left_out(new_job, ann, carried_out):
    job = new_job()
    made = bulk.by_filter(ann, "delete", {"status": "pending"})
    later = new_job()
    job.update_status("Running")

    assert set(carried_out(made)) == {job.pk}
    assert not job_rows().get(pk=later.pk).hidden


def test_what_arrived_after_the_person_was_told_is_not_in_it(new_job, ann):
    job = new_job()
    told = bulk.extent(JobFilter({}, user=ann), "delete")
    new_job()

    made = bulk.by_filter(ann, "delete", {}, until=told.until)

    assert (told.matching.number, made.total) == (1, 1)
    assert list(made.jobs.values_list("job_id", flat=True)) == [job.pk]


def test_a_relative_moment_is_kept_as_the_moment_that_it_was(new_job, ann, clock):
    new_job()
    made = bulk.by_filter(ann, "delete", {"created_after": "1h"})

    assert "T" in made.filter["created_after"][0]


def test_jobs_that_are_not_theirs_are_not_acted_on_and_foreign_ones_answer_as_unknown(new_job, ann, bob, carried_out):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    mine, foreign, shared = new_job(), new_job(user=bob), new_job(user=bob, groups=lab)

    answers = carried_out(bulk.by_ids(ann, "delete", [mine.pk, foreign.pk, shared.pk, 999_999]))

    assert answers[mine.pk] == ""
    assert answers[foreign.pk] == answers[999_999] == "There is no such job."
    assert "bob's job" in answers[shared.pk]
    assert wanted("delete") == [mine.pk]
    assert not BulkJob.objects.exclude(job_id__in=[mine.pk, shared.pk]).exclude(name="").exists()


def test_a_filter_never_reaches_a_job_that_the_person_does_not_see(new_job, ann, bob, carried_out):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    mine, foreign, shared = new_job(), new_job(user=bob), new_job(user=bob, groups=lab)

    answers = carried_out(bulk.by_filter(ann, "delete", {}))

    assert set(answers) == {mine.pk, shared.pk}
    assert wanted("delete") == [mine.pk]
    with pytest.raises(bulk.BulkRefused, match="no job matches"):
        bulk.by_filter(ann, "delete", {"user": "bob", "text": foreign.name})


def test_who_may_act_on_all_jobs_reaches_all(new_job, staff, ann, bob, carried_out):
    jobs = [new_job(), new_job(user=bob)]

    assert carried_out(bulk.by_filter(staff, "delete", {})) == {job.pk: "" for job in jobs}
    assert JobEvent.objects.count() == 0


def test_what_a_person_may_do_counts_when_it_is_done(new_job, staff, bob, carried_out):
    job = new_job(user=bob)
    made = bulk.by_ids(staff, "delete", [job.pk])
    staff.is_staff = False
    staff.save()

    assert carried_out(made) == {job.pk: "There is no such job."}


@pytest.mark.parametrize("action", ["refresh", "save", "__class__", "DELETE", "", "delete "])
def test_an_action_that_is_not_on_the_list_is_refused(new_job, ann, action):
    job = new_job()
    for make in (lambda: bulk.by_ids(ann, action, [job.pk]), lambda: bulk.by_filter(ann, action, {})):
        with pytest.raises(bulk.BulkRefused, match="is not one of run, pause"):
            make()
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize("parameters", [{"status": "EXPLODED"}, {"created_before": "soon"}, {"type": "slurm"}])
def test_a_filter_that_cannot_be_read_does_nothing(new_job, ann, parameters):
    new_job()
    with pytest.raises(bulk.BulkRefused, match=next(iter(parameters))):
        bulk.by_filter(ann, "delete", parameters)
    assert not BulkAction.objects.exists()


def test_too_many_ids_and_none_are_refused(ann):
    for ids in ([], range(1, bulk.MOST_IDS + 2)):
        with pytest.raises(bulk.BulkRefused):
            bulk.by_ids(ann, "stop", list(ids))


def test_how_many_are_told_first(new_job, ann, bob):
    lab = Group.objects.create(name="lab")
    ann.groups.add(lab)
    new_job()
    new_job(user=bob, groups=lab)
    new_job().update_status("Complete")

    told = bulk.extent(JobFilter({}, user=ann), "resubmit")

    assert (told.matching.number, told.possible.number) == (3, 1)


# --- on the way


class PowerCut(BaseException):
    """The process is gone: nothing that comes after is done."""


@pytest.mark.parametrize("point", ["CLAIM_BULK", "BATCH", "RELEASE_BULK"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.django_db(transaction=True)
def test_whatever_dies_on_the_way_each_job_is_resubmitted_once(new_job, ann, clock, small, monkeypatch, point, when):
    jobs = [new_job() for _ in range(5)]
    for job in jobs:
        job.update_status("Complete")
    made = bulk.by_filter(ann, "resubmit", {})
    passed = []

    def die(reached):
        passed.append(reached)
        if reached == when and passed.count(when) == (2 if point == "BATCH" else 1):
            raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(getattr(worker, point), "reach", die)
        with pytest.raises(PowerCut):
            worker.carry_out_bulk(made.pk)
    clock.move(60)
    while worker.due():
        worker.carry_out_bulk(made.pk)

    made.refresh_from_db()
    assert (made.done, made.refused, made.state) == (5, 0, "finished")
    assert set(job_rows().values_list("attempt", flat=True)) == {2}


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_ask_each_job_once(new_job, ann, at_once, small):
    jobs = [new_job() for _ in range(8)]
    for job in jobs:
        job.update_status("Complete")
    made = bulk.by_filter(ann, "resubmit", {})

    answers = at_once(*[lambda: worker.carry_out_bulk(made.pk)] * 2)

    made.refresh_from_db()
    assert answers == [None, None]
    assert (made.done, made.state) == (8, "finished")
    assert set(job_rows().values_list("attempt", flat=True)) == {2}


def test_one_that_has_a_claim_is_left_to_its_worker_until_the_lease_ends(new_job, ann, clock):
    made = bulk.by_ids(ann, "delete", [new_job().pk])
    worker._claim(made.pk)
    assert worker.due() == []

    clock.move(60)

    assert worker.due() == [made.pk]


def test_a_batch_that_breaks_off_is_undone_and_taken_up_again(new_job, ann, clock, monkeypatch, carried_out):
    made = bulk.by_ids(ann, "delete", [new_job().pk, new_job().pk])
    real, calls = worker.want, []

    def deadlock(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise DatabaseError("deadlock detected")
        return real(*args, **options)

    monkeypatch.setattr(worker, "want", deadlock)
    carried_out(made)
    assert (made.done, wanted("delete")) == (0, [])
    clock.move(1)
    assert worker.due() == [made.pk]

    carried_out(made)

    assert (made.done, made.state) == (2, "finished")


def test_a_bug_about_one_job_does_not_keep_the_others_waiting(new_job, ann, monkeypatch, carried_out):
    bad, good = new_job(), new_job()
    real = worker.want

    def want(row, *args, **options):
        if row.pk == bad.pk:
            raise KeyError("where")
        return real(row, *args, **options)

    monkeypatch.setattr(worker, "want", want)
    answers = carried_out(bulk.by_ids(ann, "delete", [bad.pk, good.pk]))

    assert "error of this site's" in answers[bad.pk]
    assert answers[good.pk] == ""


def test_a_long_one_gives_way_after_a_while_and_goes_on(new_job, ann, clock, small, monkeypatch):
    made = bulk.by_ids(ann, "delete", [new_job().pk for _ in range(6)])
    monkeypatch.setattr(worker, "SLICE", -1)

    worker.carry_out_bulk(made.pk)
    made.refresh_from_db()
    assert (made.done, made.state) == (2, "working")
    clock.move(1)
    while worker.due():
        worker.carry_out_bulk(made.pk)
        clock.move(1)

    made.refresh_from_db()
    assert made.done == 6


def test_the_sweep_wakes_a_worker_for_it_and_not_for_a_finished_one(new_job, ann, monkeypatch, carried_out):
    sent = []
    monkeypatch.setattr("jobs.monitor.sweep._send", lambda task, argument: sent.append((task.name, argument)))
    made = bulk.by_ids(ann, "delete", [new_job().pk])
    Sweep().once()
    carried_out(made)
    Sweep().once()

    assert [one for one in sent if one[0] == "jobs.carry_out_bulk"] == [("jobs.carry_out_bulk", made.pk)]


def test_old_answers_are_cleared_away(new_job, ann, clock, carried_out):
    old = bulk.by_ids(ann, "delete", [new_job().pk])
    carried_out(old)
    clock.move(31 * 86400)

    carried_out(bulk.by_ids(ann, "delete", [new_job().pk]))

    assert not BulkAction.objects.filter(pk=old.pk).exists()
    assert BulkJob.objects.count() == 1


def test_only_some_of_a_workers_threads_are_for_bulk_actions(new_job, ann, monkeypatch):
    made = bulk.by_ids(ann, "delete", [new_job().pk])
    monkeypatch.setattr(worker, "_places", threading.BoundedSemaphore(1))
    with worker._places:
        worker.carry_out_bulk(made.pk)

    made.refresh_from_db()
    assert made.state == "waiting"
