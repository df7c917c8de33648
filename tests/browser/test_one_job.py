"""One job in the browser, from its form to its end, on pages that are never reloaded."""

import re
import sys

from playwright.sync_api import Page, expect

from jobs.manager import JobManager
from jobs.workspaces import workspace_path
from project.examples import create_weather_job

JOBS = JobManager("jobs")
COUNTING = """\
import pathlib, time
for number in range(600):
    print(f"line {number}", flush=True)
    if pathlib.Path("enough").exists():
        break
    time.sleep(0.1)
"""


def row(page: Page, name: str):
    """The row of a job in the table of jobs."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def counting_job(person, name: str):
    """A job that writes a line ten times a second, until there is a file 'enough' in its folder."""
    return JOBS.create_job(name, person, "COMMAND", command=[sys.executable, "-c", COUNTING])


def test_a_job_started_by_the_form_runs_and_completes_before_ones_eyes(page):
    page.goto("/jobs/")
    page.get_by_role("link", name="New job").first.click()
    page.get_by_role("link", name="Command").click()
    page.get_by_label("Name").fill("first model")
    page.get_by_label("Command").fill("sh -c 'echo begun; sleep 2; echo done'")
    expect(page.get_by_label("What will run")).to_contain_text("sh -c 'echo begun; sleep 2; echo done'")
    page.get_by_role("button", name="Save and run").click()
    expect(page.get_by_role("heading", name="first model")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    main = page.get_by_role("main")
    expect(main.get_by_text("Running", exact=True).first).to_be_visible()
    expect(main.get_by_text("Complete", exact=True).first).to_be_visible()
    expect(page.get_by_text("Exit code")).to_be_visible()
    assert page.evaluate("window.neverReloaded")


def test_a_log_is_followed_while_it_grows(page, person, live):
    job = counting_job(person, "counting")
    job.execute()
    page.goto(f"/jobs/{job.pk}/log/")
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 5\n")
    seen = int(re.findall(r"line (\d+)\n", log.text_content())[-1])
    expect(log).to_contain_text(f"line {seen + 15}\n")
    (workspace_path(job) / "enough").touch()
    expect(page.get_by_text("The job is over; this is all that it wrote.")).to_be_visible()


def test_the_plot_of_the_weather_is_seen(page, person, live):
    job = create_weather_job("weather", person, pause=0)
    job.execute()
    page.goto(f"/jobs/{job.pk}/")
    expect(page.get_by_role("main").get_by_text("Complete", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Results", exact=True).click()
    page.get_by_role("table", name="Files").get_by_role("link", name="precipitation.svg", exact=True).click()
    plot = page.get_by_role("img", name="precipitation.svg")
    expect(plot).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=plot.element_handle())


def test_a_job_is_paused_resumed_stopped_resubmitted_and_deleted(page, person, live):
    job = counting_job(person, "long model")
    job.execute()
    page.goto(f"/jobs/{job.pk}/")
    page.evaluate("window.neverReloaded = true")
    state = page.get_by_role("main")
    actions = page.get_by_role("group", name="Actions")

    def becomes(word: str):
        expect(state.locator("#jd-head").get_by_text(word, exact=True)).to_be_visible()

    becomes("Running")
    actions.get_by_role("button", name="Pause").click()
    becomes("Paused")
    actions.get_by_role("button", name="Resume").click()
    becomes("Running")
    actions.get_by_role("link", name="Stop").click()
    dialog = page.get_by_role("dialog", name="Stop long model?")
    dialog.get_by_role("button", name="Stop job").click()
    becomes("Aborted")
    actions.get_by_role("button", name="Resubmit").click()
    becomes("Running")
    assert page.evaluate("window.neverReloaded")
    actions.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog", name="Delete long model?").get_by_role("button", name="Delete job").click()
    page.wait_for_url("**/jobs/")
    expect(page.get_by_text("long model was deleted.")).to_be_visible()
    expect(row(page, "long model")).to_have_count(0)
