"""The published client, `taskfarm-worker` from PyPI, and its command, unchanged."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from taskfarm_worker import TaskFarm, TaskFarmWorker, tfRuns

from jobs.farm.models import FarmRun
from jobs.testing import settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def base(live_server) -> str:
    """The API's address, and an account as `adminTF` makes it."""
    call_command("taskfarm_user", "-u", "taskfarm", "-p", "hello", verbosity=0)
    return f"{live_server.url}/api/"


def work(base: str, uuid: str) -> list[int]:
    """What the client's documentation has a worker do."""
    worker = TaskFarmWorker("taskfarm", "hello", uuid, url_base=base)
    done = []
    for task in worker.tasks:
        for percent in range(0, 101, 25):
            worker.update(percent)
        worker.done()
        done.append(task)
    return done


def test_a_run_is_made_worked_through_restarted_and_deleted(base):
    run = TaskFarm("taskfarm", "hello", numTasks=7, url_base=base)
    assert (run.numTasks, len(run.uuid)) == (7, 32)
    assert (run.percentDone, run.numWaiting, run.numComputing, run.numDone) == (0, 7, 0, 0)
    assert work(base, run.uuid) == list(range(7))
    assert run.info("") == {
        **tfRuns("taskfarm", "hello", url_base=base)[0],
        "percentDone": 100,
        "numWaiting": 0,
        "numComputing": 0,
        "numDone": 7,
    }
    settle()
    [job] = FarmRun.objects.all()
    assert (job.status_display, job.progress, job.uuid.hex) == ("Complete", 100, run.uuid)
    run.restart(everything=True)
    assert (run.percentDone, run.numWaiting) == (0, 7)
    assert work(base, run.uuid) == list(range(7))
    run.delete()
    assert tfRuns("taskfarm", "hello", url_base=base) == []
    with pytest.raises(RuntimeError, match="404"):
        TaskFarm("taskfarm", "hello", uuid=run.uuid, url_base=base)


def test_a_worker_goes_on_where_another_one_was_given_up(base):
    run = TaskFarm("taskfarm", "hello", numTasks=2, url_base=base)
    lost = TaskFarmWorker("taskfarm", "hello", run.uuid, url_base=base)
    assert lost.task == 0
    lost.update(40)
    assert work(base, run.uuid) == [1]
    assert (run.numComputing, run.percentDone) == (1, 70)
    run.restart()
    assert run.getTaskInfo(0, "percentCompleted") == 40
    assert run.getTaskInfo(0, "status") == "waiting"
    assert work(base, run.uuid) == [0]
    assert run.numDone == 2


def test_its_command_lists_informs_resets_and_deletes(base):
    run = TaskFarm("taskfarm", "hello", numTasks=3, url_base=base)
    command = [Path(sys.executable).parent / "manageTF", "-b", base, "-u", "taskfarm", "-p", "hello"]

    def manage(*words: str) -> str:
        return subprocess.run([*command, *words], capture_output=True, text=True, check=True, timeout=30).stdout

    pk = FarmRun.objects.get().pk
    assert manage("--list") == f"{pk} {run.uuid} 3\n"
    work(base, run.uuid)
    assert manage("--info", run.uuid) == f"{pk} {run.uuid} 3 (0,0,3) 100.0\n"
    manage("--reset", run.uuid)
    assert run.numDone == 3
    manage("--reset-all", run.uuid)
    assert (run.numDone, run.numWaiting) == (0, 3)
    manage("--delete", run.uuid)
    assert manage("--list") == ""


def test_an_account_that_is_there_gets_another_password_unless_it_is_staff(base, staff):
    call_command("taskfarm_user", "-u", "taskfarm", "-p", "other", verbosity=0)
    with pytest.raises(RuntimeError, match="401"):
        tfRuns("taskfarm", "hello", url_base=base)
    assert tfRuns("taskfarm", "other", url_base=base) == []
    with pytest.raises(CommandError, match="staff is staff"):
        call_command("taskfarm_user", "-u", "staff", "-p", "other")
