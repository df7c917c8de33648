"""The real pool, for the tests that need one; transports to it, and a proxy in between that can fail."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.condor.bindings.transport import Connection, Transport
from tests.condor.pool import TestPool, find_pool
from tests.condor.proxy import Proxy

# In a process of its own, as the bindings always are.
LOCATE = """
import sys, htcondor2
for ad in htcondor2.Collector(sys.argv[1]).locateAll(htcondor2.DaemonType.Schedd):
    print(ad["Name"], ad["MyAddress"])
"""


@pytest.fixture
def root():
    """The browser of somebody who may do everything that Django lets anybody do."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root"))
    return client


@pytest.fixture(scope="session")
def pool() -> TestPool:
    """A real HTCondor pool."""
    found = find_pool()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
def our_pool(pool) -> TestPool:
    """A pool in which we may run commands as its administrator."""
    if not pool.folder:
        pytest.skip("the pool at JOBDECK_POOL_ADDRESS is not ours to run commands in")
    return pool


@pytest.fixture
def connection(pool) -> Connection:
    """How Jobdeck reaches the pool."""
    return Connection(pool.address, pool.schedd, pool.token, pool.trust_domain)


@pytest.fixture
def connected(tmp_path) -> Callable[[Connection], Transport]:
    """A function that makes a transport for a connection; its children end with the test."""
    made = []

    def connect(connection: Connection) -> Transport:
        made.append(Transport(connection, tmp_path / f"token-{len(made)}"))
        return made[-1]

    yield connect
    for transport in made:
        transport.close()


@pytest.fixture
def transport(connection, connected) -> Transport:
    """A transport to the pool."""
    return connected(connection)


@pytest.fixture
def tag(transport) -> str:
    """A `JobdeckTag` for a test's jobs; those that have it are gone when the test is over."""
    tag = f"tests.{uuid4().hex}.1"
    yield tag
    for action in ("remove", "remove_x"):
        transport.act(action, f'JobdeckTag == "{tag}"', "the test is over")


@pytest.fixture
def proxy(pool) -> Proxy:
    """A proxy between the test and the pool."""
    host, _, port = pool.address.partition(":")
    with Proxy(host, int(port or 9618)) as proxy:
        yield proxy


@pytest.fixture
def through_proxy(connection, proxy) -> Connection:
    """A connection to the schedd that goes through the proxy.

    A collector would hand out the schedd's own address. So this names the schedd: by its own address, with another host
    and port, and without the other ways to it that it names.
    """
    command = [sys.executable, "-c", LOCATE, connection.address]
    known = subprocess.run(command, env={"CONDOR_CONFIG": "/dev/null"}, capture_output=True, text=True, check=True)
    addresses = dict(line.split(" ", 1) for line in known.stdout.splitlines())
    behind_port = re.search(r"[?&](sock=[^&>]+)", addresses[connection.schedd_name])
    address = f"<127.0.0.1:{proxy.port}?{behind_port[1] if behind_port else ''}>"
    return replace(connection, address=address, schedd_name="")
