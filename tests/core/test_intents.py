"""Intents: what may be wanted of a job when, what replaces what, and how each is carried out."""

import pytest

from jobs import intents
from jobs.engine import EngineRefused, Outcome
from jobs.errors import ActionNotAllowed, NotSubmitted
from jobs.intents import allowed_actions
from jobs.models import Action, Intent, Job, JobEvent, job_rows
from jobs.status import Status
from jobs.testing import settle
from jobs.workspaces import make_workspace, workspace_path

pytestmark = pytest.mark.django_db


def open_intent(job) -> Intent | None:
    return Intent.objects.open().filter(job_id=job.pk).first()


def closed(job) -> list[tuple[str, str]]:
    return list(Intent.objects.exclude(outcome="").filter(job=job).order_by("id").values_list("action", "outcome"))


ALLOWED = {
    "PEN": "run delete",
    "SUB": "pause stop delete",
    "RUN": "pause stop delete",
    "PAS": "resume stop delete",
    "VAR": "pause stop delete",
    "OTH": "stop delete",
    "RES": "delete",
    "COM": "resubmit delete",
    "VCP": "resubmit delete",
    "ERR": "resubmit delete",
    "ABT": "resubmit delete",
}


@pytest.mark.parametrize("status", Status)
def test_each_status_allows_its_actions_and_refuses_the_others_with_a_reason(fake_job, row, status):
    job = fake_job(submitted=False)
    job_rows().filter(pk=job.pk).update(status_code=status)
    job.read_row()
    assert {str(action) for action in allowed_actions(job)} == set(ALLOWED[status].split())
    for action in set(Action) - {Action.REFRESH} - set(allowed_actions(job)):
        with pytest.raises(ActionNotAllowed, match=f"^{action.label}: job {job.pk} .* is {status.label}"):
            intents.want(job, action)
    assert row(job)["status_code"] == status
    assert Intent.objects.count() == 0


def test_a_pending_job_can_be_stopped_once_its_run_is_wanted(fake_job, fake, history):
    job = fake_job(submitted=False)
    with pytest.raises(ActionNotAllowed):
        job.stop()
    job.execute()
    assert {str(action) for action in allowed_actions(job, "run")} == {"stop", "delete"}
    job.stop()
    settle()
    assert history(job) == [("PEN", "ABT")]
    assert fake.attempts == {}
    assert closed(job) == [("run", "replaced"), ("stop", "done")]


def test_an_error_of_the_results_may_be_processed_again(new_job):
    job = new_job()
    job_rows().filter(pk=job.pk).update(status_code=Status.ERROR, results_failed=True)
    job.read_row()
    assert {str(action) for action in allowed_actions(job)} == {"process-again", "resubmit", "delete"}
    job.process_again()
    assert job.cached_status == "Results-Ready"
    assert open_intent(job) is None


def test_an_engine_that_cannot_pause_is_not_asked_to(fake_job, fake, monkeypatch):
    monkeypatch.setattr(type(fake), "supports", fake.supports.__class__())
    job = fake_job()
    assert Action.PAUSE not in allowed_actions(job)
    with pytest.raises(ActionNotAllowed, match="jobs of type Fake cannot do that"):
        job.pause()


def test_of_a_job_whose_room_is_not_installed_only_the_deletion_is_offered(new_job):
    from tests.exampleapp.models import FakeJob

    job = FakeJob.objects.create(name="no engine", user=new_job().user)
    assert job.type is None
    assert allowed_actions(job) == [Action.DELETE]
    job.delete()
    settle()
    assert not job_rows().filter(pk=job.pk).exists()


def test_the_same_wish_said_twice_is_one_intent(fake_job):
    job = fake_job()
    assert intents.want(job, "stop") == intents.want(job, "stop")
    assert closed(job)[-1] == ("run", "done")


def test_a_stop_replaces_a_run_a_pause_and_a_resume_and_a_deletion_replaces_all(fake_job, fake):
    job = fake_job()
    job.pause()
    job.stop()
    assert closed(job) == [("run", "done"), ("pause", "replaced")]
    job.delete()
    assert closed(job)[2:] == [("stop", "replaced")]
    assert open_intent(job).action == Action.DELETE


def test_while_something_is_under_way_what_does_not_replace_it_is_refused(fake_job):
    job = fake_job()
    job.stop()
    with pytest.raises(ActionNotAllowed, match="and 'Stop' is under way; wait for it"):
        job.pause()


def test_nothing_more_can_be_wanted_of_a_job_that_is_being_deleted(fake_job):
    job = fake_job()
    job.delete()
    job.delete()
    with pytest.raises(ActionNotAllowed, match=f"job {job.pk} is being deleted or is gone"):
        job.stop()
    assert Intent.objects.open().count() == 1


def test_the_history_knows_who_asked(fake_job, ann):
    job = fake_job(submitted=False)
    job_rows().filter(pk=job.pk).update(status_code=Status.ERROR)
    intents.want(job, Action.RESUBMIT, user=ann)
    assert JobEvent.objects.get(job=job).source == "user ann"
    assert open_intent(job).requested_by == ann


def test_a_stop_ends_the_job_at_its_engine(fake_job, fake, row):
    job = fake_job()
    fake.start(job)
    settle()
    job.stop()
    settle()
    assert row(job)["status_code"] == Status.ABORTED
    assert closed(job)[-1] == ("stop", "done")


def test_a_stop_that_comes_too_late_changes_nothing_of_the_end(fake_job, fake, row):
    job = fake_job()
    job.stop()
    fake.finish(job)
    settle()
    assert row(job)["status_code"] == Status.COMPLETE
    assert closed(job)[-1] == ("stop", "over")


def test_pause_and_resume_close_when_the_engine_reports_their_effect(fake_job, fake, row):
    job = fake_job()
    fake.start(job)
    settle()
    job.pause()
    settle()
    assert row(job)["status_code"] == Status.PAUSED
    assert closed(job)[-1] == ("pause", "done")
    job.resume()
    settle()
    assert row(job)["status_code"] == Status.RUNNING
    assert closed(job)[-1] == ("resume", "done")


def test_another_reason_for_a_pause_is_not_the_end_of_it(fake_job, fake, settings):
    settings.JOBS = {**settings.JOBS, "CUSTOM_STATUSES": {"Held": "PAS"}}
    job = fake_job()
    job_rows().filter(pk=job.pk).update(status_code=Status.PAUSED)
    job.resume()
    from jobs.transitions import Change, transition

    transition([Change(job.pk, 1, Status.PAUSED, "Held")], source="fake")
    assert open_intent(job).action == Action.RESUME


def test_a_pause_that_the_engine_refuses_is_closed_with_its_words(fake_job, fake, monkeypatch):
    def refuse(handles):
        raise EngineRefused("not while it is being moved")

    monkeypatch.setattr(fake, "pause", refuse)
    job = fake_job()
    job.pause()
    settle()
    refused = Intent.objects.get(job=job, action="pause")
    assert (refused.outcome, refused.last_error) == ("refused", "not while it is being moved")


def test_a_stop_that_the_engine_refuses_is_asked_for_again(fake_job, fake, row, clock, monkeypatch):
    def refuse(handles, force=False):
        raise EngineRefused("you do not own it")

    job = fake_job()
    with monkeypatch.context() as patched:
        patched.setattr(fake, "stop", refuse)
        job.stop()
        settle()
        assert open_intent(job).last_error == "you do not own it"
    clock.move(60)
    settle()
    assert row(job)["status_code"] == Status.ABORTED


def test_an_engine_that_has_not_ended_a_job_by_the_deadline_is_asked_with_force(fake_job, fake, clock, monkeypatch):
    asked = []

    def deaf(handles, *, force=False):
        asked.append(force)
        return {handle.tag: Outcome.DONE for handle in handles}

    monkeypatch.setattr(fake, "stop", deaf)
    job = fake_job()
    job.stop()
    for _ in range(3):
        settle()
        clock.move(31)
    assert asked == [False, False, True]


def test_a_stop_while_the_engine_is_away_waits_for_it(fake_job, fake, row, clock):
    job = fake_job()
    fake.away = True
    job.stop()
    settle()
    assert row(job)["status_code"] == Status.SUBMITTED
    assert open_intent(job).last_error == "the fake engine is away"
    fake.away = False
    clock.move(120)
    settle()
    assert row(job)["status_code"] == Status.ABORTED


def test_a_resubmitted_job_runs_again_and_only_its_new_attempt_counts(fake_job, fake, row):
    job = fake_job()
    fake.finish(job, exit_code=1)
    settle()
    first = job.tag
    job.resubmit()
    settle()
    assert (row(job)["status_code"], row(job)["attempt"], row(job)["external_id"]) == ("SUB", 2, "fake-2")
    fake.finish(job)
    settle()
    assert (row(job)["status_code"], row(job)["exit_code"]) == ("COM", 0)
    assert set(fake.attempts) == {first, job.tag}


# --- deletion


def test_a_deleted_job_is_out_of_all_lists_at_once_and_its_name_is_free(fake_job, manager, ann):
    job = manager.create_job(name="mine", user=ann, job_type="FAKE")
    job.delete()
    assert list(manager.list_jobs()) == []
    assert not Job.objects.shown().visible_to(ann).exists()
    again = manager.create_job(name="mine", user=ann, job_type="FAKE")
    settle()
    assert list(manager.list_jobs()) == [again]


def test_deleting_a_running_job_ends_it_and_leaves_nothing_of_any_attempt(fake_job, fake):
    job = fake_job()
    fake.finish(job, exit_code=1)
    settle()
    job.resubmit()
    settle()
    assert len(fake.attempts) == 2
    fake.start(job)
    settle()
    (workspace_path(job) / "output.txt").write_text("results")
    job.delete()
    settle()
    assert not job_rows().filter(pk=job.pk).exists()
    assert fake.attempts == {}
    assert not workspace_path(job).exists()
    assert not JobEvent.objects.filter(job_id=job.pk).exists()


def test_a_folder_that_the_author_named_stays_when_the_job_goes(fake_job, tmp_path):
    job = fake_job(workspace=str(tmp_path))
    (tmp_path / "theirs.txt").write_text("kept")
    job.delete()
    settle()
    assert not job_rows().filter(pk=job.pk).exists()
    assert (tmp_path / "theirs.txt").read_text() == "kept"


def test_a_link_in_place_of_the_workspace_is_not_followed_when_the_job_goes(new_job, tmp_path):
    job = new_job()
    make_workspace(job).rmdir()
    workspace_path(job).symlink_to(tmp_path)
    (tmp_path / "somebody elses.txt").write_text("kept")
    job.delete()
    settle()
    assert (tmp_path / "somebody elses.txt").exists()


def test_a_deletion_waits_for_an_engine_that_is_away(fake_job, fake, clock):
    job = fake_job()
    fake.finish(job)
    settle()
    fake.away = True
    job.delete()
    settle()
    assert job_rows().filter(pk=job.pk, hidden=True).exists()
    fake.away = False
    clock.move(120)
    settle()
    assert not job_rows().filter(pk=job.pk).exists()


def test_an_earlier_attempts_external_id_is_not_made_up_of_the_current_ones(fake_job, fake, monkeypatch):
    job = fake_job()
    fake.finish(job)
    settle()
    job.resubmit()
    settle()
    fake.finish(job)
    settle()
    asked = []
    forget = fake.forget
    monkeypatch.setattr(fake, "forget", lambda handles: asked.extend(handles) or forget(handles))
    job.delete()
    settle()
    assert [handle.external_id for handle in asked] == ["", "fake-2"]


def test_a_deleted_job_does_not_come_back_by_being_saved(new_job):
    from django.db import DatabaseError, transaction

    job = new_job()
    job.delete()
    settle()
    with pytest.raises(DatabaseError), transaction.atomic():
        job.save()
    assert not job_rows().filter(pk=job.pk).exists()


# --- what app code says


def test_a_basic_job_that_is_executed_is_submitted_at_once(new_job, row, clock):
    job = new_job()
    job.execute()
    assert job.status == "Submitted"
    assert row(job)["execute_time"] == clock()
    assert Intent.objects.count() == 0


def test_a_basic_job_can_be_stopped_and_run_again(new_job, history):
    job = new_job()
    job.execute()
    job.stop()
    assert job.status == "Aborted"
    job.resubmit()
    assert job.status == "Submitted"
    assert history(job) == [("PEN", "SUB"), ("SUB", "ABT"), ("ABT", "PEN"), ("PEN", "SUB")]


def test_executing_a_job_saves_it_first(fake_job):
    job = fake_job(submitted=False)
    job.description = "set just before"
    job.execute()
    assert Job.objects.get(pk=job.pk).description == "set just before"


def test_execute_with_a_timeout_says_when_no_worker_takes_the_job_and_the_wish_stands(fake_job):
    job = fake_job(submitted=False)
    with pytest.raises(NotSubmitted, match=f"job {job.pk} .*not with its engine within 0.2 s; it stays wanted"):
        job.execute(timeout=0.2)
    assert open_intent(job).action == Action.RUN


def test_a_job_that_is_executed_twice_is_refused_the_second_time(fake_job):
    job = fake_job()
    with pytest.raises(ActionNotAllowed, match="is Submitted; that can only be done to a job that is Pending"):
        job.execute()


def test_an_object_from_before_the_submission_knows_its_scheduler_after_a_look(fake_job, fake):
    job = fake_job(submitted=False)
    job.execute()
    settle()
    assert job.scheduler_id is None
    assert job.cached_status == "Submitted"
    assert job.scheduler.name == "fake"
