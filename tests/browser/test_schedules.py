"""Schedules before one's eyes: made by the form, and followed in a page that is never reloaded."""

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from jobs import clock
from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.editing import create_schedule, delete_schedule, run_now
from jobs.schedules.enrolment import enrol, make_enrol_token, remove_agent
from jobs.schedules.models import Agent, Execution, Schedule
from jobs.schedules.reporting import apply_report
from tests.browser.test_accessibility import found_by_axe


@pytest.fixture
def agent(live) -> Agent:
    """An agent that is enrolled."""
    token = make_enrol_token(None)[1]
    agent = enrol(token, secrets.token_hex(32), name=f"node-{uuid4().hex[:8]}")
    Agent.objects.filter(pk=agent.pk).update(last_seen=clock.now() + timedelta(minutes=5))
    yield agent
    remove_agent(agent)


@pytest.fixture
def schedule(person, agent) -> Schedule:
    """A schedule that is due in an hour, on that agent."""
    made = create_schedule(
        person, name=f"disk {uuid4().hex[:8]}", argv=["df"], frequency="every 1 hours", on_names=[agent.name]
    )
    yield made
    delete_schedule(made)


def say(agent: Agent, execution: Execution, **said) -> None:
    """What the agent says of an execution."""
    moment = microseconds(execution.due)
    known = {"id": str(execution.pk), "schedule": str(execution.schedule.uuid), "due": moment, "started": moment}
    assert apply_report(agent, [known | said])[1] == {}


def test_a_schedule_is_made_by_the_form_which_says_what_it_will_do(page: Page, person, agent):
    name = f"backup {uuid4().hex[:8]}"
    page.goto("/jobs/schedules/new/")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("textbox", name="Command", exact=True).fill("tar c /srv | gzip")
    expect(page.get_by_role("region", name="What will run")).to_contain_text("read by the shell")
    expect(page.get_by_label("Cron expression")).to_be_hidden()
    page.get_by_label("By the calendar (cron)").check()
    page.get_by_label("Cron expression").fill("0 3 * * 1-5")
    page.get_by_label("On some agents").check()
    page.get_by_label(agent.name).check()
    expect(page.get_by_role("region", name="What will run")).to_contain_text(f"on {agent.name}")
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Make schedule").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    made = Schedule.objects.get(name=name)
    assert (made.shell, made.frequency, made.on_names) == ("tar c /srv | gzip", "0 3 * * 1-5", [agent.name])
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete the schedule {name}?")
    dialog.get_by_role("button", name="Delete schedule").click()
    expect(page.get_by_text(f"{name} is deleted.")).to_be_visible()


def test_list_and_page_go_on_by_themselves_while_it_runs(page: Page, schedule, agent):
    page.goto("/jobs/schedules/")
    page.evaluate("window.neverReloaded = true")
    mine = page.get_by_role("listitem").filter(has_text=schedule.name)
    expect(mine).to_contain_text("none yet")
    [execution] = run_now(schedule)
    say(agent, execution, state="running")
    expect(mine.get_by_role("img", name="1 running")).to_be_visible(timeout=30_000)
    say(agent, execution, state="ran", exit_code=0, stdout="all is well", completed=microseconds(execution.due) + 10**6)
    expect(mine.get_by_role("img", name="1 ran")).to_be_visible(timeout=30_000)
    assert page.evaluate("window.neverReloaded")
    assert found_by_axe(page) == []
    mine.get_by_role("link", name=schedule.name).click()
    expect(page.get_by_role("region", name=f"stdout of {agent.name}")).to_contain_text("all is well")
    assert found_by_axe(page) == []
    page.get_by_role("row").filter(has_text=agent.name).get_by_role("link").first.click()
    expect(page.get_by_role("region", name="stdout", exact=True)).to_contain_text("all is well")
    assert found_by_axe(page) == []


def test_without_scripts_it_is_paused_and_run_now_all_the_same(open_page, person, schedule):
    page = open_page(person, java_script_enabled=False)
    page.goto(f"/jobs/schedules/{schedule.pk}/")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("is paused: nothing of it is due")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("runs now on")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("goes on with its next due time")).to_be_visible()


def test_agents_are_shown_with_their_facts(page: Page, agent):
    page.goto("/jobs/schedules/agents/")
    expect(page.get_by_role("listitem").filter(has_text=agent.name)).to_contain_text("in touch")
    assert found_by_axe(page) == []
    page.get_by_role("link", name=agent.name).click()
    expect(page.get_by_role("heading", name=agent.name)).to_be_visible()
    assert found_by_axe(page) == []


def test_what_a_person_reads_stays_where_it_is_while_the_page_goes_on(page: Page, schedule, agent):
    [first] = run_now(schedule)
    say(agent, first, state="ran", exit_code=0, stdout="a line\n" * 200, completed=microseconds(first.due) + 10**6)
    page.goto(f"/jobs/schedules/{schedule.pk}/")
    output = page.get_by_role("region", name=f"stdout of {agent.name}")
    output.evaluate("element => { element.scrollTop = 300 }")
    page.get_by_role("button", name="Pause").focus()
    [second] = run_now(schedule)
    say(agent, second, state="running")
    expect(page.get_by_role("img", name="1 ran, 1 running")).to_be_visible(timeout=30_000)
    assert output.evaluate("element => element.scrollTop") == 300
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    say(agent, second, state="ran", exit_code=1, stderr="oh", completed=microseconds(second.due) + 10**6)
    expect(page.get_by_role("region", name=f"stderr of {agent.name}")).to_contain_text("oh", timeout=30_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_any_page_of_schedules(open_page, new_person, schedule, agent, theme, width):
    [execution] = run_now(schedule)
    ended = {"exit_code": 2, "stdout": "x" * 500, "stderr": "oh", "completed": microseconds(execution.due) + 10**6}
    say(agent, execution, state="ran", **ended)
    Agent.objects.filter(pk=agent.pk).update(
        refused=1, refused_time=clock.now(), refused_reason="an old counter", dropped=2
    )
    page = open_page(new_person("staff", is_staff=True), color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    one = f"/jobs/schedules/{schedule.pk}/"
    found = []
    for address in (
        *("/jobs/schedules/", "/jobs/schedules/?text=nothing-like-it", "/jobs/schedules/new/"),
        *(one, f"{one}?agent={agent.name}&outcome=missed", f"{one}change/", f"{one}delete/"),
        *(
            f"/jobs/schedules/executions/{execution.pk}/",
            "/jobs/schedules/agents/",
            f"/jobs/schedules/agents/{agent.pk}/",
        ),
    ):
        assert page.goto(address).ok
        for folded in page.locator("summary").all():
            folded.click()
        found += found_by_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
    assert found == []
