"""A function in the browser, from its card to its result, on pages that are never reloaded; and without any script."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

FLIGHT = {"dt": "0.01", "r0": "0, 0, 1", "v0": "12 3 9", "mass": "0.43", "radius": "0.11"}


def fill(page: Page, **values: str) -> None:
    """Type into the fields of parameters."""
    for name, value in values.items():
        page.get_by_label(name).first.fill(value)


def test_a_function_is_found_run_and_its_result_drawn_before_ones_eyes(page):
    page.goto("/jobs/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Functions").click()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="mov3d"))
    expect(card).to_contain_text("1 worker")
    card.get_by_role("link", name="Run mov3d").click()
    fill(page, **FLIGHT)
    page.get_by_label("drag").check()
    runs = page.get_by_label("What will run")
    expect(runs).to_contain_text("v0=[12, 3, 9], mass=0.43, radius=0.11, drag=True)")
    expect(runs).to_contain_text("1 worker can take it now.")
    page.get_by_role("button", name="Save and run").click()
    page.evaluate("window.neverReloaded = true")
    main = page.get_by_role("main")
    expect(main.locator("#jd-head").get_by_text("Complete", exact=True)).to_be_visible()
    expect(main).to_contain_text("[12, 3, 9]")
    assert page.evaluate("window.neverReloaded")

    main.get_by_role("link", name="Result", exact=True).click()
    expect(page.get_by_role("img", name="r over t")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as JSON").click()
    assert download.value.suggested_filename.startswith("job-")
    assert json.loads(Path(download.value.path()).read_text())["r"][0] == [0.0, 0.0, 1.0]

    main.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("link", name="run with changes").click()
    expect(page.get_by_label("v0")).to_have_value("12, 3, 9")
    expect(page.get_by_label("drag")).to_be_checked()


def test_a_result_appears_on_the_tab_that_waits_for_it(page):
    page.goto("/jobs/functions/talking/")
    fill(page, percent="50")
    page.get_by_role("button", name="Save only").click()
    page.get_by_role("link", name="Result", exact=True).click()
    expect(page.get_by_text("The function has not returned yet")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("said", exact=True)).to_be_visible()
    assert page.evaluate("window.neverReloaded")


def test_what_is_wrong_stands_at_its_field_and_all_works_without_scripts(open_page, person):
    page = open_page(person, java_script_enabled=False)
    page.goto("/jobs/functions/")
    page.get_by_role("link", name="Run add", exact=True).click()
    fill(page, x="2")
    page.get_by_role("button", name="Save and run").click()
    expect(page.get_by_role("alert")).to_contain_text("The job was not made.")
    expect(page.locator("#id_argument_y_error")).to_have_text("This field is required.")
    expect(page.get_by_label("x", exact=False).first).to_have_value("2")
    fill(page, y="3")
    page.get_by_role("button", name="Save and run").click()
    result = page.get_by_role("link", name="Result", exact=True)
    for _ in range(40):
        result.click()
        if page.get_by_text("5", exact=True).count():
            break
        page.wait_for_timeout(250)
    expect(page.get_by_text("5", exact=True)).to_be_visible()
    with page.expect_download():
        page.get_by_role("link", name="Download as JSON").click()
