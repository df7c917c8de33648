"""How to run workflows in HTCondor: each example of the page runs in the pool, and does what the page says."""

import pytest

from jobs.apps import JobsAppMixin
from jobs.workspaces import workspace_path
from project.examples import WEATHER
from tests.docs.blocks import blocks_of, write_files

PAGE = "how-to/run-condor-workflows.md"


class App(JobsAppMixin):
    """The reader's app."""

    name = "app"


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_the_examples_do_what_the_page_says(live, ann, tmp_path):
    write_files(PAGE, tmp_path, tmp_path)
    (tmp_path / "wind.txt").write_text("12\n3\n7\n")
    manager = App.get_job_manager()
    names = {"job_manager": manager, "user": ann, "folder": tmp_path, "weather": WEATHER}
    for block in blocks_of(PAGE):
        if block.language != "python":
            continue
        if ".rescue()" in block.text:
            names["workflow"].refresh_from_db()
            live.until_over(names["workflow"])
            assert names["workflow"].cached_status == "Error"
            assert (names["flaky"].workflow.nodes.get(name="flaky").tries) == 3
        exec(compile(block.text, PAGE, "exec"), names)
        live.jobs.extend(job for job in manager.list_jobs(ann) if job not in live.jobs)

    workflows = {job.name.partition("-")[0]: job for job in live.jobs}
    for workflow in workflows.values():
        live.until_over(workflow)
    how = {name: (workflow.cached_status, workflow.status_message) for name, workflow in workflows.items()}
    assert how == dict.fromkeys(workflows, ("Complete", ""))

    def read(name: str, file: str) -> str:
        return (workspace_path(workflows[name]) / file).read_text()

    assert read("diamond", "report/report.txt") == "3\n12\n"
    assert set(names["states"]) == {"split", "least", "most", "report"}
    assert (workflows["patient"].attempt, workflows["patient"].continues) == (2, 1)
    assert read("patient", "after/done.txt") == "done\n"
    assert read("throttled", "get-Boise/station.txt") == "Boise\n"
    states = {node.name: node.status for node in workflows["tidy"].nodes.all()}
    assert states == dict.fromkeys(["first", "inner", "inner+X", "inner+Y", "tidy"], "Complete")
    assert read("tidy", "tidy/tidied.txt") == "tidied\n"
    assert read("weather", "compare/years.csv").splitlines()[1] == "2012,366,1226.0,148,8,1"
