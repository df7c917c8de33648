"""How to connect a pool: the operator's commands are given in the real pool, and what they print is used."""

import shlex
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.bindings.transport import CHECKS, Connection, Transport
from jobs.condor.ssh.connection import Login
from jobs.condor.ssh.keys import fingerprint
from jobs.condor.ssh.transport import CHECKS as SSH_CHECKS
from jobs.condor.ssh.transport import SshPool, SshTransport
from jobs.condor.submission.folders import open_to_pool
from tests.condor.pool import in_pool
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.test_docs import rows_of

PAGE = "how-to/connect-an-htcondor-pool.md"


@pytest.fixture
def our_pool(pool):
    """A pool in which we may run commands as its administrator."""
    if not pool.folder:
        pytest.skip("the pool at JOBDECK_POOL_ADDRESS is not ours to run commands in")
    return pool


def commands(beginning: str) -> list[str]:
    """The lines of the page that begin so."""
    lines = [line for block in blocks_of(PAGE) if block.language == "sh" for line in block.text.splitlines()]
    return [line for line in lines if line.startswith(beginning)]


def checks(connection: Connection, folder: Path) -> dict[str, bool | None]:
    """What a test of the connection finds."""
    reach = Transport(connection, folder)
    try:
        return {check.name: check.ok for check in reach.test()}
    finally:
        reach.close()


def test_a_token_made_as_the_page_says_is_all_that_jobdeck_needs(our_pool, tmp_path):
    [line] = commands("condor_token_create")
    domain = in_pool("condor_config_val", "UID_DOMAIN").strip()
    token = in_pool(*shlex.split(line.replace("jobs@example.org", f"{our_pool.account}@{domain}"))).strip()
    connection = Connection(our_pool.address, our_pool.schedd, token, our_pool.trust_domain)
    assert checks(connection, tmp_path) == dict.fromkeys(CHECKS, True)


def test_what_the_page_asks_the_pool_for_are_the_fields_of_a_scheduler(our_pool, tmp_path):
    [asked] = commands("condor_config_val")
    collector, trust_domain, *_ = in_pool(*shlex.split(asked)).split()
    [asked] = commands("condor_status")
    addresses = dict(line.split() for line in in_pool(*shlex.split(asked)).splitlines())
    by_collector = Connection(collector, our_pool.schedd, our_pool.token, trust_domain)
    assert checks(by_collector, tmp_path / "1") == dict.fromkeys(CHECKS, True)
    by_schedd = Connection(addresses[our_pool.schedd], token=our_pool.token)
    assert checks(by_schedd, tmp_path / "2") == dict.fromkeys(CHECKS, True) | {"Free slots": None}


def test_a_shared_folder_made_as_the_page_says_lets_both_accounts_in(our_pool):
    [line] = commands("install")
    shared = f"{our_pool.shared_folder}/docs-{uuid4().hex}"
    made = line.replace("/srv/pool", shared)
    in_pool(*shlex.split(made))
    folder = Path(shared)
    try:
        work = folder / "job"
        work.mkdir(mode=0o700)
        open_to_pool(work, folder)
        assert stat.filemode(work.stat().st_mode) == "drwxrws---"
        write = f"touch {shlex.quote(f'{work}/from the pool')}"
        in_pool("runuser", "-u", our_pool.account, "--", "sh", "-c", write)
        assert (work / "from the pool").exists()
    finally:
        in_pool("rm", "-r", shared)


@pytest.fixture
def authorized(our_pool):
    """A function that lets a key log in at the pool's account, until the test is over."""
    file = f"/home/{our_pool.account}/.ssh/authorized_keys"
    comments = []

    def authorize(line: str) -> None:
        comments.append(uuid4().hex)
        written = " ".join([*line.split()[:2], comments[-1]])
        in_pool("sh", "-c", f"flock {file}.lock sh -c 'echo {written} >> {file}'")

    yield authorize
    for comment in comments:
        in_pool("sh", "-c", f"flock {file}.lock sed -i /{comment}/d {file}")


def test_a_pool_is_reached_by_ssh_with_a_key_and_a_host_key_as_the_page_says(our_pool, authorized, tmp_path):
    [make, look] = commands("ssh-keygen")
    subprocess.run(shlex.split(make), cwd=tmp_path, check=True)
    authorized((tmp_path / "pool-key.pub").read_text())
    login = Login(
        our_pool.ssh_host, int(our_pool.ssh_port), our_pool.ssh_username, key=(tmp_path / "pool-key").read_text()
    )
    unknown = {check.name: check for check in SshTransport(SshPool(login)).test()}
    assert unknown["Host key"].ok is False
    assert [check.name for check in unknown.values() if check.ok] == ["Reach"]
    printed = in_pool(*shlex.split(look)).split()[1]
    assert printed == fingerprint(unknown["Host key"].offer)
    assert printed in unknown["Host key"].detail
    accepted = SshTransport(SshPool(replace(login, host_key=unknown["Host key"].offer)))
    assert {check.name: check.ok for check in accepted.test()} == dict.fromkeys(SSH_CHECKS, True)


def test_each_look_by_ssh_is_explained():
    explained = [name.strip() for row in rows_of(DOCS / PAGE, "check by SSH") for name in row[0].split(",")]
    assert tuple(explained) == SSH_CHECKS


def test_each_look_of_the_test_is_explained():
    explained = [name.strip() for row in rows_of(DOCS / PAGE, "check") for name in row[0].split(",")]
    assert tuple(explained) == CHECKS
