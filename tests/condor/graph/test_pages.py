"""The graph of a workflow on its job's page, its list, and the page of a node."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from jobs.condor.models import CondorWorkflowJobNode, CondorWorkflowNode
from jobs.manager import JobManager
from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.workspaces import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ann):
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def workflow(ann):
    return JobManager("app").create_job("wind", ann, "CONDORWORKFLOW")


def node(workflow, name, status="PEN", *parents, **state):
    made = CondorWorkflowJobNode.objects.create(
        workflow=workflow, name=name, attributes={"executable": "/bin/date", "environment": {"KEY": "secret"}}
    )
    for parent in parents:
        made.add_parent(parent)
    CondorWorkflowNode.objects.non_polymorphic().filter(pk=made.pk).update(attempt=1, status_code=status, **state)
    return made


def move(workflow, status):
    transition([Change(workflow.pk, 1, status)], source="test")


def graph(browser, workflow, **query):
    response = browser.get(reverse("jobs:tab", args=[workflow.pk, "graph"]), query)
    assert response.status_code == 200
    return response.content.decode()


def test_each_node_is_a_link_with_its_name_and_status_in_words(browser, workflow):
    a = node(workflow, "A", "COM")
    b = node(workflow, "B", "RUN", a, tries=2)
    node(workflow, "C", "PEN", b)
    page = graph(browser, workflow)
    labels = re.findall(r'<a id="jd-node-\d+" href="[^"]*" aria-label="([^"]*)"', page)
    assert labels == ["A: Complete", "B: Running, try 2", "C: Pending"]
    assert page.count("<path d=") >= 2
    assert "?node=B" in page


def test_a_state_of_an_earlier_attempt_is_not_the_nodes_state_any_more(browser, workflow):
    node(workflow, "A", "ERR")
    move(workflow, Status.ERROR)
    workflow.resubmit()
    assert "A: Pending" in graph(browser, workflow)


def test_the_number_of_queries_does_not_grow_with_the_nodes(browser, workflow):
    first = node(workflow, "First", "COM")

    def queries() -> int:
        graph(browser, workflow)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            graph(browser, workflow)
        return len(seen)

    few = queries()
    for number in range(60):
        node(workflow, f"N{number}", "RUN", first)
    assert queries() == few


def test_many_alike_nodes_are_a_box_with_their_counts_which_opens(browser, workflow):
    first = node(workflow, "First", "COM")
    for number in range(30):
        node(workflow, f"N{number}", "ERR" if number < 3 else "COM", first)
    page = graph(browser, workflow)
    assert "30 nodes like N0: 27 Complete, 3 Error. Show them" in page
    assert "?open=N0" in page
    assert "N29: Complete" in graph(browser, workflow, open="N0")


def test_the_list_says_the_same(browser, workflow):
    now = timezone.now()
    a = node(workflow, "A", "COM", exit_code=0, tries=1, start_time=now, completion_time=now)
    node(workflow, "B", "ERR", a, exit_code=3, tries=2)
    page = graph(browser, workflow, view="list")
    rows = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)]
    assert rows[1:] == [["A", "Complete", "1", "0", "<", "1", "s"], ["B", "Error", "2", "3", "A"]] or rows[1:] == [
        ["A", "Complete", "1", "0", "&lt;", "1", "s"],
        ["B", "Error", "2", "3", "A"],
    ]


def test_a_list_of_more_than_five_hundred_nodes_has_pages(browser, workflow):
    made = [CondorWorkflowNode(workflow=workflow, name=f"N{number}") for number in range(501)]
    for one in made:
        one.save()
    page = graph(browser, workflow, view="list")
    assert "1 to 500 of 501" in page
    assert "N500" in graph(browser, workflow, view="list", page="2")


def test_a_nodes_page_has_its_facts_its_log_and_its_files_and_no_secrets(browser, workflow):
    a = node(workflow, "A", "COM")
    b = node(
        workflow, "B", "ERR", a, exit_code=3, tries=1, external_id="77", status_message="The program ended with <3>."
    )
    node(workflow, "C", "PEN", b)
    folder = make_workspace(workflow) / "B"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "B.77.0.out").write_text("wind & <weather>\n")
    (folder / "result file.txt").write_text("3")
    page = graph(browser, workflow, node="B")
    assert "The program ended with &lt;3&gt;." in page
    assert "wind &amp; &lt;weather&gt;" in page
    assert "?file=B%2Fresult%20file.txt" in page
    for fact in (">77<", ">3<", "/bin/date", "?node=A", "?node=C"):
        assert fact in page
    assert "secret" not in page


def test_a_node_that_is_not_there_is_said_so(browser, workflow):
    node(workflow, "A")
    assert "has no node called &lt;script&gt;" in graph(browser, workflow, node="<script>")


def test_a_workflow_without_nodes_says_how_to_add_them(browser, workflow):
    assert "add_parent" in graph(browser, workflow)


def test_it_is_sent_again_only_when_something_changed(browser, workflow):
    a = node(workflow, "A", "RUN")
    page = graph(browser, workflow)
    head = re.search(r'id="jd-head"[^>]*data-version="(\w+)"', page)[1]
    tab = re.search(r'id="jd-tab"[^>]*data-version="(\w+)"', page)[1]
    live = reverse("jobs:live", args=[workflow.pk, "graph"])
    same = {"version": f"{head}.{tab}"}
    assert browser.get(live, same, headers={"HX-Request": "true"}).status_code == 204
    CondorWorkflowNode.objects.non_polymorphic().filter(pk=a.pk).update(status_code="COM")
    changed = browser.get(live, same, headers={"HX-Request": "true"})
    assert "A: Complete" in changed.content.decode()


def test_strangers_and_other_types_have_no_such_page(browser, workflow, ann):
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger"))
    assert stranger.get(reverse("jobs:tab", args=[workflow.pk, "graph"])).status_code == 404
    other = JobManager("app").create_job("basic", ann, "BASIC")
    assert browser.get(reverse("jobs:tab", args=[other.pk, "graph"])).status_code == 404
    assert "Graph" not in browser.get(reverse("jobs:detail", args=[other.pk])).content.decode()


def test_what_failed_can_be_rescued_from_the_page_and_only_of_workflows(browser, workflow, ann):
    node(workflow, "A", "ERR")
    move(workflow, Status.ERROR)
    assert "Resubmit what failed" in browser.get(reverse("jobs:detail", args=[workflow.pk])).content.decode()
    browser.post(reverse("jobs:act", args=[workflow.pk, "rescue"]))
    workflow.read_row()
    assert (workflow.attempt, workflow.continues, workflow.status_code) == (2, 1, "PEN")
    other = JobManager("app").create_job("basic", ann, "BASIC")
    transition([Change(other.pk, 1, Status.ERROR)], source="test")
    assert "Resubmit what failed" not in browser.get(reverse("jobs:detail", args=[other.pk])).content.decode()


def test_the_jobs_table_shows_how_the_nodes_are(browser, workflow):
    transition(
        [Change(workflow.pk, 1, Status.VARIOUS, resources={"counts": {"COM": 2, "RUN": 1, "PEN": 4}})], source="test"
    )
    page = browser.get(reverse("jobs:list")).content.decode()
    assert "2 Complete" in page
    assert "2 of 7 over" in page
