"""Pools in Django's admin: a token goes in and never comes out; nothing is written but what was changed."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import serializers
from django.test import Client
from django.utils import timezone
from django.views.debug import get_exception_reporter_filter

from jobs.condor.admin import CondorSchedulerAdmin
from jobs.condor.idtoken import facts
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.manager import JobManager
from jobs.models import Scheduler, job_rows
from jobs.secret import Secret

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs_condor/condorscheduler/"
SIGNATURE = "dGhlc2lnbmF0dXJlaXNzZWNyZXQ"


def idtoken(**claims) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.{SIGNATURE}"


TOKEN = idtoken(sub="jobs@lab", iss="lab", exp=1893456000)
OTHER = idtoken(sub="else@lab")


@pytest.fixture
def pool() -> CondorScheduler:
    made = CondorScheduler.objects.create(name="lab", address="cm.example.org", token=TOKEN, least_interval=3.0)
    made.refresh_from_db()
    return made


def change(pool) -> str:
    return f"{LIST}{pool.pk}/change/"


def filled(**values) -> dict:
    """What a browser sends of a form that nobody changed, with what the test changes."""
    usual = {
        "name": "lab",
        "address": "cm.example.org",
        "schedd_name": "",
        "new_token": "",
        "trust_domain": "",
        "filesystem_domain": "",
        "shared_folders": "",
        "ssh_host": "",
        "ssh_port": "22",
        "ssh_username": "",
        "ssh_host_key": "",
        "ssh_folder": ".jobdeck",
        "dagman": "/usr/bin/condor_dagman",
        "least_interval": "3.0",
        "full_interval": "60.0",
    }
    return usual | values


def row(pool) -> dict:
    return CondorScheduler.objects.filter(pk=pool.pk).values().get()


def errors(response, field) -> str:
    assert response.status_code == 200, response.headers.get("Location")
    return " ".join(response.context["adminform"].form.errors[field])


# --- adding and changing


def test_a_pool_is_added_with_its_token_and_tested(root):
    response = root.post(f"{LIST}add/", filled(new_token=f"  {TOKEN}\n", is_default="on"), follow=True)

    pool = CondorScheduler.objects.get()
    assert (pool.name, pool.type, pool.address, pool.is_default) == ("lab", "condor", "cm.example.org", True)
    assert pool.token.reveal() == TOKEN
    assert pool.test_wanted is not None
    assert '<a href="/jobs/schedulers/">Schedulers</a>' in response.content.decode()


def test_a_new_pool_is_asked_every_two_seconds_unless_said_otherwise(root):
    initial = root.get(f"{LIST}add/").context["adminform"].form.initial

    assert initial["least_interval"] == 2.0


def test_only_what_was_changed_is_written(root, pool, monkeypatch):
    """The monitor and the workers write the others while the form is open."""
    save = CondorSchedulerAdmin.save_model

    def save_late(self, request, obj, form, change):
        now = timezone.now()
        Scheduler.objects.filter(pk=pool.pk).update(
            cursor={"watch": "x"},
            failures=7,
            last_error="away",
            last_poll=now,
            lease_holder="node:1",
            lease_expires=now,
        )
        CondorScheduler.objects.filter(pk=pool.pk).update(schedd_name="set meanwhile")
        save(self, request, obj, form, change)

    monkeypatch.setattr(CondorSchedulerAdmin, "save_model", save_late)
    before = row(pool)
    root.post(change(pool), filled(address="other.example.org", cursor="", failures="0", type="local", host="x"))

    after = row(pool)
    assert (after["failures"], after["last_error"], after["lease_holder"]) == (7, "away", "node:1")
    assert after["cursor"] == {"watch": "x"}
    assert {name for name in after if after[name] != before[name]} == {
        *("address", "test_wanted", "schedd_name"),
        *("cursor", "failures", "last_error", "last_poll", "lease_holder", "lease_expires"),
    }


def test_a_change_asks_for_a_test(root, pool):
    root.post(change(pool), filled(trust_domain="lab"))

    assert row(pool)["test_wanted"] is not None


def test_what_is_saved_unchanged_stays(root, pool):
    CondorScheduler.objects.filter(pk=pool.pk).update(shared_folders=["/data", "/scratch"], is_default=True)
    before = row(pool)

    root.post(change(pool), filled(shared_folders="/data\r\n/scratch", is_default="on"))

    assert row(pool) == before | {"test_wanted": row(pool)["test_wanted"]}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "required"),
        ("address", "", "required"),
        ("address", "cm.example.org 9618", "no place for spaces"),
        ("schedd_name", "a b", "no place for spaces"),
        ("trust_domain", "a\tb", "no place for spaces"),
        ("shared_folders", "/data\nscratch", "scratch: give the whole path"),
        ("shared_folders", "/data/../etc", "whole path"),
        ("least_interval", "0", "At least 1 second"),
        ("least_interval", "nan", "number"),
        ("full_interval", "29", "at most once a minute"),
        ("full_interval", "-1", "at most once a minute"),
        ("new_token", "no token", "This is no IDTOKEN"),
        ("new_token", "a.b", "This is no IDTOKEN"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(root, pool, field, value, message):
    before = row(pool)

    assert message in errors(root.post(change(pool), filled(**{field: value})), field)
    assert row(pool) == before


def test_a_name_that_a_scheduler_of_another_kind_has_is_refused(root, pool):
    Scheduler.objects.create(name="local:node", type="local")

    assert "already exists" in errors(root.post(change(pool), filled(name="local:node")), "name")


def test_there_is_one_default_and_the_message_names_it(root, pool):
    CondorScheduler.objects.create(name="first", address="x", is_default=True)

    response = root.post(change(pool), filled(is_default="on"))

    assert errors(response, "is_default") == "first is the default already; take it away there first."


def test_shared_folders_are_one_on_each_line(root, pool, tmp_path):
    response = root.post(
        change(pool), filled(shared_folders=f"{tmp_path}/\r\n\r\n  /not/there  \r\n{tmp_path}"), follow=True
    )

    assert row(pool)["shared_folders"] == [str(tmp_path), "/not/there"]
    page = response.content.decode()
    assert "/not/there is no folder of this host now" in page
    assert f"{tmp_path} is no folder" not in page
    assert f"{tmp_path}\n/not/there" in root.get(change(pool)).content.decode()


# --- the token


def test_an_empty_field_leaves_the_token_as_it_is(root, pool):
    root.post(change(pool), filled(address="other.example.org"))

    pool.refresh_from_db()
    assert pool.token.reveal() == TOKEN


def test_a_new_token_takes_the_place_of_the_old(root, pool):
    root.post(change(pool), filled(new_token=OTHER))

    pool.refresh_from_db()
    assert pool.token.reveal() == OTHER


def test_a_token_is_removed_when_that_is_ticked(root, pool):
    root.post(change(pool), filled(remove_token="on"))

    pool.refresh_from_db()
    assert not pool.token


def test_removing_and_replacing_at_once_is_refused(root, pool):
    response = root.post(change(pool), filled(remove_token="on", new_token=OTHER))

    assert "There is a new token above" in errors(response, "remove_token")
    pool.refresh_from_db()
    assert pool.token.reveal() == TOKEN


def test_where_there_is_no_token_none_can_be_removed(root, pool):
    assert "remove_token" in root.get(change(pool)).content.decode()
    root.post(change(pool), filled(remove_token="on"))

    page = root.get(change(pool)).content.decode()
    assert "remove_token" not in page
    assert "None is stored." in page


def test_the_form_says_whose_token_is_stored_and_since_when(root, pool):
    page = root.get(change(pool)).content.decode()

    year = timezone.now().year
    assert "One is stored for jobs@lab, entered on " in page
    assert f"{year}, " in page
    assert "good until 1 Jan 2030" in page


def test_a_token_of_another_secret_key_says_that_it_cannot_be_read(root, pool, settings):
    Scheduler.objects.filter(pk=pool.pk)
    encrypted = pool.token.encrypted
    settings.SECRET_KEY = "another"
    client = Client()
    client.force_login(User.objects.get(username="root"))

    page = client.get(change(pool)).content.decode()

    assert "cannot be read" in page
    assert encrypted not in page


def test_no_answer_of_the_site_has_the_token_in_it(root, pool):
    """In no form, however filled in; not in the history of changes; not in what staff see elsewhere."""
    answers = [
        root.get(LIST),
        root.get(f"{LIST}add/"),
        root.get(change(pool)),
        root.post(change(pool), filled(new_token=OTHER, address="")),
        root.post(change(pool), filled(new_token=f"{OTHER} x")),
        root.post(change(pool), filled(new_token=TOKEN), follow=True),
        root.get(f"{LIST}{pool.pk}/history/"),
        root.get(f"{LIST}{pool.pk}/delete/"),
        root.get(f"/admin/jobs/scheduler/{pool.pk}/change/"),
        root.get("/admin/"),
        root.get("/jobs/schedulers/"),
        root.get("/healthz"),
    ]
    pool.refresh_from_db()

    for answer in answers:
        text = answer.content.decode()
        assert answer.status_code in (200, 503)
        assert SIGNATURE not in text
        assert pool.token.encrypted not in text
    logged = " ".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    assert "Token" in logged
    assert SIGNATURE not in logged


def test_an_error_report_does_not_have_the_token_in_it(root, pool, monkeypatch):
    def broken(self, request, obj, form, change):
        kept.update(get_exception_reporter_filter(request).get_post_parameters(request))

    kept = {}
    monkeypatch.setattr(CondorSchedulerAdmin, "save_model", broken)
    root.post(change(pool), filled(new_token=OTHER))

    assert kept["address"] == ["cm.example.org"]
    assert SIGNATURE not in str(kept)


def test_a_dump_of_the_database_has_it_encrypted_only(pool):
    assert SIGNATURE not in serializers.serialize("json", CondorScheduler.objects.all())


@pytest.mark.parametrize(
    ("token", "account", "expires"),
    [
        (TOKEN, "jobs@lab", datetime(2030, 1, 1, tzinfo=UTC)),
        (idtoken(sub=["odd"], exp="never"), "", None),
        (idtoken(exp=1e300), "", None),
        ("a.b.c", "", None),
        ("a.WzFd.c", "", None),
        ("no token at all", "", None),
    ],
)
def test_what_a_token_says_is_read_however_odd_it_is(token, account, expires):
    found = facts(Secret.of(token))

    assert (found.account, found.expires) == (account, expires)
    assert timezone.now() - found.stored < timedelta(minutes=1)


def test_of_no_token_nothing_is_said():
    assert facts(Secret.of("")) is None


# --- deleting


@pytest.fixture
def job(ann, pool):
    return JobManager("jobs").create_job("mine", ann, "CONDOR", scheduler=pool, attributes={"executable": "/bin/true"})


def test_a_pool_without_jobs_can_be_deleted(root, pool):
    assert root.get(f"{LIST}{pool.pk}/delete/").status_code == 200
    root.post(f"{LIST}{pool.pk}/delete/", {"post": "yes"})

    assert not Scheduler.objects.exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("RUN", "1 job is active there. Stop or delete them first"),
        ("COM", "there are jobs that ran there. Delete them"),
    ],
)
def test_a_pool_with_jobs_stays_and_says_why(root, pool, job, status, words):
    job_rows().filter(pk=job.pk).update(status_code=status)

    for response in (
        root.get(f"{LIST}{pool.pk}/delete/", follow=True),
        root.post(f"{LIST}{pool.pk}/delete/", {"post": "yes"}, follow=True),
    ):
        page = response.content.decode()
        assert words in page
        assert '<a href="/jobs/?scheduler=lab">these jobs</a>' in page
    assert Scheduler.objects.filter(pk=pool.pk).exists()


def test_pools_are_not_deleted_by_the_list(root, pool):
    root.post(LIST, {"action": "delete_selected", "_selected_action": [pool.pk], "post": "yes"})

    assert Scheduler.objects.filter(pk=pool.pk).exists()


# --- who may


@pytest.fixture
def looks(staff) -> Client:
    """The browser of somebody who may look at pools in the admin."""
    staff.user_permissions.add(Permission.objects.get(codename="view_condorscheduler"))
    client = Client()
    client.force_login(staff)
    return client


def test_who_may_look_cannot_change(looks, pool):
    before = row(pool)

    page = looks.get(change(pool))

    assert page.status_code == 200
    assert "new_token" not in page.content.decode()
    assert SIGNATURE not in page.content.decode()
    assert looks.post(change(pool), filled(new_token=OTHER)).status_code == 403
    assert looks.get(f"{LIST}add/").status_code == 403
    assert looks.post(f"{LIST}{pool.pk}/delete/", {"post": "yes"}).status_code == 403
    assert row(pool) == before


@pytest.mark.parametrize("person", ["staff", "ann"])
def test_who_has_no_permission_sees_nothing(request, client, pool, person):
    client.force_login(request.getfixturevalue(person))

    for url in (LIST, f"{LIST}add/", change(pool), f"{LIST}{pool.pk}/delete/"):
        assert client.get(url).status_code in (302, 403)
        assert client.post(url, filled(new_token=OTHER)).status_code in (302, 403)
    pool.refresh_from_db()
    assert pool.token.reveal() == TOKEN


# --- jobs


def test_a_job_is_looked_at_only_and_its_variables_have_names_only(root, pool, job):
    job.attributes = {"executable": "/bin/true", "rank": "kflops", "environment": {"TOKEN": "s3cret value"}}
    job.save()
    url = f"/admin/jobs_condor/condorjob/{job.pk}/change/"

    page = root.get(url).content.decode()
    assert "rank = kflops; environment = TOKEN" in page
    assert "s3cret" not in page
    root.post(url, {"description": "new", "attributes": '{"executable": "/bin/rm"}', "num_jobs": "9", "restricted": ""})

    job = CondorJob.objects.get(pk=job.pk)
    assert (job.description, job.num_jobs, job.attributes["executable"]) == ("new", 1, "/bin/true")
    assert root.get("/admin/jobs_condor/condorjob/").status_code == 200
