"""The core's models in Django's admin: to be looked at; what the transition function rules cannot be changed there."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs import admin as module
from jobs.manager import JobManager
from jobs.models import Heartbeat, Intent, Job, JobEvent, Scheduler, job_rows
from jobs.status import Status
from jobs.transitions import Change, transition

pytestmark = pytest.mark.django_db

LISTS = ["jobs/job", "jobs/jobevent", "jobs/intent", "jobs/scheduler", "jobs/heartbeat", "jobs_local/commandjob"]


@pytest.fixture
def root():
    """The browser of somebody who may do everything that Django lets anybody do."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root"))
    return client


@pytest.fixture
def command(ann):
    return JobManager("jobs").create_job(
        "cmd", ann, "COMMAND", command=["echo", "hello"], environment={"TOKEN": "s3cret value"}
    )


@pytest.fixture
def everything(command, new_job):
    """A row of each model."""
    job = new_job(status=Status.RUNNING)
    command.execute()
    Scheduler.objects.get_or_create(name="pool", defaults={"type": "condor", "last_error": "away"})
    now = job.creation_time
    Heartbeat.objects.create(kind="worker", holder="w", host="h", pid=1, started=now, time=now)
    return job


@pytest.mark.parametrize("path", LISTS)
def test_every_list_and_row_can_be_looked_at(root, everything, path):
    listing = root.get(f"/admin/{path}/")
    assert listing.status_code == 200
    row = listing.context["cl"].result_list[0]

    assert root.get(f"/admin/{path}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_nothing_is_added_or_removed(root, everything, path):
    row = root.get(f"/admin/{path}/").context["cl"].result_list[0]

    assert root.get(f"/admin/{path}/add/").status_code == 403
    assert root.post(f"/admin/{path}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    root.post(f"/admin/{path}/", {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert type(row)._base_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("path", ["jobs/jobevent", "jobs/intent", "jobs/heartbeat"])
def test_history_wishes_and_signs_of_life_cannot_be_changed(root, everything, path):
    row = root.get(f"/admin/{path}/").context["cl"].result_list[0]

    assert root.post(f"/admin/{path}/{row.pk}/change/", {"message": "other", "source": "me"}).status_code == 403


def test_of_a_job_description_and_groups_can_be_changed_and_nothing_else(root, everything, bob):
    job, group = everything, Group.objects.create(name="hydrology")
    before = job_rows().filter(pk=job.pk).values().get()
    forged = {
        "description": "A new one",
        "groups": [group.pk],
        "name": "forged",
        "user": bob.pk,
        "status_code": "COM",
        "attempt": 9,
        "workspace": "/etc",
        "process_results_function": "os.abort",
        "extended_properties": "{}",
        "token_hash": "0" * 64,
    }

    assert root.post(f"/admin/jobs/job/{job.pk}/change/", forged).status_code == 302

    after = job_rows().filter(pk=job.pk).values().get()
    assert {name for name in after if after[name] != before[name]} == {"description"}
    assert after["description"] == "A new one"
    assert list(job.groups.all()) == [group]


def test_a_command_cannot_be_changed(root, command):
    root.post(f"/admin/jobs_local/commandjob/{command.pk}/change/", {"command": '["rm"]', "description": "x"})

    command.refresh_from_db()
    assert (command.command, command.description) == (["echo", "hello"], "x")


def test_a_job_that_moves_while_its_form_is_open_keeps_where_it_is(root, everything, monkeypatch):
    job, save = everything, module.JobAdmin.save_model

    def save_late(self, request, obj, form, change):
        transition([Change(job.pk, 1, Status.COMPLETE)], source="test")
        Job.objects.filter(pk=job.pk).update(extended_properties={"rain": 3})
        save(self, request, obj, form, change)

    monkeypatch.setattr(module.JobAdmin, "save_model", save_late)
    root.post(f"/admin/jobs/job/{job.pk}/change/", {"description": "late"})

    job = Job.objects.get(pk=job.pk)
    assert (job.status_code, job.description, job.extended_properties) == (Status.COMPLETE, "late", {"rain": 3})


def test_of_a_scheduler_only_its_least_interval_can_be_changed(root, everything):
    pool = Scheduler.objects.get(name="pool")

    root.post(f"/admin/jobs/scheduler/{pool.pk}/change/", {"least_interval": "60", "name": "x", "cursor": "1"})

    pool.refresh_from_db()
    assert (pool.least_interval, pool.name, pool.cursor) == (60.0, "pool", None)


@pytest.mark.parametrize("path", ["jobs/job", "jobs_local/commandjob"])
def test_no_secret_is_shown(root, command, path):
    page = root.get(f"/admin/{path}/{command.pk}/change/").content.decode()

    assert command.token_hash
    assert command.token_hash not in page
    assert "s3cret value" not in page
    assert "TOKEN" in page or path == "jobs/job"


def test_a_job_leads_to_its_own_page(root, everything):
    page = root.get(f"/admin/jobs/job/{everything.pk}/change/").content.decode()

    assert f'href="/jobs/{everything.pk}/"' in page


@pytest.mark.parametrize("path", LISTS)
def test_no_list_counts_or_sorts_out_everything(root, everything, path):
    with CaptureQueriesContext(connection) as queries:
        root.get(f"/admin/{path}/")

    for query in queries:
        sql = query["sql"]
        assert "COUNT(*)" not in sql or "LIMIT" in sql, sql
        assert "SELECT DISTINCT" not in sql or "jobs_jobevent" not in sql, sql
        assert "SELECT DISTINCT" not in sql or "jobs_intent" not in sql, sql


@pytest.mark.parametrize("path", ["jobs/job", "jobs/jobevent", "jobs/intent"])
def test_a_list_needs_the_same_queries_for_one_row_and_for_twenty(root, ann, new_job, path):
    new_job(status=Status.RUNNING).stop()
    root.get(f"/admin/{path}/")
    with CaptureQueriesContext(connection) as few:
        root.get(f"/admin/{path}/")
    for _ in range(19):
        new_job(status=Status.RUNNING).stop()
    with CaptureQueriesContext(connection) as many:
        root.get(f"/admin/{path}/")

    assert len(few) == len(many)


def test_a_long_list_counts_to_its_limit(root, everything, monkeypatch):
    monkeypatch.setattr(module, "MOST_COUNTED", 2)
    JobEvent.objects.bulk_create(
        JobEvent(job=everything, attempt=1, time=everything.creation_time, source="test") for _ in range(9)
    )

    assert root.get("/admin/jobs/jobevent/").context["cl"].result_count == 2


@pytest.mark.parametrize(
    "path",
    [
        "jobs/job/?q=cmd",
        "jobs/job/?status_code__exact=RUN",
        "jobs/job/?type=COMMAND",
        "jobs/jobevent/?status=RUN",
        "jobs/intent/?outcome=done",
        "jobs/intent/?q=away",
    ],
)
def test_lists_can_be_searched_and_filtered(root, everything, path):
    response = root.get(f"/admin/{path}")

    assert response.status_code == 200
    if path.endswith(("cmd", "COMMAND", "RUN")):
        assert len(response.context["cl"].result_list) >= 1


def test_the_type_filter_shows_that_type_only(root, everything, command):
    rows = root.get("/admin/jobs/job/?type=COMMAND").context["cl"].result_list

    assert [row.pk for row in rows] == [command.pk]


def test_staff_without_the_permission_see_nothing(staffs, everything):
    assert staffs.get("/admin/jobs/job/").status_code == 403
    assert Intent.objects.count() >= 1
