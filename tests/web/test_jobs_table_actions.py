"""What can be done from an app's table: the default actions and the app's own, with and without scripts."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from jobs.models import Action
from jobs.status import Status
from jobs.web.tables import CustomJobAction, JobsTable
from tests.web import my_first_app
from tests.web.conftest import HTMX
from tests.web.test_jobs_table_refresh import MANAGER, open_page  # noqa: F401 a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.my_first_app")]


@pytest.fixture
def table(anns, ann, open_page):  # noqa: F811
    """A function that opens ann's page with one table of her jobs, and gives a function that acts from there."""

    def make(*actions, browser=anns, jobs=None, **options):
        page = open_page(browser, JobsTable(jobs or MANAGER.list_jobs(), actions=actions or None, **options))

        def act(job, action, *, script=True, **data):
            data = {"options": page.options, "next": "/my-first-app/?tab=2"} | data
            return browser.post(f"/jobs/table/{job.pk}/{action}/", data, headers=HTMX if script else None)

        return act

    return make


def text(response) -> str:
    return response.content.decode()


# --- the default ones


def test_run_writes_an_intent_and_sends_the_row_as_it_is_now(table, new_job):
    act, job = table(), new_job()

    response = act(job, "run")

    assert job.intents.get().action == Action.RUN
    assert f'<tr id="jobs1-job-{job.pk}"' in text(response)
    assert "starting…" in text(response)
    assert "starts as soon as there is room" in text(response)
    assert response.headers["HX-Trigger"] == "jobs:acted"


def test_without_scripts_it_leads_back_to_the_apps_page(table, new_job):
    act, job = table(), new_job()

    response = act(job, "run", script=False)

    assert (response.status_code, response.headers["Location"]) == (302, "/my-first-app/?tab=2")
    assert job.intents.get().action == Action.RUN


def test_it_never_leads_to_another_site(table, new_job):
    act, job = table(), new_job()

    assert act(job, "run", script=False, next="https://evil.example/").headers["Location"] == "/jobs/"


@pytest.mark.parametrize("script", [True, False])
def test_delete_asks_first_and_is_done_when_the_question_was_answered(table, new_job, script):
    act, job = table(), new_job("old one")

    question = act(job, "delete", script=script)
    assert "Delete old one?" in text(question)
    assert 'name="confirmed" value="yes"' in text(question)
    assert ("HX-Retarget" in question.headers) is script
    assert ("<html" in text(question)) is not script
    assert not job.intents.exists()

    answer = act(job, "delete", script=script, confirmed="yes")
    assert job.intents.get().action == Action.DELETE
    if script:
        assert f'<tr id="jobs1-job-{job.pk}" hx-swap-oob="delete">' in text(answer)
    else:
        assert answer.status_code == 302


# --- an app's own


def test_an_own_action_calls_the_apps_function_with_the_job_as_itself(table, ann):
    act = table(("Mark", my_first_app.mark), column_fields=["extended_properties.marked"])
    job = MANAGER.create_job("command", ann, "COMMAND", command=["date"])

    response = act(job, "custom-0")

    job.refresh_from_db()
    assert job.extended_properties == {"marked": "CommandJob"}
    assert "command has a mark now." in text(response)
    assert ">CommandJob<" in text(response)


def test_an_own_action_may_be_async_and_say_nothing(table, new_job):
    act, job = table(CustomJobAction("Later", my_first_app.mark_later)), new_job("rain")

    assert "Later: done for rain." in text(act(job, "custom-0"))


def test_an_own_action_may_be_a_method_of_a_job_type(table, new_job):
    act, job = table(("Go", "execute")), new_job()

    act(job, "custom-0")

    assert job.intents.get().action == Action.RUN


def test_an_own_action_is_offered_and_done_only_where_it_is_enabled(table, open_page, anns, new_job):  # noqa: F811
    action = CustomJobAction("Mark", my_first_app.mark, enabled_callback=my_first_app.not_marked)
    act = table(action)
    job, other = new_job(extended_properties={"marked": "yes"}), new_job()

    page = open_page(anns, JobsTable(MANAGER.list_jobs(), actions=[action])).text
    assert f"/jobs/table/{other.pk}/custom-0/" in page
    assert f"/jobs/table/{job.pk}/custom-0/" not in page
    assert act(job, "custom-0").status_code == 409


def test_an_own_action_for_one_type_is_not_for_others(table, new_job):
    from jobs.local.models import CommandJob

    act, job = table(CustomJobAction("Go", "execute", job_type=CommandJob)), new_job()

    assert act(job, "custom-0").status_code == 409


@pytest.mark.parametrize("script", [True, False])
def test_a_confirmation_is_asked_once(table, new_job, script):
    act, job = table(CustomJobAction("Mark", my_first_app.mark, confirmation_message="Really <mark> it?")), new_job()

    assert "Really &lt;mark&gt; it?" in text(act(job, "custom-0", script=script))
    job.refresh_from_db()
    assert job.extended_properties == {}

    act(job, "custom-0", script=script, confirmed="yes")
    job.refresh_from_db()
    assert job.extended_properties == {"marked": "FakeJob"}


def test_a_url_is_a_link_and_one_with_a_question_leads_there_afterwards(table, open_page, anns, new_job):  # noqa: F811
    plain = CustomJobAction("Page", "my_first_app:notes")
    asking = CustomJobAction("Asked page", "my_first_app:notes", confirmation_message="Go?")
    act, job = table(plain, asking), new_job()

    page = open_page(anns, JobsTable(MANAGER.list_jobs(), actions=[plain, asking])).text
    assert page.count(f'href="/my-first-app/notes/{job.pk}/"') == 1
    assert "Go?" in text(act(job, "custom-1"))
    assert act(job, "custom-1", confirmed="yes").headers["HX-Redirect"] == f"/my-first-app/notes/{job.pk}/"
    assert act(job, "custom-1", confirmed="yes", script=False).headers["Location"] == f"/my-first-app/notes/{job.pk}/"


def test_a_function_may_lead_to_another_page(table, new_job):
    act, job = table(("Away", my_first_app.lead_away)), new_job()

    assert act(job, "custom-0").headers["HX-Redirect"] == f"/my-first-app/results/{job.pk}/"


def test_a_modal_url_opens_in_the_dialog(open_page, anns, new_job):  # noqa: F811
    job = new_job()

    page = open_page(
        anns, JobsTable(MANAGER.list_jobs(), actions=[CustomJobAction("Notes", modal_url="my_first_app:notes")])
    ).text

    assert f'hx-get="/my-first-app/notes/{job.pk}/" hx-target="#jd-dialog"' in page


# --- refusals


def test_a_get_on_an_action_is_405(anns, new_job):
    assert anns.get(f"/jobs/table/{new_job().pk}/run/").status_code == 405


def test_an_action_needs_the_csrf_token(ann, new_job):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    job = new_job()

    assert browser.post(f"/jobs/table/{job.pk}/run/", {"options": "x"}).status_code == 403
    assert not job.intents.exists()


@pytest.mark.parametrize("script", [True, False])
def test_forged_options_are_400(table, new_job, script):
    act, job = table(), new_job()

    response = act(job, "run", options="forged", script=script)

    assert response.status_code == 400
    assert "Reload the page" in text(response)
    assert not job.intents.exists()


def test_another_persons_options_are_403(table, anns, bobs, new_job):
    job, stolen = new_job(), []
    act = table()
    anns.post = lambda url, data, headers: stolen.append(data)  # what ann's browser would have sent
    act(job, "run")

    response = bobs.post(f"/jobs/table/{job.pk}/run/", stolen[0], headers=HTMX)

    assert response.status_code == 403
    assert not job.intents.exists()


@pytest.mark.parametrize("script", [True, False])
def test_a_foreign_id_answers_as_an_unknown_one(table, bobs, new_job, script):
    act, job = table(browser=bobs), new_job()
    unknown = new_job("gone")
    unknown.delete()

    somebodys, nobodys = act(job, "run", script=script), act(unknown, "run", script=script)

    assert somebodys.status_code == nobodys.status_code == 404
    assert "This job is gone." in text(somebodys)
    assert not job.intents.exists()


def test_a_job_that_is_not_in_the_table_is_404(table, new_job):
    job, other = new_job(), new_job()
    act = table(jobs=[other])

    assert act(job, "run").status_code == 404
    assert not job.intents.exists()


def test_a_shared_job_is_403(table, bobs, bob, new_job):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job(groups=[group])
    act = table("run", ("Mark", my_first_app.mark), browser=bobs)

    assert act(job, "run").status_code == 403
    assert act(job, "custom-1").status_code == 403
    job.refresh_from_db()
    assert job.extended_properties == {}
    assert not job.intents.exists()


@pytest.mark.parametrize("script", [True, False])
def test_an_action_that_is_not_allowed_in_this_status_is_409(table, new_job, script):
    act, job = table(), new_job(status=Status.COMPLETE)

    response = act(job, "stop", script=script)

    assert response.status_code == 409
    assert "Complete" in text(response)
    assert not job.intents.exists()


def test_what_an_apps_function_refuses_is_409_with_its_words(table, new_job):
    act, job = table(("Refuse", my_first_app.refuse)), new_job()

    response = act(job, "custom-0")

    assert response.status_code == 409
    assert "not on a Sunday" in text(response)


@pytest.mark.parametrize(
    "action", ["stop", "refresh", "logs", "mark", "tests.web.my_first_app.mark", "custom-1", "custom--1", "__init__"]
)
def test_an_action_that_the_table_does_not_offer_is_404(table, new_job, action):
    act, job = table(("Mark", my_first_app.mark), "run", "logs"), new_job(status=Status.RUNNING)

    response = act(job, action)

    assert response.status_code == 404
    job.refresh_from_db()
    assert job.extended_properties == {}
    assert not job.intents.exists()


def test_a_table_without_actions_does_nothing(table, new_job):
    act, job = table(show_actions=False), new_job()

    assert act(job, "run").status_code == 404
