"""Many jobs in the browser: bulk actions, two tables in one page, and what other people do not see."""

import re
import time
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from playwright.sync_api import expect

from jobs.manager import JobManager
from jobs.models import BasicJob, Job, job_rows
from jobs.status import Status

MANY = 1000
ENOUGH = 60.0
"""Seconds in which a thousand jobs are to have been asked; 5 to 20 on two cores that also do other things."""
HOSTILE = "<script>alert('name')</script><img src=x onerror=alert(1)>"
HTML = "</pre><script>alert('log')</script><h1 id='mine'>not mine</h1><img src=x onerror=alert(2)>"


def make_many(person, word: str, number: int = MANY) -> None:
    """Finished jobs that an app moved by itself, made in a few statements."""
    table = BasicJob._meta.db_table
    kind = ContentType.objects.get_for_model(BasicJob)
    with transaction.atomic():
        made = Job.objects.bulk_create(
            Job(
                name=f"{word} {index}",
                user=person,
                label="jobs",
                uuid=uuid4(),
                status_code=Status.COMPLETE,
                polymorphic_ctype=kind,
            )
            for index in range(number)
        )
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} (job_ptr_id) VALUES (%s)", [(job.pk,) for job in made])


def test_two_tables_in_an_apps_page_refresh_and_act_each_for_itself(page, person, live):
    model = JobManager("models").create_job("a model", person, "BASIC")
    survey = JobManager("surveys").create_job("a survey", person, "BASIC")
    for job in (model, survey):
        job.execute()
        job.update_status("Running")
    page.goto("/my-app/")
    page.evaluate("window.neverReloaded = true")
    models, surveys = (page.get_by_role("region", name=name) for name in ("Models", "Surveys"))
    expect(models.get_by_role("link", name="a model", exact=True)).to_be_visible()
    expect(models.get_by_role("link", name="a survey", exact=True)).to_have_count(0)
    model.update_status("Complete")
    expect(models.get_by_text("Complete", exact=True)).to_be_visible()
    expect(surveys.get_by_text("Running", exact=True)).to_be_visible()
    surveys.get_by_role("button", name="More actions for a survey").click()
    surveys.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete a survey?").get_by_role("button", name="Delete job").click()
    expect(surveys.get_by_role("link", name="a survey", exact=True)).to_have_count(0)
    expect(models.get_by_role("link", name="a model", exact=True)).to_be_visible()
    assert page.evaluate("window.neverReloaded")


def test_another_person_sees_nothing(open_page, new_person, person, live):
    job = JobManager("jobs").create_job("hers", person, "COMMAND", command=["true"])
    page = open_page(new_person("bob"))
    page.goto("/jobs/")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    expect(page.get_by_text("hers", exact=True)).to_have_count(0)
    for tab in ("", "log/", "results/", "attempts/"):
        assert page.goto(f"/jobs/{job.pk}/{tab}").status == 404
        assert "hers" not in page.content()


def test_names_messages_and_logs_are_text_and_nothing_else(page, person, live):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    script = f"print({HTML!r}); raise SystemExit(1)"
    job = JobManager("jobs").create_job(HOSTILE, person, "COMMAND", command=["python3", "-c", script])
    job.execute()
    page.goto("/jobs/")
    expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="Error", exact=True)).to_be_visible()
    page.goto(f"/jobs/{job.pk}/log/")
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text(HTML)
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Delete {HOSTILE}?")
    expect(page.locator("#mine")).to_have_count(0)
    assert not dialogs


# Last, because the worker is busy for a while with what it leaves.
def test_a_thousand_jobs_are_deleted_by_a_filter(page, person, live, record_property):
    make_many(person, "old")
    JobManager("jobs").create_job("keep me", person, "BASIC")
    page.goto("/jobs/?text=old")
    page.get_by_role("checkbox", name="Tick all jobs on this page").check()
    page.get_by_label("all 1,000 that match").check()
    page.get_by_role("form", name="Actions on many jobs").get_by_role("button", name="Delete 1,000").click()
    began = time.monotonic()
    page.get_by_role("dialog").get_by_role("button", name="Delete 1,000 jobs").click()
    finished = page.get_by_text("It is asked for; each job shows when it is carried out.")
    expect(finished).to_be_visible(timeout=ENOUGH * 1000)
    took = time.monotonic() - began
    record_property("figures", f"browser: {MANY} jobs deleted by a filter, all gone from the list after {took:.1f} s")
    page.get_by_role("link", name="See the jobs").click()
    expect(page.get_by_role("link", name="keep me", exact=True)).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^Tick old"))).to_have_count(0)
    live.until(lambda: job_rows().filter(user=person, name__startswith="old").count() < MANY, "the first rows are gone")
