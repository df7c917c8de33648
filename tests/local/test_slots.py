"""Which waiting command starts next."""

import pytest

from jobs.local.attempts import AttemptFolder
from jobs.local.engine import attempt_folder
from jobs.local.slots import Slots
from jobs.models import Scheduler, job_rows
from jobs.monitor.polling import engines
from jobs.processes.identity import end_tagged
from jobs.status import Status
from jobs.testing import settle
from tests.local.conftest import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture
def submitted(manager):
    """A function that makes CommandJobs of a person's which wait for a slot."""
    made = []

    def make(user, count=1, command=("sleep", "30")):
        jobs = []
        for _ in range(count):
            job = manager.create_job(name="{id}", user=user, job_type="COMMAND", command=list(command))
            engine = engines()["local"]
            scheduler = engine.choose_scheduler(job)
            job.scheduler = scheduler
            from jobs.workspaces import make_workspace

            make_workspace(job)
            engine.submit(job)
            job_rows().filter(pk=job.pk).update(status_code="SUB", external_id=job.tag, scheduler=scheduler)
            jobs.append(job)
        made.extend(jobs)
        return jobs

    yield make
    for job in made:
        attempt_folder(job.tag).cancel()
        end_tagged(job.tag)


class Starts:
    """Remembers which attempts a `Slots` would start, in order; starts nothing."""

    def __init__(self, monkeypatch):
        self.tags = []
        monkeypatch.setattr("jobs.local.slots.start_runner", self.start)

    def start(self, path):
        self.tags.append(path)
        return self

    def poll(self):
        return None

    def of(self, jobs) -> list[int]:
        numbers = {attempt_folder(job.tag).path: number for number, job in enumerate(jobs)}
        return [numbers[tag] for tag in self.tags]


@pytest.fixture
def starts(monkeypatch):
    return Starts(monkeypatch)


@pytest.fixture
def slots(settings):
    """A function that sets how many commands may run at once."""

    def set_to(number):
        settings.JOBS = {**settings.JOBS, "LOCAL_SLOTS": number}

    return set_to


def start_waiting(slots: Slots) -> None:
    slots.start_waiting(Scheduler.objects.get(type="local"), attempt_folder)


def test_at_most_so_many_run_at_once(ann, submitted, starts, slots):
    slots(3)
    jobs = submitted(ann, 5)
    machine = Slots()
    start_waiting(machine)
    start_waiting(machine)
    assert starts.of(jobs) == [0, 1, 2]
    job_rows().filter(pk__in=[job.pk for job in jobs[:3]]).update(status_code=Status.RUNNING)
    start_waiting(machine)
    assert starts.of(jobs) == [0, 1, 2]
    job_rows().filter(pk=jobs[1].pk).update(status_code=Status.COMPLETE)
    start_waiting(machine)
    assert starts.of(jobs) == [0, 1, 2, 3]


def test_a_paused_command_keeps_its_slot(ann, submitted, starts, slots):
    slots(1)
    jobs = submitted(ann, 2)
    job_rows().filter(pk=jobs[0].pk).update(status_code=Status.PAUSED)
    start_waiting(Slots())
    assert starts.tags == []


def test_people_take_turns_whoever_came_first_with_how_many(ann, bob, staff, submitted, starts, slots):
    slots(1)
    jobs = [*submitted(ann, 4), *submitted(bob, 2), *submitted(staff, 1)]
    machine = Slots()
    for _ in range(7):
        start_waiting(machine)
        job_rows().filter(pk=jobs[starts.of(jobs)[-1]].pk).update(status_code=Status.COMPLETE)
    assert starts.of(jobs) == [0, 4, 6, 1, 5, 2, 3]


def test_who_runs_fewer_commands_comes_first(ann, bob, submitted, starts, slots):
    slots(4)
    jobs = [*submitted(ann, 6), *submitted(bob, 2)]
    start_waiting(Slots())
    assert sorted(starts.of(jobs)) == [0, 1, 6, 7]


def test_an_attempt_that_a_runner_has_already_is_not_started_by_a_monitor_that_knows_nothing(
    ann, submitted, starts, slots
):
    slots(2)
    jobs = submitted(ann, 2)
    AttemptFolder(attempt_folder(jobs[0].tag).path).claim()
    start_waiting(Slots())
    assert starts.of(jobs) == [1]


def test_a_runner_that_ended_without_taking_its_attempt_is_followed_by_another(
    ann, submitted, starts, slots, monkeypatch
):
    slots(1)
    jobs = submitted(ann, 1)
    machine = Slots()
    start_waiting(machine)
    monkeypatch.setattr(starts, "poll", lambda: -9)
    start_waiting(machine)
    assert starts.of(jobs) == [0, 0]


def test_a_runner_that_ended_is_remembered_until_the_database_knows(ann, submitted, starts, slots, monkeypatch):
    slots(1)
    (job,) = submitted(ann, 1)
    machine = Slots()
    start_waiting(machine)
    attempt_folder(job.tag).claim()
    monkeypatch.setattr(starts, "poll", lambda: 0)
    start_waiting(machine)
    assert machine.has_started(job.tag)
    job_rows().filter(pk=job.pk).update(status_code=Status.COMPLETE)
    start_waiting(machine)
    assert not machine.has_started(job.tag)


def test_a_machine_that_can_start_no_process_tries_again(ann, submitted, slots, monkeypatch, caplog):
    slots(2)
    submitted(ann, 1)

    def refuse(path):
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr("jobs.local.slots.start_runner", refuse)
        start_waiting(Slots())
    assert "its runner could not be started: [Errno 11]" in caplog.text
    settle()
    eventually(lambda: settle() or job_rows().get().status_code == Status.RUNNING)


def test_many_short_commands_all_end_with_never_more_than_the_slots_at_once(ann, bob, submitted, slots, tmp_path):
    slots(2)
    running = tmp_path / "running"
    running.mkdir()
    # Each has a file of its own there: two that edited one file at once would lose what the other did.
    line = f"touch {running}/$$; sleep 0.1; ls {running} | wc -l >> {tmp_path}/seen; rm {running}/$$"
    submitted(ann, 5, ("/bin/sh", "-c", line))
    submitted(bob, 3, ("/bin/sh", "-c", line))
    eventually(lambda: settle() or not job_rows().exclude(status_code=Status.COMPLETE).exists(), within=30)
    seen = [int(number) for number in (tmp_path / "seen").read_text().split()]
    assert len(seen) == 8
    assert max(seen) <= 2
