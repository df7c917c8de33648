"""The graph of a workflow while it runs in a real pool, in a page that is never reloaded."""

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from jobs.condor.models import CondorScheduler, CondorWorkflowJobNode, CondorWorkflowNode
from jobs.condor.reach import reach_of
from jobs.manager import JobManager
from jobs.transitions import Change, transition
from tests.browser.test_accessibility import found_by_axe
from tests.condor.live import empty_pool
from tests.condor.pool import find_pool

PATIENT = 120_000
"""Milliseconds; the pool's slots are shared with other tests."""


@pytest.fixture
def pool(live) -> CondorScheduler:
    """The test pool as a scheduler of the site."""
    found = find_pool()
    if isinstance(found, str):
        pytest.skip(found)
    if not found.shared_folder:
        pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
    row = CondorScheduler.objects.create(
        name=f"pool {uuid4().hex[:8]}",
        address=found.address,
        schedd_name=found.schedd,
        token=found.token,
        trust_domain=found.trust_domain,
        least_interval=0.3,
        full_interval=30.0,
    )
    yield row
    from jobs.models import Job

    tags = [job.tag for job in Job.objects.filter(scheduler=row.pk)]
    empty_pool(reach_of(row), tags)


@pytest.fixture
def gate(pool) -> Path:
    """A file that the nodes wait for; both sides mount its folder."""
    gate = Path(find_pool().shared_folder) / f"gate-{uuid4().hex}"
    yield gate
    gate.unlink(missing_ok=True)


def node(workflow, name: str, line: str, *parents, **fields) -> CondorWorkflowJobNode:
    commands = {"executable": "/bin/sh", "arguments": ["-c", line], "priority": 20}
    made = CondorWorkflowJobNode.objects.create(workflow=workflow, name=name, attributes=commands, **fields)
    for parent in parents:
        made.add_parent(parent)
    return made


def drawn(page: Page, name: str):
    """The box of a node."""
    return page.get_by_role("region", name="Graph of the nodes").get_by_role("link", name=name)


def test_the_graph_of_a_real_workflow_is_followed_opened_and_kept_in_place(page, person, pool, gate):
    workflow = JobManager("jobs").create_job("wind", person, "CONDORWORKFLOW", scheduler=pool)
    wait = f"while [ ! -e '{gate}' ]; do sleep 0.2; done"
    first = node(workflow, "first", "echo measured")
    slow = node(workflow, "slow", f"{wait}; echo blown", first)
    node(workflow, "failing", f"{wait}; echo no calibration >&2; exit 3", first, retry=1)
    node(workflow, "last", "true", slow)
    page.goto(f"/jobs/{workflow.pk}/tab/graph/")
    expect(drawn(page, "first: Pending")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    workflow.execute()
    expect(drawn(page, "slow: Running")).to_be_visible(timeout=PATIENT)
    expect(drawn(page, "first: Complete")).to_be_visible()
    expect(drawn(page, "last: Pending")).to_be_visible()

    # By the keyboard: the box is in reach of Tab, Enter opens it, and the focus stays while the page goes on.
    drawn(page, "slow").focus()
    expect(drawn(page, "slow")).to_be_focused()
    gate.touch()
    expect(drawn(page, "slow: Complete")).to_be_visible(timeout=PATIENT)
    expect(drawn(page, "slow")).to_be_focused()
    assert page.evaluate("window.neverReloaded")
    page.keyboard.press("Enter")
    chosen = page.get_by_role("region", name="slow")
    expect(chosen).to_contain_text("Cluster")

    expect(drawn(page, "failing: Error, try 2")).to_be_visible(timeout=PATIENT)
    drawn(page, "failing").click()
    failing = page.get_by_role("region", name="failing")
    expect(failing).to_contain_text("2 of at most 2")
    expect(failing).to_contain_text("no calibration", timeout=PATIENT)
    expect(page.get_by_role("button", name="Resubmit what failed")).to_be_visible(timeout=PATIENT)

    page.get_by_role("link", name="List", exact=True).click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="failing", exact=True))
    expect(row).to_contain_text("Error")
    expect(row).to_contain_text("first")
    page.goto("/jobs/")
    expect(page.get_by_role("row").filter(has_text="wind").get_by_text("of 4 over")).to_be_visible()


def states_of(workflow, **statuses: str) -> None:
    """Have the nodes be so, as the engine would write it."""
    for name, status in statuses.items():
        rows = CondorWorkflowNode.objects.non_polymorphic().filter(workflow=workflow.pk, name=name)
        rows.update(status_code=status, attempt=1, tries=1)


@pytest.fixture
def drawn_workflow(person) -> CondorWorkflowNode:
    """A workflow that no pool runs, with a node in each usual state, and many that are alike."""
    workflow = JobManager("jobs").create_job("painted", person, "CONDORWORKFLOW")
    first, last = node(workflow, "first", "true"), node(workflow, "last", "true")
    for number in range(20):
        last.add_parent(node(workflow, f"alike-{number}", "true", first))
    for name in ("good", "bad", "busy", "held"):
        node(workflow, name, "true", first)
    states_of(workflow, first="COM", good="COM", bad="ERR", busy="RUN", held="PAS")
    transition([Change(workflow.pk, 1, "SUB"), Change(workflow.pk, 1, "VAR")], source="test")
    yield workflow
    transition([Change(workflow.pk, 1, "ABT")], source="test")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_in_graph_list_and_node(open_page, person, drawn_workflow, theme, width):
    page = open_page(person, color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    for query in ("", "?view=list", "?node=bad", "?open=alike-0", "?zoom=200"):
        assert page.goto(f"/jobs/{drawn_workflow.pk}/tab/graph/{query}").ok
        found += found_by_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), query
    assert found == []


def test_many_alike_nodes_open_and_close_and_the_picture_is_sized(page, drawn_workflow):
    page.goto(f"/jobs/{drawn_workflow.pk}/tab/graph/")
    page.get_by_role("link", name="20 nodes like alike-0").click()
    expect(drawn(page, "alike-19: Pending")).to_be_visible()
    picture = page.locator("#jd-graph > svg")
    fitted = picture.bounding_box()["width"]
    page.get_by_role("link", name="Larger").click()
    larger = picture.bounding_box()["width"]
    assert larger > fitted
    page.get_by_role("link", name="Smaller").click()
    assert picture.bounding_box()["width"] < larger
    # What is fetched anew stays as large as it was.
    kept = picture.bounding_box()["width"]
    states_of(drawn_workflow, bad="COM")
    expect(drawn(page, "bad: Complete")).to_be_visible()
    assert abs(picture.bounding_box()["width"] - kept) < 2
    page.get_by_role("link", name="Fit").click()
    assert abs(picture.bounding_box()["width"] - fitted) < 2
    page.get_by_role("link", name="Put alike nodes together again").click()
    expect(page.get_by_role("link", name="20 nodes like alike-0")).to_be_visible()


def test_whoever_may_not_see_the_job_sees_no_graph(open_page, new_person, drawn_workflow):
    page = open_page(new_person("bob"))
    assert page.goto(f"/jobs/{drawn_workflow.pk}/tab/graph/").status == 404
