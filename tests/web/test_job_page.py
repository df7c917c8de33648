"""A job's page: its head, its tabs, and how it keeps itself fresh."""

import re

import pytest
from django.contrib.contenttypes.models import ContentType

from jobs.manager import JobManager
from jobs.models import job_rows
from jobs.status import Status
from jobs.testing import settle
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db

TABS = ["", "log/", "results/"]


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def version(page: str) -> str:
    head = re.search(r'id="jd-head".*?data-version="(\w+)"', page).group(1)
    tab = re.search(r'id="jd-tab".*?data-version="(\w+)"', page).group(1)
    return f"{head}.{tab}"


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("status", [None, *Status.values[1:]])
def test_every_tab_shows_a_job_in_every_status(anns, new_job, tab, status):
    job = new_job("one-job", status=status)

    page = text(anns.get(f"/jobs/{job.pk}/{tab}"))

    assert "<bdi>one-job</bdi></h1>" in page
    assert job.status_display in page


@pytest.mark.parametrize("tab", TABS)
def test_a_job_without_an_engine_has_all_tabs(anns, new_job, tab):
    job = new_job("plain", job_type="BASIC")

    assert "plain" in text(anns.get(f"/jobs/{job.pk}/{tab}"))


@pytest.mark.parametrize("tab", TABS)
def test_a_job_whose_room_is_not_installed_has_a_page_without_the_engines_parts(anns, new_job, tab):
    job = new_job("orphan", status=Status.RUNNING)
    job_rows().filter(pk=job.pk).update(polymorphic_ctype=ContentType.objects.create(app_label="gone", model="gone"))

    page = text(anns.get(f"/jobs/{job.pk}/{tab}"))

    assert "orphan" in page
    assert "not installed" in page or tab == "results/"


def test_the_overview_tells_what_happened(anns, new_job, fake):
    job = new_job(description="All of Seattle")
    job.execute()
    settle()
    fake.start(job)
    settle()

    page = text(anns.get(f"/jobs/{job.pk}/"))

    assert "All of Seattle" in page
    assert page.index("<strong>Running</strong>") < page.index("<strong>Submitted</strong>")
    assert str(job.uuid) in page


def test_the_overview_says_that_the_engine_is_away_and_what_is_tried_again(anns, new_job, fake):
    job = new_job()
    job.execute()
    settle()
    fake.away = True
    settle()
    job.stop()
    settle()

    page = text(anns.get(f"/jobs/{job.pk}/"))

    assert "cannot be reached at the moment: the fake engine is away" in page


def test_the_overview_shows_the_parts_of_the_jobs_type(anns, ann):
    job = JobManager("jobs").create_job(
        "cmd", ann, "COMMAND", command=["echo", "two words"], environment={"KEY": "v4lue"}
    )

    page = text(anns.get(f"/jobs/{job.pk}/"))

    assert "echo &#x27;two words&#x27;" in page
    assert "KEY" in page
    assert "v4lue" not in page


def test_the_overview_shows_resources_and_exit_code(anns, new_job):
    job = new_job(status=Status.RUNNING)
    job_rows().filter(pk=job.pk).update(exit_code=3, resources={"cpu_seconds": 12.5, "max_rss_bytes": 5 * 2**20})

    page = text(anns.get(f"/jobs/{job.pk}/"))

    assert "12.5 s" in page
    assert "5.0\xa0MB" in page
    assert "<dd>3</dd>" in page


def test_html_in_names_messages_descriptions_and_properties_is_text(anns, new_job):
    evil = "<script>alert(1)</script>"
    job = new_job(
        f"{evil}", status=Status.RUNNING, message=evil, description=evil, extended_properties={evil: {evil: [evil]}}
    )

    for tab in TABS:
        assert "<script>alert" not in anns.get(f"/jobs/{job.pk}/{tab}").content.decode()


def test_properties_read_as_names_and_values(anns, new_job):
    job = new_job(
        extended_properties={
            "weather": {"wet_days": 581, "longest_dry_spell_per_year": {"2012": 48, "2013": 30}, "wettest_day": None},
        }
    )

    words = re.sub(r"<[^>]*>|\s+", " ", text(anns.get(f"/jobs/{job.pk}/results/")))
    words = re.sub(r" +", " ", words)

    # PostgreSQL's jsonb keeps no order of keys.
    for part in ("Weather", "Wet days 581", "Longest dry spell per year 2012 48 2013 30", "Wettest day none"):
        assert part in words


@pytest.mark.parametrize(
    "values", [{"a": [[1, [2, [3, [4, {"deep": 5}]]]]]}, {"n": float(10**300)}, {"x": []}, {"x": {}}]
)
def test_properties_of_any_shape_can_be_shown(anns, new_job, values):
    job = new_job(extended_properties=values)

    assert "Properties" in text(anns.get(f"/jobs/{job.pk}/results/"))


# --- one request keeps it fresh


@pytest.mark.parametrize("tab", ["overview", "log", "results"])
def test_nothing_changed_is_204(anns, new_job, logs, results, tab):
    job = new_job(status=Status.RUNNING)
    logs(job, "hello\n")
    results(job, {"a.csv": "a,b\n1,2\n"})
    page = text(anns.get(f"/jobs/{job.pk}/{'' if tab == 'overview' else f'{tab}/'}"))

    assert anns.get(f"/jobs/{job.pk}/live/{tab}/", {"version": version(page)}, headers=HTMX).status_code == 204


def test_a_status_change_brings_a_new_head_and_overview(anns, new_job, fake):
    job = new_job()
    page = text(anns.get(f"/jobs/{job.pk}/"))
    job.execute()
    settle()

    answer = text(anns.get(f"/jobs/{job.pk}/live/overview/", {"version": version(page)}, headers=HTMX))

    assert 'id="jd-head"' in answer
    assert 'id="jd-tab"' in answer
    assert "<html" not in answer


def test_a_status_change_leaves_the_log_that_somebody_reads_alone(anns, new_job, fake, logs):
    job = new_job()
    job.execute()
    settle()
    logs(job, "line 1\n")
    page = text(anns.get(f"/jobs/{job.pk}/log/"))
    fake.start(job)
    settle()

    answer = text(anns.get(f"/jobs/{job.pk}/live/log/", {"version": version(page)}, headers=HTMX))

    assert 'id="jd-head"' in answer
    assert 'id="jd-tab"' not in answer


def test_a_new_file_brings_the_results_anew(anns, new_job, results):
    job = new_job(status=Status.RUNNING)
    page = text(anns.get(f"/jobs/{job.pk}/results/"))
    results(job, {"out.txt": "done"})

    answer = text(anns.get(f"/jobs/{job.pk}/live/results/", {"version": version(page)}, headers=HTMX))

    assert "out.txt" in answer


def test_an_unknown_tab_is_404(anns, new_job):
    assert anns.get(f"/jobs/{new_job().pk}/live/secrets/").status_code == 404


def test_who_may_only_look_gets_no_buttons(bobs, bob, new_job):
    from django.contrib.auth.models import Group

    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job(groups=[group], status=Status.RUNNING)

    assert "/confirm/" not in text(bobs.get(f"/jobs/{job.pk}/"))
