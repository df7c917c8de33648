"""The documentation agrees with itself and with the code."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from jobs import intents
from jobs.conf import DEFAULTS
from jobs.status import MOVES, Status

ROOT = settings.BASE_DIR
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
REFERENCE = ROOT / "docs" / "reference"
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchor_of(heading: str) -> str:
    """The anchor that a heading gets on the usual sites."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def text_without_code(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def rows_of(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of the table whose first column is headed so."""
    inside = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == heading:
            inside = True
        elif inside and not set(cells[0]) <= {"-"}:
            yield cells


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in LINK.findall(text_without_code(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text_without_code(found), re.MULTILINE)
            assert anchor in map(anchor_of, headings), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_the_documentation_compiles(page):
    for _, language, code in FENCE.findall(page.read_text()):
        if language == "python":
            compile(textwrap.dedent(code), name_of(page), "exec")


def test_every_page_can_be_reached_from_the_index():
    found, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            targets = [link.partition("#")[0] for link in LINK.findall(text_without_code(page)) if "://" not in link]
            waiting += [(page.parent / target).resolve() for target in targets if target]
    assert set(PAGES) - {ROOT / "README.md", ROOT / "CHANGELOG.md"} <= found


def test_the_settings_reference_has_every_key_of_the_app_with_its_default():
    listed = {row[0].strip("`"): row[1] for row in rows_of(REFERENCE / "settings.md", "key")}
    assert list(listed) == list(DEFAULTS)
    for key, default in DEFAULTS.items():
        if key != "LOCAL_SLOTS":
            assert listed[key] == f"`{default!r}`".replace("'", '"'), key


def test_the_settings_reference_has_every_variable_that_the_site_reads():
    source = (ROOT / "project" / "settings.py").read_text()
    read = set(re.findall(r'\benv(?:\.\w+)?\(\s*"(\w+)"', source)) | set(re.findall(r'environ\.get\("(\w+)"', source))
    listed = {row[0].strip("`") for row in rows_of(REFERENCE / "settings.md", "variable")}
    assert read | {"HOST", "PORT", "DATA_DIR"} <= listed


def test_the_status_table_says_what_the_rules_say():
    rows = list(rows_of(REFERENCE / "statuses.md", "code"))
    assert {code: word for code, word, *_ in rows} == {status.value: status.label for status in Status}
    for code, _, _, following in rows:
        assert set(following.split()) == {str(status) for status in MOVES[code] if status != code}, code


def test_the_action_table_says_what_the_rules_say():
    rows = {action: set(statuses.split()) for action, statuses, *_ in rows_of(REFERENCE / "statuses.md", "action")}
    assert rows == {str(action): {str(status) for status in statuses} for action, statuses in intents.ALLOWED.items()}


def test_the_picture_of_the_statuses_names_each_of_them():
    picture = (REFERENCE / "statuses.svg").read_text()
    assert all(f">{status.label}</text>" in picture for status in Status)


def test_the_command_reference_has_every_command():
    ours = {name for name, app in get_commands().items() if app in ("jobs", "project")}
    listed = {row[0].strip("`").split()[0] for row in rows_of(REFERENCE / "commands.md", "command")}
    assert ours <= listed
    goals = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    made = {row[0].strip("`") for row in rows_of(REFERENCE / "commands.md", "command")}
    assert {f"make {goal}" for goal in goals} <= made
