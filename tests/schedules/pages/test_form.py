"""Schedules made and changed by the form."""

import json
import re

import pytest
from django.contrib.auth.models import User

from jobs.schedules.models import Schedule
from jobs.schedules.pages.wording import what_of
from tests.schedules.pages.asking import FORM, LIST, logged_in, text
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_a_schedule_is_made_by_the_form(anns, ann):
    answer = anns.post(f"{LIST}new/", FORM)
    made = Schedule.objects.get()
    assert answer.url == f"{LIST}{made.pk}/"
    assert (made.user, made.argv, made.frequency, made.on_all, made.timeout) == (
        ann,
        ["df", "-h"],
        "every 10 minutes",
        True,
        60,
    )


def test_the_form_takes_shells_calendars_tags_and_jobs(anns):
    anns.post(
        f"{LIST}new/", FORM | {"command": "df | sort", "rhythm": "cron", "cron": "0 3 * * *", "zone": "Europe/Berlin"}
    )
    anns.post(f"{LIST}new/", FORM | {"name": "tags", "place": "some", "on_tags": "gpu, fast"})
    anns.post(
        f"{LIST}new/",
        FORM | {"name": "job", "kind": "job", "job_type": "COMMAND", "job_values": '{"command": ["date"]}'},
    )
    found = {one.name: one for one in Schedule.objects.all()}
    assert (found["disk"].shell, found["disk"].frequency, found["disk"].zone) == (
        "df | sort",
        "0 3 * * *",
        "Europe/Berlin",
    )
    assert (found["tags"].on_all, found["tags"].on_tags) == (False, ["gpu", "fast"])
    assert (found["job"].job_type, found["job"].job_values, found["job"].argv) == ("COMMAND", {"command": ["date"]}, [])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"command": ""}, "Say what is to be run"),
        ({"command": "echo 'x"}, "a quotation mark that is not closed"),
        ({"number": ""}, "Give a whole number"),
        ({"number": "0"}, "greater than or equal to 1"),
        ({"rhythm": "cron", "cron": ""}, "Give a cron expression"),
        ({"rhythm": "cron", "cron": "x"}, "five fields"),
        ({"rhythm": "cron", "cron": "0 3 * * *", "zone": "Mars"}, "is no time zone"),
        ({"place": "some"}, "Choose agents, or give a tag"),
        ({"place": "some", "on_tags": "a/b"}, "letters, digits"),
        ({"kind": "job"}, "Choose a type of job"),
        ({"kind": "job", "job_type": "COMMAND", "job_values": "{"}, "This is no JSON"),
        ({"kind": "job", "job_type": "COMMAND", "job_values": "{}"}, "command"),
        ({"timeout": "-1"}, "greater than or equal to 0.1"),
        ({"end": "2001-01-01"}, "must be after the start"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(anns, said, message):
    answer = anns.post(f"{LIST}new/", FORM | said)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message.lower() in page.lower()
    assert 'value="10"' in page or said.get("number") is not None
    assert not Schedule.objects.exists()


def test_the_form_says_before_what_will_run_where_and_when(anns):
    page = anns.post(f"{LIST}new/", FORM | {"do": "preview", "command": "df | sort"}).content.decode()
    assert "df | sort (read by the shell)" in page
    assert "on all agents" in page
    assert "every 10 minutes; next" in page
    wrong = anns.post(f"{LIST}new/", FORM | {"do": "preview", "rhythm": "cron", "cron": "x"}).content.decode()
    assert "five fields" in wrong
    assert not Schedule.objects.exists()


def test_a_schedule_is_changed_and_its_agent_gone_stays_chosen(anns, every):
    schedule = every("0 3 * * 1-5", name="disk", on_all=False, on_names=["gone"], shell="", argv=["df", "-h"])
    page = text(anns, f"{LIST}{schedule.pk}/change/")
    assert "0 3 * * 1-5" in page
    assert 'value="gone"' in page
    answer = anns.post(f"{LIST}{schedule.pk}/change/", FORM | {"place": "some", "on_names": ["gone"]})
    assert answer.status_code == 302
    changed = Schedule.objects.get()
    assert (changed.frequency, changed.on_names, changed.version) == ("every 10 minutes", ["gone"], 2)


def test_who_may_have_nothing_run_is_told_so(db, monkeypatch):
    client = logged_in(User.objects.create_user("eve"))
    assert "manage_agents" in text(client, f"{LIST}agents/", 403)
    monkeypatch.setattr("jobs.schedules.forms.job_types", list)
    assert "jobs.run_commands" in text(client, f"{LIST}new/", 403)
    page = text(client, LIST)
    assert "No schedules yet" in page
    assert f"{LIST}new/" not in page


def test_who_may_run_no_commands_schedules_jobs_and_learns_nothing_of_agents(agent):
    eve = User.objects.create_user("eve")
    client = logged_in(eve)
    page = text(client, f"{LIST}new/")
    assert 'value="command"' not in page
    assert 'value="COMMAND"' not in page
    assert "jobs.run_commands" in page
    assert "node1" not in page + text(client, LIST)
    assert "heard of lately" not in text(client, LIST)
    said = FORM | {"kind": "job", "job_type": "BASIC", "job_values": "{}", "command": ""}
    assert client.post(f"{LIST}new/", FORM).status_code == 422
    assert client.post(f"{LIST}new/", said | {"job_type": "COMMAND"}).status_code == 422
    assert client.post(f"{LIST}new/", said).status_code == 302
    assert (Schedule.objects.get().user, Schedule.objects.get().job_type) == (eve, "BASIC")


def test_a_command_of_whom_may_run_none_any_more_stays_a_command_in_the_form(anns, ann, every):
    schedule = every(name="disk", argv=["df", "-h"])
    ann.user_permissions.clear()
    page = text(anns, f"{LIST}{schedule.pk}/change/")
    assert re.search('value="command"[^>]*checked', page)
    assert "which ann does not have" in page
    answer = anns.post(f"{LIST}{schedule.pk}/change/", FORM)
    assert answer.status_code == 422
    assert "may not run commands here" in answer.content.decode()


@pytest.mark.parametrize(
    "said",
    [
        {"zone": "Mars"},
        {"cron": "x" * 201},
        {"rhythm": "cron", "cron": "0 3 * * *", "number": "x"},
        {"rhythm": "cron", "cron": "0 3 * * *", "unit": "years"},
        {"job_values": "{", "job_type": "NONE"},
        {"on_names": ["nope"], "on_tags": "a/b"},
        {"kind": "job", "job_type": "BASIC", "on_names": ["nope"], "place": "some"},
    ],
)
def test_what_is_left_in_a_field_that_is_not_shown_any_more_hinders_nobody(anns, said):
    assert anns.post(f"{LIST}new/", FORM | said).status_code == 302
    assert Schedule.objects.get().zone == "UTC"


def test_the_time_zone_of_one_that_does_not_go_by_the_calendar_stays(anns, every):
    schedule = every("every 10 minutes", name="disk", zone="Europe/Berlin")
    assert anns.post(f"{LIST}{schedule.pk}/change/", FORM | {"zone": ""}).status_code == 302
    assert Schedule.objects.get().zone == "Europe/Berlin"
    Schedule.objects.update(zone="Mars/North")  # as where a machine has lost it
    assert anns.post(f"{LIST}{schedule.pk}/change/", FORM | {"zone": "Mars/North"}).status_code == 302
    assert Schedule.objects.get().zone == "UTC"


def test_a_change_of_something_else_leaves_command_and_start_as_they_are(time, anns, every):
    time.move(0.25)
    schedule = every(name="disk", argv=["echo", "it's $HOME", ""], timeout=60)
    page = text(anns, f"{LIST}{schedule.pk}/change/")
    start = re.search('name="start" value="([^"]*)"', page)[1]
    assert 'value="60"' in page
    said = FORM | {"command": what_of(schedule), "number": "30", "unit": "seconds", "start": start}
    assert anns.post(f"{LIST}{schedule.pk}/change/", said | {"description": "new"}).status_code == 302
    changed = Schedule.objects.get()
    assert (changed.argv, changed.shell) == (schedule.argv, "")
    assert (changed.start, changed.description) == (schedule.start, "new")
    anns.post(f"{LIST}{schedule.pk}/change/", said | {"command": "echo it"})
    assert Schedule.objects.get().argv == ["echo", "it"]


def test_the_form_says_which_agents_there_are_and_as_whom_they_run_it(time, anns, agent):
    agent.sync(account="build")
    quiet = Spoken("node2")
    page = text(anns, f"{LIST}new/")
    assert "node2 (silent)" in page
    assert "node1 (silent)" not in page
    page = anns.post(f"{LIST}new/", FORM | {"do": "preview"}).content.decode()
    assert "on all agents: now node1, node2" in page
    assert "<bdi>build</bdi>" in page
    cron = {"rhythm": "cron", "cron": "0 3 * * 1-5", "zone": "Europe/Berlin", "place": "some", "on_tags": "gpu"}
    page = anns.post(f"{LIST}new/", FORM | {"do": "preview"} | cron).content.decode()
    assert "from Monday to Friday at 03:00 (Europe/Berlin); next " in page
    assert re.search("03:00:00 CES?T", page)
    assert "none is enrolled yet" in page
    assert quiet.row.is_silent


def test_what_may_be_secret_of_anothers_jobs_is_not_shown_and_stays(anns, staff, every):
    values = {"command": ["date"], "environment": {"API_KEY": "s3cret"}}
    schedule = every("0 3 * * *", name="nightly", job_type="COMMAND", job_values=values)
    url = f"{LIST}{schedule.pk}/"
    assert "s3cret" in text(anns, url)
    staff.is_superuser = True
    staff.save()
    client = logged_in(staff)
    assert "date" in text(client, url)
    for page in (url, f"{url}change/", f"/admin/jobs_schedules/schedule/{schedule.pk}/change/"):
        assert "s3cret" not in text(client, page)
    said = FORM | {"kind": "job", "job_type": "COMMAND", "rhythm": "cron", "cron": "0 4 * * *"}
    said["job_values"] = json.dumps({"command": ["date"]})
    assert client.post(f"{url}change/", said).status_code == 302
    changed = Schedule.objects.get()
    assert (changed.frequency, changed.job_values) == ("0 4 * * *", values)
