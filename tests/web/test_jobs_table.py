"""`JobsTable`: its options, and what it shows in an app's own page."""

import html
import re

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.template import engines
from django.test.utils import CaptureQueriesContext

from jobs.local.models import CommandJob
from jobs.manager import JobManager
from jobs.models import Job, job_rows
from jobs.status import Status
from jobs.web.tables import CustomJobAction, JobsTable
from tests.web import my_first_app

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.my_first_app")]
MANAGER = JobManager("jobs")


@pytest.fixture
def page(anns, monkeypatch):
    """A function that shows tables in the app's page and gives the page's text."""

    def show(*tables, browser=anns, query=None) -> str:
        monkeypatch.setattr(my_first_app, "tables", lambda user: tables)
        return browser.get("/my-first-app/" + (f"?{query}" if query else "")).content.decode()

    return show


def headings(page: str) -> list[str]:
    return re.findall(r'<th role="columnheader" scope="col">([^<]*)</th>', page)


def cells(page: str, heading: str) -> list[str]:
    found = re.findall(rf'data-heading="{heading}">(.*?)</td>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", text)).strip() for text in found]


# --- as others know it


def test_the_example_of_the_jobs_api_shows_what_it_says(page, ann, new_job, rf):
    class app:
        @staticmethod
        def get_job_manager():
            return MANAGER

    request = rf.get("/")
    request.user = ann
    job = new_job(status=Status.COMPLETE, description="ten years of rain")

    job_manager = app.get_job_manager()

    jobs = job_manager.list_jobs(request.user)

    jobs_table_options = JobsTable(jobs=jobs,
                                   column_fields=('id', 'description', 'run_time'),
                                   hover=True,
                                   striped=False,
                                   bordered=False,
                                   condensed=False,
                                   results_url='my_first_app:results',
                                   )  # fmt: skip

    shown = page(jobs_table_options)
    assert headings(shown) == ["ID", "Description", "Run time", "Status"]
    assert cells(shown, "ID") == [str(job.pk)]
    assert cells(shown, "Description") == ["ten years of rain"]
    assert f'href="/my-first-app/results/{job.pk}/"' in shown
    assert "jd-hover" in shown
    assert "jd-striped" not in shown


def test_the_default_actions_are_those_that_make_sense(page, ann, new_job):
    job = new_job(status=Status.RUNNING)

    shown = page(JobsTable(MANAGER.list_jobs(ann)))

    assert set(re.findall(rf"/jobs/table/{job.pk}/([a-z-]+)/", shown)) == {"pause", "stop", "delete"}
    assert f'href="/jobs/{job.pk}/log/"' in shown
    assert f'href="/jobs/{job.pk}/results/"' not in shown


def test_actions_are_those_that_are_named_in_their_order_and_sections(page, ann, new_job):
    job = new_job(status=Status.RUNNING)

    shown = page(JobsTable(MANAGER.list_jobs(ann), actions=["delete", "|", "pause", "|", "run", "|", "terminate"]))

    menu = re.search(r"popover>(.*?)</div>", shown, re.DOTALL)[1]
    assert re.findall(r'action="/jobs/table/\d+/([a-z-]+)/|<(hr)>', menu) == [("delete", ""), ("", "hr"), ("pause", "")]
    assert f'formaction="/jobs/table/{job.pk}/stop/"' in shown


def test_the_monitor_page_is_offered_while_a_job_runs(page, ann, new_job):
    running, over = new_job(status=Status.RUNNING), new_job(status=Status.COMPLETE)

    shown = page(JobsTable(MANAGER.list_jobs(ann), actions=["delete"], monitor_url="my_first_app:notes"))

    assert f'href="/my-first-app/notes/{running.pk}/"' in shown
    assert f'href="/my-first-app/notes/{over.pk}/"' not in shown


def test_status_and_actions_can_be_left_out(page, ann, new_job):
    new_job(status=Status.RUNNING)

    shown = page(JobsTable(MANAGER.list_jobs(ann), ["name"], show_status=False, show_actions=False))

    assert headings(shown) == ["Name"]
    assert "Running" not in shown
    assert "/jobs/table/1" not in shown


# --- columns


def test_a_column_shows_an_attribute_a_property_of_a_property_or_one_under_an_own_heading(page, ann, new_job):
    new_job("rain", extended_properties={"rain": {"days": 12}, "list": [1, 2]}, description="wet")

    fields = (
        "description",
        "extended_properties.rain.days",
        ("Made", "creation_time"),
        ("All", "extended_properties.list"),
    )
    shown = page(JobsTable(MANAGER.list_jobs(ann), fields))

    assert headings(shown)[:4] == ["Description", "Days", "Made", "All"]
    assert cells(shown, "Days") == ["12"]
    assert cells(shown, "Made") == ["just now"]
    assert cells(shown, "All") == ["1 2"]


def test_a_property_that_a_job_does_not_have_is_an_empty_cell(page, ann, new_job):
    new_job(extended_properties={"rain": 5})

    assert cells(page(JobsTable(MANAGER.list_jobs(ann), ["extended_properties.rain.days"])), "Days") == [""]


def test_values_are_text_never_html(page, ann, new_job):
    evil = "<script>alert(1)</script>"
    new_job(
        evil,
        description=evil,
        extended_properties={"x": evil, "list": [{"y": evil}]},
        status=Status.RUNNING,
        message=evil,
    )

    shown = page(
        JobsTable(
            MANAGER.list_jobs(ann),
            ["name", "description", "extended_properties.x", (evil, "extended_properties.list")],
            classes=f'"{evil}',
            attributes={"data-x": f'"{evil}'},
            empty=evil,
            actions=[CustomJobAction(evil, my_first_app.mark)],
        )
    )

    assert "<script>alert" not in shown
    assert cells(shown, "Description") == [evil]


def test_a_column_that_only_some_types_have_is_empty_for_the_others(page, ann, new_job):
    new_job("plain")
    MANAGER.create_job("command", ann, "COMMAND", command=["date", "-u"])

    shown = page(JobsTable(MANAGER.list_jobs(ann), ["name", "command_line", "command"]))

    assert cells(shown, "Command line") == ["date -u", ""]
    assert cells(shown, "Command") == ["date -u", ""]


@pytest.mark.parametrize(
    "fields", [["name", "description", "scheduler"], ["name", "command_line", "extended_properties.a"]]
)
def test_fifty_jobs_need_as_many_queries_as_one(page, ann, anns, new_job, fields):
    table = JobsTable(
        MANAGER.list_jobs(ann), fields, actions=[CustomJobAction("Mark", my_first_app.mark, my_first_app.not_marked)]
    )

    def queries() -> int:
        page(table)
        with CaptureQueriesContext(connection) as found:
            page(table)
        return len(found)

    new_job()
    MANAGER.create_job("command", ann, "COMMAND", command=["date"])
    few = queries()
    for number in range(49):
        new_job()
        MANAGER.create_job(f"command-{number}", ann, "COMMAND", command=["date"])

    assert queries() == few == 3


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("nmae", "no attribute 'nmae'|'nmae' that can be shown"),
        ("delete", "can be shown"),
        ("callback_token", "can be shown"),
        ("groups", "can be shown"),
        ("intents", "can be shown"),
        ("objects", "can be shown"),
        ("token_hash", "not for pages"),
        ("_state", "not for pages"),
        ("user.password", "only extended_properties"),
        ("extended_properties..a", "only extended_properties"),
    ],
)
def test_a_column_that_cannot_be_is_refused_when_the_table_is_made(field, said):
    with pytest.raises(ValueError, match=said):
        JobsTable([], [field])


@pytest.mark.parametrize("fields", ["name", [5], [("a", "b", "c")], [("Heading", 5)]])
def test_column_fields_of_another_form_are_refused(fields):
    with pytest.raises(TypeError, match="column_fields"):
        JobsTable([], fields)


# --- which jobs


def test_only_jobs_that_the_person_may_see_are_in_it(page, bobs, bob, new_job):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    new_job("secret")
    new_job("shared", groups=[group])
    new_job("own", user=bob)

    for jobs in (MANAGER.list_jobs(), Job.objects.order_by("-pk"), list(Job.objects.order_by("-pk"))):
        assert cells(page(JobsTable(jobs), browser=bobs), "Name") == ["own", "shared"]


def test_it_shows_nothing_to_somebody_who_is_not_logged_in(page, client, new_job):
    new_job("secret")

    shown = page(JobsTable(MANAGER.list_jobs()), browser=client)

    assert "secret" not in shown
    assert "data-poll" not in shown


def test_a_shared_job_has_no_actions(page, bobs, bob, new_job):
    group = Group.objects.create(name="hydrology")
    group.user_set.add(bob)
    job = new_job(groups=[group], status=Status.RUNNING)

    shown = page(JobsTable(MANAGER.list_jobs(), actions=["stop", ("Mark", my_first_app.mark), "logs"]), browser=bobs)

    assert "/jobs/table/1" not in shown
    assert f'href="/jobs/{job.pk}/log/"' in shown


def test_a_list_keeps_its_order_and_a_job_manager_shows_newest_first(page, ann, new_job):
    one, two, three = new_job("one"), new_job("two"), new_job("three")

    assert cells(page(JobsTable([two, three, one])), "Name") == ["two", "three", "one"]
    assert cells(page(JobsTable(MANAGER.list_jobs(ann))), "Name") == ["three", "two", "one"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"sort": True}, ["cab", "abc", "bca"]),
        ({"sort": True, "reverse_sort": True}, ["bca", "abc", "cab"]),
        ({"sort": "name"}, ["abc", "bca", "cab"]),
        ({"sort": "-name"}, ["cab", "bca", "abc"]),
        ({"sort": my_first_app.backwards}, ["bca", "cab", "abc"]),
        ({"sort": my_first_app.backwards, "reverse_sort": True}, ["abc", "cab", "bca"]),
    ],
)
def test_it_sorts_by_age_field_or_function(page, ann, new_job, options, names):
    for name in ("cab", "abc", "bca"):
        new_job(name)

    assert cells(page(JobsTable(MANAGER.list_jobs(ann), **options)), "Name") == names


def test_a_page_has_so_many_jobs_and_leads_to_the_older_ones_without_touching_another_table(page, ann, new_job):
    for number in range(5):
        new_job(f"n{number}")
    tables = [
        JobsTable(MANAGER.list_jobs(ann), ["name"], page_size=2),
        JobsTable(MANAGER.list_jobs(ann), ["name"], page_size=3),
    ]

    first = page(*tables, query="mine=5")
    link = html.unescape(re.search(r'href="\?([^"#]*)#jobs1">Older', first)[1])
    second = page(*tables, query=link)

    assert cells(first, "Name") == ["n4", "n3", "n4", "n3", "n2"]
    assert "mine=5" in link
    assert cells(second, "Name") == ["n2", "n1", "n4", "n3", "n2"]


def test_a_sorted_table_says_that_there_are_more(page, ann, new_job):
    for number in range(3):
        new_job(f"n{number}")

    assert "The first 2 are shown." in page(JobsTable(MANAGER.list_jobs(ann), ["name"], page_size=2, sort="name"))


def test_a_job_whose_room_is_not_installed_is_a_plain_row(page, ann, new_job):
    from django.contrib.contenttypes.models import ContentType

    job = new_job("orphan", status=Status.RUNNING)
    job_rows().filter(pk=job.pk).update(polymorphic_ctype=ContentType.objects.create(app_label="gone", model="gonejob"))

    shown = page(
        JobsTable(
            MANAGER.list_jobs(ann),
            ["name", "type", "command_line"],
            actions=["stop", "delete", ("Mark", my_first_app.mark)],
        )
    )

    assert cells(shown, "Name") == ["orphan"]
    assert f"/jobs/table/{job.pk}/delete/" in shown


# --- options that cannot be


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"colour": "red"}, TypeError, "colour"),
        ({"jobs": 5}, TypeError, "jobs"),
        ({"jobs": ["a"]}, TypeError, "jobs"),
        ({"jobs": lambda user: []}, ValueError, "jobs"),
        ({"results_url": "no:where"}, ValueError, "results_url: 'no:where'"),
        ({"monitor_url": "my_first_app:page"}, ValueError, "takes a job's id"),
        ({"refresh_interval": "soon"}, ValueError, "refresh_interval"),
        ({"page_size": 0}, ValueError, "page_size"),
        ({"page_size": 1000}, ValueError, "page_size"),
        ({"sort": "command"}, ValueError, "sort"),
        ({"sort": "groups"}, ValueError, "sort"),
        ({"sort": lambda job: 1}, ValueError, "sort"),
        ({"actions": "run"}, TypeError, "actions"),
        ({"actions": ["explode"]}, ValueError, "'explode' is no action"),
        ({"actions": [5]}, ValueError, "5 is no action"),
        ({"attributes": {"onclick": "alert(1)"}}, ValueError, "onclick"),
        ({"attributes": {"data-x onclick": "alert(1)"}}, ValueError, "onclick"),
        ({"attributes": {"hx-get": "/"}}, ValueError, "hx-get"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_its_name(options, error, said):
    with pytest.raises(error, match=said):
        JobsTable(**({"jobs": [], "column_fields": ["name"]} | options))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "needs either"),
        ({"callback_or_url": my_first_app.mark, "modal_url": "my_first_app:notes"}, "needs either"),
        ({"callback_or_url": lambda job: None}, "callback_or_url"),
        ({"callback_or_url": "no:where"}, "no:where"),
        ({"callback_or_url": "_want"}, "_want"),
        ({"modal_url": "no:where"}, "modal_url"),
        ({"callback_or_url": my_first_app.mark, "enabled_callback": lambda job: True}, "enabled_callback"),
    ],
)
def test_an_own_action_that_cannot_be_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        CustomJobAction("Mark", **arguments)


def test_a_template_that_does_not_know_the_request_is_told_so():
    with pytest.raises(ImproperlyConfigured, match="render"):
        engines["django"].from_string("{% load jobs %}{% jobs_table table %}").render({"table": JobsTable([])})


def test_what_is_no_table_is_refused(rf):
    with pytest.raises(TypeError, match="JobsTable is needed"):
        engines["django"].from_string("{% load jobs %}{% jobs_table table %}").render({}, rf.get("/"))


def test_two_tables_of_a_page_have_ids_of_their_own(page, ann, new_job):
    new_job(status=Status.RUNNING)
    table = JobsTable(MANAGER.list_jobs(ann))

    ids = re.findall(r'\bid="([^"]+)"', page(table, table))

    assert len(ids) == len(set(ids)) > 10


def test_no_script_stands_in_the_page_itself(page, ann, new_job):
    new_job(status=Status.RUNNING)

    shown = page(JobsTable(MANAGER.list_jobs(ann)))

    assert re.findall(r"<script(?![^>]*\bsrc=)", shown) == []
    assert re.findall(r"\son[a-z]+=", shown) == []


def test_every_job_type_can_be_in_one_table(page, ann, new_job):
    new_job("fake")
    MANAGER.create_job("basic", ann, "BASIC")
    MANAGER.create_job("echo", ann, "ECHO", text="hi")
    MANAGER.create_job("command", ann, CommandJob, command=["date"])

    shown = page(
        JobsTable(
            MANAGER.list_jobs(ann),
            ["name", "text", "type"],
            actions=[("Mark", my_first_app.mark, my_first_app.not_marked)],
        )
    )

    assert cells(shown, "Text") == ["", "hi", "", ""]
    assert shown.count(">Mark<") == 4
