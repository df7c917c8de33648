"""The pool that the tests use: `scripts/pool` makes it, or `JOBDECK_POOL_ADDRESS` names one."""

import json
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings

from jobs.condor.ssh.connection import Connection, HostKeyRefused, Login

SCRIPT = settings.BASE_DIR / "scripts" / "pool"


@dataclass(frozen=True)
class TestPool:
    """How to reach it, as `scripts/pool describe` says.

    Attributes:
        breakable_schedd: another schedd, which tests may kill.
        shared_folder: a folder that this machine and the pool both mount; empty where there is none.
        ssh_host, ssh_port, ssh_username, ssh_key: how to log in by SSH; `ssh_key` is a file.
        folder: of the chroot; empty where the pool is not of the script's making.
    """

    __test__ = False

    address: str
    schedd: str
    trust_domain: str
    token: str = field(repr=False)
    shared_folder: str = ""
    folder: str = ""
    account: str = ""
    breakable_schedd: str = ""
    ssh_host: str = ""
    ssh_port: str = ""
    ssh_username: str = ""
    ssh_key: str = ""

    @property
    def ssh(self) -> dict:
        """The fields of a scheduler row that is reached by SSH, its host's key accepted.

        Raises:
            LookupError: nobody can log in there.
        """
        if not self.ssh_host:
            raise LookupError("the pool at JOBDECK_POOL_ADDRESS has no login (JOBDECK_POOL_SSH_HOST)")
        return {
            "address": "",
            "ssh_host": self.ssh_host,
            "ssh_port": int(self.ssh_port),
            "ssh_username": self.ssh_username,
            "ssh_key": Path(self.ssh_key).read_text(),
            "ssh_host_key": host_key(self.ssh_host, int(self.ssh_port)),
        }


@cache
def host_key(host: str, port: int) -> str:
    """The key that a host has now."""
    try:
        Connection(Login(host, port)).greet()
    except HostKeyRefused as error:
        return error.offered
    raise AssertionError("a key that nobody has accepted was taken")


@cache
def find_pool() -> TestPool | str:
    """The pool, or why there is none."""
    answer = subprocess.run([str(SCRIPT), "describe"], capture_output=True, text=True, check=False)
    if answer.returncode:
        return answer.stderr.strip() or "no HTCondor pool runs here · 'make services' brings one"
    return TestPool(**json.loads(answer.stdout))


def in_pool(*argv: object, check: bool = True) -> str:
    """What a command says that is given on the schedd's machine, as its administrator."""
    done = subprocess.run([str(SCRIPT), "exec", *map(str, argv)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout
