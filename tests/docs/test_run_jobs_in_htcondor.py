"""How to run jobs in HTCondor: each example of the page runs in the pool, and does what the page says."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.apps import JobsAppMixin
from jobs.condor.submission.allowlist import ALLOWED
from jobs.workspaces import workspace_path
from tests.docs.blocks import DOCS, typed, write_files
from tests.docs.test_docs import rows_of

PAGE = "how-to/run-jobs-in-htcondor.md"
FILES = {
    "wind north.txt": "3\n5\n",
    "run-0.txt": "1\n",
    "run-1.txt": "2\n",
    "run-2.txt": "3\n",
    "maps/lake.txt": "lake\n",
    "maps/hill.txt": "hill\n",
}


class App(JobsAppMixin):
    """The reader's app."""

    name = "app"


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder with the reader's programs and files."""
    write_files(PAGE, tmp_path, tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def shared(pool) -> Path:
    """A folder that the pool mounts too, in the place of the page's /srv/pool."""
    if not pool.shared_folder:
        pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
    folder = Path(pool.shared_folder) / f"docs-{uuid4().hex}"
    folder.mkdir()
    folder.chmod(0o2770)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_the_page_says(live, ann, folder, shared):
    manager = App.get_job_manager()
    names = {"job_manager": manager, "user": ann, "folder": folder, "app": App, "Path": Path}
    exec(compile(typed(PAGE, "python").replace("/srv/pool", str(shared)), PAGE, "exec"), names)

    jobs = {job.name.partition("-")[0]: job for job in manager.list_jobs(ann)}
    live.jobs.extend(jobs.values())
    for job in jobs.values():
        live.until_over(job)
    how = {name: (job.status_display, job.status_message) for name, job in jobs.items()}
    assert how == dict.fromkeys(jobs, ("Complete", ""))
    assert "getenv: would put the web server's environment" in names["refused"]

    def read(name: str, file: str) -> str:
        return (workspace_path(jobs[name]) / file).read_text()

    def came(name: str) -> set[str]:
        return {path.name for path in workspace_path(jobs[name]).iterdir()} - {"logs"}

    assert read("model", "mean north.txt") == "4\n"
    assert came("model") == {"mean north.txt"}
    assert jobs["model"].get_attribute("request_disk") == "100MB"
    assert sorted(read("inputs", "all.txt").split()) == ["3", "5", "hill", "lake"]
    assert came("outputs") == {"out"}
    assert read("outputs", "out/mean.txt") == "5\n"
    assert [read("ensemble", f"mean-{number}.txt").strip() for number in range(3)] == ["1", "2", "3"]
    assert (jobs["ensemble"].resources["counts"], jobs["ensemble"].progress) == ({"COM": 3}, 100)
    assert read("variables", "site.txt") == "north of 'Lake 2'\n"
    assert jobs["patient"].exit_code == 3
    assert read("shared", "out/mean.txt") == "5\n"
    assert workspace_path(jobs["shared"]) == shared / "model"
    assert jobs["chosen"].scheduler_id == live.scheduler.pk


def test_the_table_of_the_allow_list_has_all_that_is_allowed():
    cells = [row[0] for row in rows_of(DOCS / PAGE, "command")]
    listed = {name.strip().strip("`") for cell in cells for name in cell.split(",")}
    assert listed - {"request_…", "my_…", "data1"} == ALLOWED
