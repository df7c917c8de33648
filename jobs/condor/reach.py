"""The way to a pool, as the engine uses it: HTCondor's bindings with a token (`bindings`), or SSH (`ssh`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.condor.bindings.transport import HISTORY, QUERY, RETRIEVE, SUBMIT, TEST, Connection, transport_for
from jobs.condor.models import CondorScheduler
from jobs.condor.ssh.connection import Login
from jobs.condor.ssh.transport import SshPool, ssh_transport_for
from jobs.engine import Check, EngineRefused, EngineUnavailable
from jobs.secret import SecretUnreadable


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The folder of an attempt whose files travel to the pool and back.

    Attributes:
        path: the attempt's folder on this host. All paths of its submit description lie in it; outputs come into `out`.
        tag: the attempt's tag; where the way keeps a folder on the other side, it has this name.
    """

    path: Path
    tag: str

    @property
    def out(self) -> Path:
        return self.path / "out"


class Reach(Protocol):
    """What every way to a pool does, for any number of threads.

    Every call has a `deadline`, in seconds from now, and raises:
        EngineRefused: the pool said no for good, in HTCondor's words.
        EngineUnavailable: it could not be reached, did not know the login, was busy, or did not answer before the
            deadline. Whether what was asked has happened is not known.

    Attributes:
        spools: the schedd takes the files that travel into a folder of its own, and what works there is another than the
            one that was sent; else they are copied to a folder where the job works as it was described.
    """

    spools: bool

    def query(self, constraint: str, projection: Sequence[str], *, deadline: float = QUERY) -> list[dict[str, Any]]:
        """Ads of the jobs in the queue for which a ClassAd expression is true, with at least these attributes.

        Each has `ServerTime`, the schedd's clock in seconds since 1970.
        """

    def history(
        self, constraint: str, projection: Sequence[str], match: int, *, since: str = "", deadline: float = HISTORY
    ) -> list[dict[str, Any]]:
        """Ads of at most `match` jobs (-1: of all) that left the queue, the latest first.

        Args:
            since: a ClassAd expression; the schedd reads no further back than to the first job for which it is true.
        """

    def submit(self, text: str, count: int, sandbox: Sandbox | None, *, deadline: float = SUBMIT) -> dict[str, int]:
        """Submit `count` processes and return `{"cluster": number, "procs": count}`.

        After EngineRefused nothing is left in the queue.

        Args:
            text: a submit description without `queue`.
            sandbox: whose files travel to the pool first; None where the pool mounts their folder.
        """

    def retrieve(self, constraint: str, sandbox: Sandbox, *, deadline: float = RETRIEVE) -> None:
        """Bring the output of jobs that are over, and whose files travelled, into `sandbox.out`."""

    def act(
        self, action: str, constraint: str, reason: str = "by Jobdeck", *, deadline: float = QUERY
    ) -> dict[str, int]:
        """Hold, release or remove jobs.

        Args:
            action: 'hold', 'release', 'remove', or 'remove_x' for what a removal has left behind.
            reason: what the job's ad and log will say.
        """

    def forget(self, tags: Sequence[str], *, deadline: float = QUERY) -> set[str]:
        """Remove the folders that attempts have on the other side; the tags of those that had one."""

    def test(self, *, deadline: float = TEST) -> list[Check]:
        """What works at the pool, step by step; raises nothing."""

    def close(self) -> None:
        """End the connection; later calls are refused."""


def reach_of(scheduler: CondorScheduler) -> Reach:
    """This process's way to the scheduler.

    Raises:
        EngineUnavailable: its token, key or password cannot be read any more.
    """
    if scheduler.by_ssh:
        return ssh_transport_for(scheduler.pk, _ssh_pool(scheduler))
    connection = Connection(
        address=scheduler.address,
        schedd_name=scheduler.schedd_name,
        token=_revealed(scheduler, "token").strip(),
        trust_domain=scheduler.trust_domain,
        filesystem_domain=scheduler.filesystem_domain,
    )
    return transport_for(scheduler.pk, connection, scheduler.token_folder)


def _ssh_pool(scheduler: CondorScheduler) -> SshPool:
    login = Login(
        host=scheduler.ssh_host,
        port=scheduler.ssh_port,
        username=scheduler.ssh_username,
        password=_revealed(scheduler, "ssh_password"),
        key=_revealed(scheduler, "ssh_key"),
        passphrase=_revealed(scheduler, "ssh_passphrase"),
        host_key=scheduler.ssh_host_key.strip(),
    )
    return SshPool(login, scheduler.schedd_name, scheduler.ssh_folder)


def _revealed(scheduler: CondorScheduler, name: str) -> str:
    try:
        return getattr(scheduler, name).reveal()
    except SecretUnreadable as error:
        what = name.removeprefix("ssh_")
        raise EngineUnavailable(f"the {what} of {scheduler.name} cannot be read: {error}") from error


def condor_scheduler(scheduler) -> CondorScheduler:
    """The row with what HTCondor needs, of a row of the base table.

    Raises:
        EngineRefused: it is none of HTCondor's.
    """
    found = scheduler.specific
    if not isinstance(found, CondorScheduler):
        raise EngineRefused(f"scheduler: {scheduler.name} is no HTCondor pool")
    return found
