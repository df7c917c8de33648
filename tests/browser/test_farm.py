"""A run before one's eyes: its map changes while workers are at it, and its tasks are restarted by a button."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from jobs.farm.access import place_of
from jobs.farm.handout import check_out
from jobs.farm.models import FarmRun, FarmWorker, TaskState
from jobs.farm.reports import report
from jobs.manager import JobManager
from tests.browser.test_accessibility import found_by_axe


class Worker:
    """A worker of a run."""

    def __init__(self, run: FarmRun, hostname: str = "node1"):
        self.run = run
        self.row = FarmWorker.objects.create(user=run.user, uuid=uuid4().hex, hostname=hostname, pid=4711)

    def take(self, count: int) -> list[dict]:
        place = place_of(self.run.user, self.run.uuid)
        tasks = check_out(place, self.row, count, uuid4().hex)
        return [{"number": task.number, "fence": task.fence} for task in tasks]

    def say(self, tasks: list[dict], state: str, message: str = "") -> None:
        said = [{**task, "message": message} for task in tasks]
        assert report(place_of(self.run.user, self.run.uuid), said, state=state)[1] == []


@pytest.fixture
def run(person) -> FarmRun:
    """A run that is open; the monitor has seen it."""
    run = JobManager("jobs").create_job("wind-{id}", person, "FARM", num_tasks=200)
    run.execute()
    yield run
    run.stop()


def shown(page: Page, words: str) -> None:
    """Wait until the map says so to who does not see it."""
    expect(page.get_by_role("img", name=words)).to_be_visible()


def test_the_map_changes_while_tasks_are_done_and_failed_ones_are_restarted(page, run):
    worker = Worker(run)
    page.goto(f"/jobs/{run.pk}/tab/tasks/")
    page.evaluate("window.neverReloaded = true")
    shown(page, "200 waiting (100 %)")
    tasks = worker.take(50)
    shown(page, "50 computing (25 %), 150 waiting")
    worker.say(tasks[:40], TaskState.DONE)
    worker.say(tasks[40:], TaskState.FAILED, message="no wind there")
    shown(page, "40 done (20 %), 10 failed (5 %), 0 computing")
    expect(page.get_by_role("region", name="Failed tasks")).to_contain_text("no wind there")

    page.get_by_role("link", name="Restart failed").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Restart the failed tasks of {run.name}?")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Restart failed").click()
    dialog.get_by_role("button", name="Restart failed tasks").click()
    expect(page.get_by_text("wait to be computed again")).to_be_visible()
    shown(page, "40 done (20 %), 0 failed (0 %), 0 computing (0 %), 160 waiting")
    expect(page.get_by_role("link", name="Restart failed")).to_have_count(0)
    assert page.evaluate("window.neverReloaded")

    page.get_by_role("link", name="Workers", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="node1")).to_contain_text("4711")


def test_tasks_are_restarted_without_any_script(open_page, person, run):
    worker = Worker(run)
    worker.say(worker.take(3), TaskState.FAILED)
    page = open_page(person, java_script_enabled=False)
    for _ in range(40):
        page.goto(f"/jobs/{run.pk}/tab/tasks/")
        if page.get_by_role("link", name="Restart failed").count():
            break
        page.wait_for_timeout(250)
    page.get_by_role("link", name="Restart failed").click()
    page.get_by_role("button", name="Restart failed tasks").click()
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    expect(page.get_by_text("wait to be computed again")).to_be_visible()
    shown(page, "0 failed (0 %), 0 computing (0 %), 200 waiting")


@pytest.fixture
def long_run(person) -> FarmRun:
    """A run of many tasks to a cell, with tasks in every state."""
    run = JobManager("jobs").create_job("long-{id}", person, "FARM", num_tasks=100_000, lease_seconds=600)
    run.execute()
    worker = Worker(run, "a-node-with-a-long-name.cluster.example.org")
    tasks = worker.take(700)
    worker.say(tasks[:400], TaskState.DONE)
    worker.say(tasks[400:420], TaskState.FAILED, message="Traceback: " + "x" * 300)
    yield run
    run.stop()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_the_pages_of_a_run(open_page, person, run, long_run, theme, width):
    page = open_page(person, color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    addresses = [f"/jobs/{one.pk}/tab/{tab}/" for one in (run, long_run) for tab in ("tasks", "workers")]
    for address in (f"/jobs/{long_run.pk}/", *addresses, f"/jobs/farm/restart/{run.pk}/?what=all", "/jobs/new/FARM/"):
        assert page.goto(address).ok
        if "new" in address:
            page.get_by_text("Advanced").click()
        found += found_by_axe(page)
        if "tab" in address or "farm" in address:
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
    assert found == []
