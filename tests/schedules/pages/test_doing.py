"""What is done to a schedule by a button, and who may do it."""

from uuid import uuid4

import pytest
from django.test import Client

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Execution, Schedule
from tests.schedules.pages.asking import FORM, HTMX, LIST, logged_in, said_of, text
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_it_is_run_now_on_one_agent_that_has_it(anns, agent, every):
    other = Spoken("node2")
    schedule = every(on_all=False, on_names=["node1"])
    url = f"{LIST}{schedule.pk}/"
    anns.post(f"{url}run-now/", {"agent": agent.row.pk})
    assert Execution.objects.get().agent.name == "node1"
    for strange in (other.row.pk, "x", ""):
        anns.post(f"{url}run-now/", {"agent": strange})
    assert Execution.objects.count() == 1


def test_it_is_paused_resumed_run_now_and_deleted_by_buttons(anns, agent, every):
    schedule = every(name="disk")
    url = f"{LIST}{schedule.pk}/"
    assert anns.post(f"{url}pause/", {"next": LIST}).url == LIST
    assert "paused" in text(anns, LIST)
    anns.post(f"{url}run-now/")
    assert "runs now on node1" in text(anns, url)
    anns.post(f"{url}resume/")
    assert Schedule.objects.get().enabled
    assert "Delete the schedule disk?" in text(anns, f"{url}delete/")
    assert Schedule.objects.exists()
    assert anns.post(f"{url}delete/", headers=HTMX).headers["HX-Redirect"] == LIST
    assert not Schedule.objects.exists()


def test_where_nothing_can_run_it_is_said(anns, every):
    schedule = every(name="disk")
    anns.post(f"{LIST}{schedule.pk}/run-now/")
    assert "no agent that is enrolled" in text(anns, f"{LIST}{schedule.pk}/")


def test_what_changes_something_is_not_done_by_looking(anns, agent, every):
    schedule = every()
    for path in (f"{schedule.pk}/pause/", f"{schedule.pk}/run-now/", f"executions/{uuid4()}/stop/", "agents/token/"):
        assert anns.get(LIST + path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(schedule.user)
    assert strict.post(f"{LIST}{schedule.pk}/pause/").status_code == 403
    assert Schedule.objects.get().enabled


def test_anothers_schedule_is_answered_like_one_that_is_not_there(bobs, agent, every, monitor, time):
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    execution = Execution.objects.get()
    unknown = said_of(text(bobs, f"{LIST}999999/", 404))
    for path in ("", "change/", "delete/"):
        assert said_of(text(bobs, f"{LIST}{schedule.pk}/{path}", 404)) == unknown
    assert bobs.post(f"{LIST}{schedule.pk}/pause/").status_code == 404
    assert said_of(text(bobs, f"{LIST}executions/{execution.pk}/", 404)) == unknown
    assert bobs.post(f"{LIST}executions/{execution.pk}/stop/").status_code == 404


def test_an_execution_has_its_times_outputs_and_true_sizes(time, anns, agent, every, monitor):
    schedule = every("every 30 seconds")
    time.move(31)
    monitor()
    item = agent.ran(schedule, microseconds(schedule.start) + 30_000_000, state="running")
    agent.report(item)
    url = f"{LIST}executions/{item['id']}/"
    assert "Stop command" in text(anns, url)
    anns.post(f"{url}stop/")
    assert "is told to end it" in text(anns, url)
    agent.report(
        item | {"state": "ran", "exit_code": None, "reason": "it was ended", "stderr": "oh", "stdout_size": 10**9}
    )
    page = text(anns, url)
    assert "it was ended" in page
    assert "953.7" in page
    assert 'aria-label="stderr"' in page


def test_whose_permission_was_taken_away_runs_nothing_now(anns, ann, agent, every):
    schedule = every(name="disk")
    ann.user_permissions.clear()
    anns.post(f"{LIST}{schedule.pk}/run-now/")
    assert "may not run such a thing any more" in text(anns, f"{LIST}{schedule.pk}/")
    assert not Execution.objects.exists()


def test_staff_who_may_not_run_commands_have_nobody_run_another_one(staff, agent, every):
    schedule = every(name="disk", argv=["df", "-h"], timeout=60)
    staff.user_permissions.clear()
    client = logged_in(staff)
    url = f"{LIST}{schedule.pk}/change/"
    answer = client.post(url, FORM | {"command": "rm -r /srv"})
    assert answer.status_code == 422
    assert "may not have ann run it" in answer.content.decode()
    assert client.post(url, FORM | {"command": "df -h", "description": "new"}).status_code == 302
    changed = Schedule.objects.get()
    assert (changed.argv, changed.description, changed.user) == (["df", "-h"], "new", schedule.user)


@pytest.mark.parametrize("act", ["pause", "resume", "run-now", "change"])
def test_one_that_is_deleted_meanwhile_is_not_there(anns, agent, every, monkeypatch, act):
    schedule = every(name="disk")
    module = "making" if act == "change" else "doing"

    def look(user, pk):
        Schedule.objects.filter(pk=pk).delete()
        return schedule

    monkeypatch.setattr(f"jobs.schedules.pages.{module}.visible_schedule_or_404", look)
    assert anns.post(f"{LIST}{schedule.pk}/{act}/", FORM).status_code == 404
