"""Everything once by keyboard only, and once without JavaScript."""

import sys
import time

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 60
MINUTE = "import time; print('begun', flush=True); time.sleep(60)"
COMMAND = f'{sys.executable} -c "{MINUTE}"'
NO_SCRIPT_PATIENCE = 20.0


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus."""
    expect(target).to_be_visible()
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} was not reached within {MOST_TABS} presses of Tab")


def go(page: Page, role: str, name: str, within=None) -> None:
    """Tab to a link or button, and press Enter."""
    tab_to(page, (within or page).get_by_role(role, name=name).first)
    page.keyboard.press("Enter")


def reload_until(page: Page, target: Locator) -> None:
    """Load the page again until the target is there, as a person without scripts does."""
    deadline = time.monotonic() + NO_SCRIPT_PATIENCE
    while not target.count():
        assert time.monotonic() < deadline, page.content()
        page.reload()


def test_everything_can_be_done_with_the_keyboard_alone(open_page, person):
    page = open_page()
    page.goto("/jobs/")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type(person.username)
    page.keyboard.press("Tab")
    page.keyboard.type(person.username)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()

    go(page, "link", "New job", page.get_by_role("main"))
    go(page, "link", "Command", page.get_by_role("main"))
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.press("Control+A")
    page.keyboard.type("by keyboard")
    tab_to(page, page.get_by_label("Command", exact=True))
    page.keyboard.type(COMMAND)
    go(page, "button", "Save and run")
    head = page.locator("#jd-head")
    actions = page.get_by_role("group", name="Actions")
    expect(head.get_by_text("Running", exact=True)).to_be_visible()

    go(page, "link", "Log", page.get_by_role("navigation", name="Job"))
    expect(page.get_by_role("log")).to_contain_text("begun")
    go(page, "button", "Pause", actions)
    expect(head.get_by_text("Paused", exact=True)).to_be_visible()
    go(page, "button", "Resume", actions)
    expect(head.get_by_text("Running", exact=True)).to_be_visible()

    go(page, "link", "← Jobs")
    tab_to(page, page.get_by_role("checkbox", name="Tick by keyboard"))
    page.keyboard.press("Space")
    expect(page.get_by_text("1 job ticked:")).to_be_visible()
    page.keyboard.press("Space")
    go(page, "link", "Stop by keyboard")
    dialog = page.get_by_role("dialog", name="Stop by keyboard?")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Stop by keyboard")).to_be_focused()
    page.keyboard.press("Enter")
    go(page, "button", "Stop job", dialog)
    expect(page.get_by_role("cell", name="Aborted")).to_be_visible()

    go(page, "button", "More actions for by keyboard")
    go(page, "link", "Delete by keyboard")
    go(page, "button", "Delete job", page.get_by_role("dialog", name="Delete by keyboard?"))
    expect(page.get_by_text("by keyboard was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="by keyboard", exact=True)).to_have_count(0)


def test_everything_can_be_done_without_javascript(open_page, person):
    page = open_page(java_script_enabled=False)
    page.goto("/jobs/")
    page.get_by_label("Name").fill(person.username)
    page.get_by_label("Password").fill(person.username)
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("link", name="New job").first.click()
    page.get_by_role("link", name="Command").click()
    page.get_by_label("Name").fill("plain")
    page.get_by_label("Command", exact=True).fill(COMMAND)
    page.get_by_role("button", name="Save and run").click()
    head = page.locator("#jd-head")
    actions = page.get_by_role("group", name="Actions")
    reload_until(page, head.get_by_text("Running", exact=True))
    page.get_by_role("navigation", name="Job").get_by_role("link", name="Log").click()
    reload_until(page, page.get_by_role("log").filter(has_text="begun"))

    def press(button) -> None:
        # A page that was made while the wish before was being settled has none yet; without scripts it stays as it is.
        reload_until(page, button)
        button.click()

    for button, word in (("Pause", "Paused"), ("Resume", "Running")):
        press(actions.get_by_role("button", name=button))
        reload_until(page, head.get_by_text(word, exact=True))
    press(actions.get_by_role("link", name="Stop"))
    expect(page.get_by_role("heading", name="Stop plain?")).to_be_visible()
    page.get_by_role("button", name="Stop job").click()
    reload_until(page, head.get_by_text("Aborted", exact=True))
    press(actions.get_by_role("button", name="Resubmit"))
    reload_until(page, head.get_by_text("Running", exact=True))

    page.goto("/jobs/?status=active")
    page.get_by_role("checkbox", name="Tick plain").check()
    page.get_by_role("form", name="Actions on many jobs").get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop 1 job").click()
    expect(page.get_by_role("heading", name="Stopping 1 job")).to_be_visible()
    page.goto("/jobs/")
    reload_until(page, page.get_by_role("cell", name="Aborted"))
    page.get_by_role("link", name="plain", exact=True).click()
    actions.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete job").click()
    expect(page.get_by_text("plain was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="plain", exact=True)).to_have_count(0)
