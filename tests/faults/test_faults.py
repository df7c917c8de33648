"""Whatever process dies at whatever moment, no job is lost, run twice, stuck, or wrongly processed.

Each test runs `python -m tests.faults` for one database and broker. PostgreSQL with RabbitMQ gets every point, the other
combinations share them out; the two minutes at random are shared out too. What only happens to jobs in an HTCondor pool
is shared out between the two databases. `make faults` runs it long.
"""

import os
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from tests.condor.pool import find_pool
from tests.faults.stack import BROKERS, ROOT

ON_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
PLANS = [
    # broker, points, seconds at random
    *(
        [("rabbitmq", "1/2", 20), ("rabbitmq", "2/2", 20), ("redis", "1/5", 20), ("embedded", "2/5", 0)]
        if ON_POSTGRES
        else []
    ),
    *([] if ON_POSTGRES else [("embedded", "3/5", 30), ("redis", "4/5", 0), ("rabbitmq", "5/5", 30)]),
]
BROKER_IN_THE_POOL, POINTS_IN_THE_POOL, AROUND_WORKFLOWS = (
    ("rabbitmq", "1/2", "1/4") if ON_POSTGRES else ("embedded", "2/2", "2/4")
)
PORTS = {"redis": 6379, "rabbitmq": 5672}


def _need(broker: str) -> None:
    if broker in PORTS:
        try:
            socket.create_connection(("127.0.0.1", PORTS[broker]), timeout=2).close()
        except OSError:
            pytest.skip(f"no {broker} at 127.0.0.1:{PORTS[broker]}; 'make services' brings it")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("broker", "points", "seconds"), PLANS)
def test_nothing_is_lost_or_doubled_whatever_is_killed(broker, points, seconds, record_property):
    _need(broker)
    _kill_at_points(
        broker, record_property, f"--points={points}", f"--random={seconds}", f"--seed={sum(points.encode())}"
    )


@pytest.mark.timeout(900)
def test_no_task_of_a_farm_run_is_lost_or_had_by_two_whatever_is_killed(record_property):
    # All of it where rows are locked; where writers take turns, half.
    points = "all" if ON_POSTGRES else "1/2"
    _kill_at_points("embedded", record_property, "--points=none", f"--farm={points}")


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_in_a_pool_whatever_is_killed(record_property):
    pool = find_pool()
    if isinstance(pool, str):
        pytest.skip(pool)
    if not pool.folder:
        pytest.skip("the pool at JOBDECK_POOL_ADDRESS is not ours to run commands in")
    _need(BROKER_IN_THE_POOL)
    _kill_at_points(
        BROKER_IN_THE_POOL,
        record_property,
        "--points=none",
        f"--pool={POINTS_IN_THE_POOL}",
        f"--workflows={AROUND_WORKFLOWS}",
    )


def _kill_at_points(broker: str, record_property, *options: str) -> None:
    assert broker in BROKERS
    database = "postgres" if ON_POSTGRES else "sqlite"
    argv = [sys.executable, "-m", "tests.faults", f"--database={database}", f"--broker={broker}"]
    kept = "JOBDECK_POOL_"
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept) or "JOBDECK_" not in name}
    began = time.monotonic()
    ended = subprocess.run(
        [*argv, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in ended.stdout.splitlines()[:-1]:
        record_property("figures", f"{line} ({time.monotonic() - began:.0f} s in all)")
    assert ended.returncode == 0, ended.stdout + ended.stderr
