"""The list of jobs, and how it keeps itself fresh."""

import re

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import job_rows
from jobs.permissions import ALL_JOBS
from jobs.status import Status
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def text(response) -> str:
    return response.content.decode()


def test_it_shows_a_persons_own_jobs_newest_first(anns, new_job):
    new_job("older")
    new_job("newer")

    page = text(anns.get("/jobs/"))

    assert page.index(">newer</bdi>") < page.index(">older</bdi>")


def test_it_shows_no_job_of_another_person(bobs, new_job):
    new_job("secret-plan")

    assert "secret-plan" not in text(bobs.get("/jobs/"))
    assert "secret-plan" not in text(bobs.get("/jobs/rows/"))


def test_it_shows_a_job_shared_with_a_group_without_actions(bobs, bob, new_job):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job("shared", groups=[group])

    page = text(bobs.get("/jobs/"))

    assert ">shared</bdi>" in page
    assert f"/jobs/{job.pk}/run/" not in page


def test_it_shows_all_jobs_to_staff_with_their_owner(staffs, new_job):
    new_job("anybodys")

    assert "anybodys" in text(staffs.get("/jobs/"))


def test_it_needs_a_login(client):
    assert client.get("/jobs/").headers["Location"] == "/accounts/login/?next=/jobs/"


def test_a_refresh_after_the_login_ended_leads_to_the_login_page_and_back(client):
    response = client.get("/jobs/rows/", headers=HTMX)

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/jobs/%3Fbefore%3D7"


def test_a_refresh_never_leads_to_another_site_after_the_login(client):
    response = client.get("/jobs/rows/", headers=HTMX | {"HX-Current-URL": "https://evil.example/jobs/"})

    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/jobs/"


def test_no_cache_keeps_the_page_for_the_next_person(anns):
    assert "no-store" in anns.get("/jobs/").headers["Cache-Control"]


def test_a_name_and_a_message_of_html_are_text(anns, new_job):
    new_job("<script>alert(1)</script>", status=Status.RUNNING, message="<img src=x onerror=alert(2)>")

    page = text(anns.get("/jobs/"))

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img" not in page


def test_a_running_job_shows_its_progress_and_message(anns, new_job):
    new_job(status=Status.RUNNING, progress=40, message="year 2013")

    page = text(anns.get("/jobs/"))

    assert '<progress max="100" value="40.0"' in page
    assert "year 2013" in page


def test_a_finished_job_shows_no_progress_bar(anns, new_job):
    new_job(status=Status.COMPLETE, progress=100)

    assert "<progress" not in text(anns.get("/jobs/"))


def test_a_custom_status_shows_its_own_word(anns, new_job):
    job = new_job(status=Status.RUNNING)
    job_rows().filter(pk=job.pk).update(status_label="Calibrating")

    assert "Calibrating" in text(anns.get("/jobs/"))


def test_an_action_under_way_is_said_beside_the_status(anns, new_job):
    new_job(status=Status.RUNNING).stop()

    page = text(anns.get("/jobs/"))

    assert "stopping…" in page
    assert "/stop/" not in page


def test_a_job_whose_room_is_not_installed_is_a_plain_row_that_can_be_deleted(anns, new_job):
    job = new_job("orphan", status=Status.RUNNING)
    gone = ContentType.objects.create(app_label="gone", model="gonejob")
    job_rows().filter(pk=job.pk).update(polymorphic_ctype=gone)

    page = text(anns.get("/jobs/"))

    assert "type not installed" in page
    assert f"/jobs/{job.pk}/confirm/delete/" in page
    assert f"/jobs/{job.pk}/confirm/stop/" not in page


def test_a_person_without_jobs_is_taught_how_to_start_one(anns):
    page = text(anns.get("/jobs/"))

    assert "No jobs yet" in page
    assert "create_job" in page
    assert "/jobs/new/" in page


def test_a_person_who_may_start_none_gets_no_button_for_new_jobs(client, django_user_model, nothing_for_all):
    client.force_login(django_user_model.objects.create_user("guest"))

    assert "/jobs/new/" not in text(client.get("/jobs/"))


# --- pages by key


@pytest.fixture
def hundred_and_twenty(new_job):
    return [new_job(f"n{number:03}") for number in range(120)]


def names(response) -> list[str]:
    return re.findall(r"<bdi>(n\d+)</bdi></a>", text(response))


def test_fifty_jobs_are_on_a_page_and_the_pager_leads_through_all_of_them_and_back(anns, hundred_and_twenty):
    first = anns.get("/jobs/")
    second = anns.get(f"/jobs/?before={first.context['page'].older}")
    third = anns.get(f"/jobs/?before={second.context['page'].older}")
    back = anns.get(f"/jobs/?after={third.context['page'].newer}")

    assert [len(names(page)) for page in (first, second, third)] == [50, 50, 20]
    assert names(first) + names(second) + names(third) == [f"n{number:03}" for number in reversed(range(120))]
    assert names(back) == names(second)
    assert first.context["page"].newer is None
    assert third.context["page"].older is None


@pytest.mark.parametrize("key", ["x", "-1", "", "99999999999999999999999", "1e3", "٣"])
def test_a_key_that_is_no_number_gives_the_first_page(anns, new_job, key):
    new_job("only")

    assert ">only</bdi>" in text(anns.get("/jobs/", {"before": key}))


# --- one request keeps it fresh


def test_nothing_changed_is_204_and_empty(anns, new_job, known):
    new_job(status=Status.RUNNING, progress=10)
    page = anns.get("/jobs/")

    response = anns.get("/jobs/rows/", {"known": known(page)}, headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")


def test_only_the_row_that_changed_is_sent(anns, new_job, known):
    still, moving = new_job(), new_job()
    page = anns.get("/jobs/")
    moving.execute()

    response = anns.get("/jobs/rows/", {"known": known(page)}, headers=HTMX)

    assert f'<tr id="job-{moving.pk}"' in text(response)
    assert 'hx-swap-oob="true"' in text(response)
    assert f'<tr id="job-{still.pk}"' not in text(response)


def test_a_new_job_comes_in_at_its_place(anns, new_job, known):
    first = new_job()
    page = anns.get("/jobs/")
    second, third = new_job(), new_job()

    answer = text(anns.get("/jobs/rows/", {"known": known(page)}, headers=HTMX))

    assert answer.index("afterbegin:#jd-rows") < answer.index(f"afterend:#job-{third.pk}")
    assert f"afterend:#job-{second.pk}" not in answer
    assert f'<tr id="job-{first.pk}"' not in answer


def test_a_deleted_job_is_taken_out(anns, new_job, known):
    job = new_job()
    page = anns.get("/jobs/")
    job.delete()

    answer = text(anns.get("/jobs/rows/", {"known": known(page)}, headers=HTMX))

    assert f'<tr id="job-{job.pk}" hx-swap-oob="delete">' in answer


def test_a_refresh_tells_nothing_of_foreign_jobs_that_a_browser_claims_to_have(bobs, new_job):
    job = new_job("secret-plan")

    answer = text(bobs.get("/jobs/rows/", {"known": f"{job.pk}.000000"}, headers=HTMX))

    assert "secret-plan" not in answer
    assert f'<tr id="job-{job.pk}" hx-swap-oob="delete">' in answer


def test_nonsense_from_a_browser_is_as_if_it_had_nothing(anns, new_job):
    new_job("only")

    assert "only" in text(anns.get("/jobs/rows/", {"known": "x.y,,-1.2,9999999999999999999999.a"}, headers=HTMX))


def count_queries(browser, url, data=None) -> int:
    browser.get(url, data)  # content types are remembered from here on
    with CaptureQueriesContext(
        connection,
    ) as queries:
        browser.get(url, data)
    return len(queries)


def test_fifty_jobs_need_as_many_queries_as_five(anns, ann, new_job, known):
    for number in range(5):
        new_job(status=Status.RUNNING if number % 2 else None)
    few = count_queries(anns, "/jobs/")
    few_unchanged = count_queries(anns, "/jobs/rows/", {"known": known(anns.get("/jobs/"))})
    for number in range(45):
        new_job(status=Status.RUNNING if number % 2 else None)
        if number % 3 == 0:
            new_job().execute()

    assert count_queries(anns, "/jobs/") == few
    assert count_queries(anns, "/jobs/rows/", {"known": known(anns.get("/jobs/"))}) == few_unchanged


def test_the_jobs_themselves_cost_one_query(anns, ann, new_job):
    new_job(status=Status.RUNNING)
    new_job().execute()
    anns.get("/jobs/")
    with CaptureQueriesContext(connection) as queries:
        anns.get("/jobs/")

    about_jobs = [query["sql"] for query in queries if '"jobs_job"' in query["sql"] or '"jobs_intent"' in query["sql"]]
    rows = [sql for sql in about_jobs if "counted.code" not in sql]
    assert (len(rows), len(about_jobs)) == (1, 2)  # the other one counts for the chips


def test_who_may_act_on_all_jobs_is_one_permission(ann, bob, bobs, new_job):
    from django.contrib.auth.models import Permission

    job = new_job("anns")
    bob.user_permissions.add(Permission.objects.get(codename=ALL_JOBS.partition(".")[2]))

    page = text(bobs.get("/jobs/"))

    assert f"/jobs/{job.pk}/run/" in page
