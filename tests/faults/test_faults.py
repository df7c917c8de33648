"""Whatever process dies at whatever moment, no job is lost, run twice, stuck, or wrongly processed.

Each test runs `python -m tests.faults` for one database and broker. PostgreSQL with RabbitMQ gets every point, the other
combinations share them out; the two minutes at random are shared out too. `make faults` runs it long.
"""

import os
import socket
import subprocess
import sys

import pytest
from django.conf import settings

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
    assert broker in BROKERS
    _need(broker)
    database = "postgres" if ON_POSTGRES else "sqlite"
    argv = [sys.executable, "-m", "tests.faults", f"--database={database}", f"--broker={broker}", f"--points={points}"]
    ended = subprocess.run(
        [*argv, f"--random={seconds}", f"--seed={sum(points.encode())}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("JOBDECK_")},
        capture_output=True,
        text=True,
        check=False,
    )
    for line in ended.stdout.splitlines()[:-1]:
        record_property("figures", line)
    assert ended.returncode == 0, ended.stdout + ended.stderr
