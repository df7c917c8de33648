"""axe looks at each page, in the light and in the dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from jobs.manager import JobManager
from project.examples import create_flight_job, create_weather_job

THEMES = ("light", "dark")


def found_by_axe(page) -> list[str]:
    """What axe finds on the page, a line for each element."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {violation['id']} ({violation['help']}): {node['html'][:200]} {node['failureSummary'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_on_the_login_page(open_page, theme):
    page = open_page(color_scheme=theme)
    page.goto("/accounts/login/")
    assert found_by_axe(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_on_any_page_of_jobs(open_page, new_person, theme):
    person = new_person("staff", is_staff=True)
    jobs = JobManager("jobs")
    weather = create_weather_job("weather", person, pause=0)
    weather.execute()
    survey = jobs.create_job(f"survey {theme}", person, "BASIC", description="typed in by hand")
    survey.execute()
    survey.update_status("Running", message="3 of 12 sites")
    failed = jobs.create_job("failed", person, "BASIC")
    failed.execute()
    failed.update_status("Error", message="no such table")
    jobs.create_job("waiting", person, "COMMAND", command=["true"])
    flight = create_flight_job("flight", person)
    flight.execute()
    page = open_page(person, color_scheme=theme, reduced_motion="reduce")
    page.goto(f"/jobs/{weather.pk}/")
    expect(page.get_by_role("main").get_by_text("Complete", exact=True).first).to_be_visible()
    page.goto(f"/jobs/{flight.pk}/")
    expect(page.get_by_role("main").get_by_text("Complete", exact=True).first).to_be_visible()
    addresses = [
        *("/jobs/", "/jobs/?text=nothing-like-it", "/jobs/new/", "/jobs/new/COMMAND/"),
        *("/jobs/new/CONDOR/", "/jobs/schedulers/", "/jobs/health/", "/jobs/tokens/"),
        *(f"/jobs/{weather.pk}/{tab}" for tab in ("", "log/", "results/", "results/?file=monthly.csv", "attempts/")),
        f"/jobs/{failed.pk}/",
        *("/jobs/functions/", "/jobs/functions/typed/", "/jobs/functions/mov3d/", "/jobs/functions/workers/"),
        *(f"/jobs/{flight.pk}/{tab}" for tab in ("", "tab/result/")),
    ]
    found = []
    for address in addresses:
        assert page.goto(address).ok
        found += found_by_axe(page)
    page.goto("/jobs/")
    page.get_by_role("checkbox", name=f"Tick {survey.name}").check()
    found += found_by_axe(page)
    page.get_by_role("form", name="Actions on many jobs").get_by_role("button", name="Delete 1").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += found_by_axe(page)
    page.goto("/jobs/functions/typed/")
    page.get_by_role("button", name="Save and run").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += found_by_axe(page)
    assert found == []
