"""The monitor writes due times while agents tell of the same ones: nobody waits for the other in a circle."""

import threading

import pytest
from django.db import DatabaseError, connection

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.due import write_all_due
from jobs.schedules.models import Execution
from jobs.schedules.reporting import apply_report
from jobs.testing import fake_clock
from tests.contract.life.drivers import empty_database
from tests.schedules.spoken import Spoken

SCHEDULES, ROUNDS = 40, 8


@pytest.fixture
def emptied(transactional_db):
    yield
    empty_database()


@pytest.mark.django_db(transaction=True)
def test_due_times_are_told_and_written_at_once(emptied, every):
    with fake_clock() as time:
        time.time = time.time.replace(microsecond=0)
        agent = Spoken("node1")
        schedules = [every("every 10 seconds") for _ in range(SCHEDULES)]
        row, start = agent.row, microseconds(schedules[0].start)
        troubles: list[str] = []

        def attempt(barrier: threading.Barrier, work) -> None:
            try:
                barrier.wait(10)
                work()
            except DatabaseError as error:
                troubles.append(f"{type(error).__name__}: {error}")
            finally:
                connection.close()

        for number in range(1, ROUNDS + 1):
            time.move(10)
            due = start + number * 10_000_000
            # The other way round than the monitor takes them.
            told = [agent.ran(schedule, due) for schedule in reversed(schedules)]
            barrier = threading.Barrier(2)
            threads = [
                threading.Thread(target=attempt, args=(barrier, write_all_due)),
                threading.Thread(target=attempt, args=(barrier, lambda told=told: apply_report(row, told))),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert troubles == []
        assert Execution.objects.count() == SCHEDULES * ROUNDS
        assert set(Execution.objects.values_list("state", flat=True)) == {"X"}
