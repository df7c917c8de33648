"""The README's lines put Jobdeck into a new Django site: they are done here, literally."""

import html
import re
import subprocess

import httpx
import pytest

from tests.dropin.conftest import PASSWORD
from tests.dropin.readme import instructions
from tests.project.site import until


@pytest.fixture
def browser(dropin):
    """Somebody who has logged in as the README says."""
    with httpx.Client(base_url=dropin.url, follow_redirects=True, timeout=20) as client:
        until(lambda: _answers(client), deadline=20)
        page = client.get("/my-jobs/").text
        assert "No jobs yet." in page, dropin.logs
        client.get("/admin/login/")
        data = {"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        assert client.post("/admin/login/?next=/my-jobs/", data=data).url.path == "/my-jobs/"
        yield client


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/admin/login/").status_code == 200
    except httpx.TransportError:
        return False


def test_the_lines_are_ten_beside_the_imports():
    code = [line for text in instructions().files.values() for line in text.splitlines()]

    assert len([line for line in code if line and not line.startswith(("#", "from "))]) <= 10


def test_a_job_started_there_runs_and_the_table_follows_it(dropin, browser):
    token = browser.cookies["csrftoken"]
    page = browser.get("/my-jobs/").text
    options = html.unescape(re.search(r'name="options" value="([^"]+)"', page)[1])

    form = {"command_line": "sleep 1", "name": "first", "do": "run", "csrfmiddlewaretoken": token}
    started = browser.post("/jobs/new/COMMAND/", data=form)
    assert re.fullmatch(r"/jobs/\d+/", started.url.path), started.text

    rows, statuses = {}, []

    def refresh() -> bool:
        known = ",".join(f"{key}.{signature}" for key, signature in rows.items())
        answer = browser.post("/jobs/table/", data={"options": options, "known": known}, headers={"HX-Request": "true"})
        assert answer.status_code in (200, 204), answer.text
        rows.update(re.findall(r'<tr id="jobs1-job-(\d+)".*?data-signature="(\w+)"', answer.text))
        statuses.extend(re.findall(r'class="jd-word">([^<]+)<', answer.text))
        return "Complete" in statuses or "Error" in statuses

    until(refresh, deadline=30)

    assert statuses[-1] == "Complete", dropin.logs
    assert "Running" in statuses


def test_what_its_pages_ask_for_is_there(browser):
    page = browser.get("/my-jobs/").text

    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)

    assert len(files) >= 7
    assert {name: browser.get(name).status_code for name in files} == dict.fromkeys(files, 200)


def test_the_callback_is_mounted(browser):
    assert browser.get("/update-job-status/999999/").json()["success"] is False


def test_django_finds_nothing_wrong_and_the_package_is_the_installed_one(dropin):
    here = dropin.folder / "mysite"
    python = str(dropin.folder / "venv" / "bin" / "python")
    check = subprocess.run(
        [python, "manage.py", "check", "--fail-level", "WARNING"],
        cwd=here,
        env=dropin.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    where = subprocess.run(
        [python, "-c", "import jobs; print(jobs.__file__)"],
        cwd=here,
        env=dropin.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert check.returncode == 0, check.stderr
    assert where.stdout.startswith(str(dropin.folder / "venv"))
