"""The way to a pool: requests go to children (`child`) that speak with it, each call with a deadline.

Whatever a pool, a network or the bindings do, a call is over at its deadline, other threads go on meanwhile, and no child
outlives this process.
"""

import os
import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jobs.condor.bindings.child_process import Broken, ChildProcess
from jobs.engine import Check, EngineError, EngineRefused, EngineUnavailable

QUERY = 30.0
"""Seconds that a query, or an action on jobs, may take."""
HISTORY = 60.0
"""Seconds that a look into the history may take: the schedd reads it from a file, backwards."""
SUBMIT = 600.0
RETRIEVE = 600.0
"""Seconds that a submission may take, and bringing its output in: files travel, 200 MB in two minutes at 15 Mbit/s."""
TEST = 30.0
"""Seconds that a test of the connection may take."""

CHECKS = ("Reach", "Login", "May submit", "Version", "Free slots")
"""What a test looks at; see `pool.LOOKS`."""

CHILDREN = 5
"""Most children of one connection at once; a sixth call waits until one of them is free."""
TRANSFERS = 3
"""Most of them that files travel through, so that questions do not wait for files."""


@dataclass(frozen=True)
class Connection:
    """Where a pool is, and how to log in.

    Attributes:
        address: `host[:port]` of the collector, or a schedd's own address, in angle brackets; then no collector is asked.
        schedd_name: which of the schedds that the collector knows; empty where it knows only one.
        token: an IDTOKEN.
        trust_domain: of the pool; empty for the one that the token names.
        filesystem_domain: what jobs say of the file system they were submitted from; empty for this host's name.
    """

    address: str
    schedd_name: str = ""
    token: str = field(default="", repr=False)
    trust_domain: str = ""
    filesystem_domain: str = ""


class Transport:
    """A connection, with the children that speak for it; for any number of threads.

    Every call has a `deadline`, in seconds from now, and raises:
        EngineRefused: the pool said no for good, in HTCondor's words.
        EngineUnavailable: it could not be reached, did not know the login, was busy, or did not answer before the
            deadline. Whether what was asked has happened is not known.

    Args:
        connection: where it goes.
        folder: where the token is kept, for HTCondor to read; a folder with nothing else in it.
    """

    spools = True

    def __init__(self, connection: Connection, folder: Path):
        self.connection = connection
        self.folder = folder
        self._free = threading.BoundedSemaphore(CHILDREN)
        self._for_files = threading.BoundedSemaphore(TRANSFERS)
        self._idle: list[ChildProcess] = []
        self._closed = False

    def query(self, constraint: str, projection: Sequence[str], *, deadline: float = QUERY) -> list[dict]:
        """Ads of the jobs in the queue for which a ClassAd expression is true.

        Args:
            projection: attributes; an ad lacks those that are undefined and may have others.
        """
        return self._ask("query", deadline, constraint=constraint, projection=list(projection))

    def history(
        self, constraint: str, projection: Sequence[str], match: int, *, since: str = "", deadline: float = HISTORY
    ) -> list[dict]:
        """Ads of at most `match` jobs that left the queue, the latest first; see `query`.

        Args:
            since: a ClassAd expression; the schedd reads no further back than to the first job for which it is true. Where
                fewer than `match` are found it reads the whole history otherwise, which may be long.
        """
        return self._ask(
            "history", deadline, constraint=constraint, projection=list(projection), match=match, since=since
        )

    def submit(self, text: str, count: int, sandbox, *, deadline: float = SUBMIT) -> dict[str, int]:
        """Submit `count` processes and return `{"cluster": number, "procs": count}`.

        After EngineRefused nothing is left in the queue.

        Args:
            text: a submit description without `queue`.
            sandbox: a `jobs.condor.reach.Sandbox`: its files are sent to the schedd (spooled); None where the pool mounts
                their folder.
        """
        return self._carry("submit", deadline, text=text, count=count, spool=sandbox is not None)

    def retrieve(self, constraint: str, sandbox, *, deadline: float = RETRIEVE) -> None:
        """Bring the output of spooled jobs into the folder that they were submitted from, `sandbox.out`.

        HTCondor's client goes by what the job's ad says that it is; of jobs that are not over, nothing comes.
        """
        self._carry("retrieve", deadline, constraint=constraint)

    def act(
        self, action: str, constraint: str, reason: str = "by Jobdeck", *, deadline: float = QUERY
    ) -> dict[str, int]:
        """Do something to the jobs for which a ClassAd expression is true; see `pool.COUNTS` for what it returns.

        Args:
            action: 'hold', 'release', 'remove', or 'remove_x' for what a removal has left behind.
            reason: what the job's ad and log will say.
        """
        return self._ask("act", deadline, action=action, constraint=constraint, reason=reason)

    def forget(self, tags: Sequence[str], *, deadline: float = QUERY) -> set[str]:
        """The schedd removes what was spooled with the job; there is nothing to do."""
        return set()

    def test(self, *, deadline: float = TEST) -> list[Check]:
        """What works at the pool, step by step; raises nothing. After a step that failed, none is looked at."""
        until = time.monotonic() + deadline
        checks = []
        for name in CHECKS:
            if any(check.ok is False for check in checks):
                checks.append(Check(name, None))
                continue
            try:
                found = self._ask("look", max(0.0, until - time.monotonic()), what=name)
            except EngineError as error:
                checks.append(Check(name, False, str(error)))
            else:
                checks.append(
                    Check(name, None, "only the pool's collector knows") if found is None else Check(name, True, found)
                )
        return checks

    def close(self) -> None:
        """End the children: those without work now, the others when their call is over. Later calls are refused."""
        self._closed = True
        while child := self._take_idle():
            child.end()

    def _carry(self, op: str, deadline: float, **arguments) -> Any:
        until = time.monotonic() + deadline
        if not self._for_files.acquire(timeout=deadline):
            raise EngineUnavailable(f"{TRANSFERS} other transfers of files were not over within {deadline:g} s")
        try:
            return self._ask(op, max(0.0, until - time.monotonic()), **arguments)
        finally:
            self._for_files.release()

    def _ask(self, op: str, deadline: float, **arguments) -> Any:
        until = time.monotonic() + deadline
        where = f"HTCondor at {self.connection.address}"
        if not self._free.acquire(timeout=deadline):
            raise EngineUnavailable(f"{where}: {CHILDREN} other calls were not over within {deadline:g} s")
        try:
            child, answer = self._child(), None
            try:
                answer = child.ask({"op": op, **arguments}, until)
            except TimeoutError:
                raise EngineUnavailable(f"{where} did not answer within {deadline:g} s") from None
            except Broken as error:
                raise EngineUnavailable(f"{where}: the connection broke: {error}") from None
            finally:
                if answer is None:
                    child.end()
            self._idle.append(child)
            if self._closed:
                self.close()
        finally:
            self._free.release()
        if "ok" in answer:
            return answer["ok"]
        text = answer["error"]
        if self.connection.token:
            text = text.replace(self.connection.token, "••••")
        raise (EngineRefused if answer["kind"] == "refused" else EngineUnavailable)(text)

    def _child(self) -> ChildProcess:
        if self._closed:
            raise EngineUnavailable(f"the connection to {self.connection.address} was changed meanwhile; ask again")
        while child := self._take_idle():
            if child.is_usable:
                return child
            child.end()
        if find_spec("htcondor2") is None:
            raise EngineUnavailable("HTCondor's bindings are not installed on this host: pip install 'jobdeck[condor]'")
        connection = asdict(self.connection)
        del connection["token"]
        try:
            self._keep_token()
            return ChildProcess({**connection, "token_folder": str(self.folder)})
        except OSError as error:
            raise EngineUnavailable(f"cannot speak with HTCondor from this host: {error}") from error

    def _take_idle(self) -> ChildProcess | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _keep_token(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        path = self.folder / "token"
        token = self.connection.token.strip()
        if path.exists() and path.read_text() == token:
            return
        # HTCondor reads every file of the folder but those that begin with a dot.
        new = self.folder / f".token.{os.getpid()}.{threading.get_ident()}"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(token)
        new.replace(path)


_transports: dict[tuple[int, Hashable], Transport] = {}
_transports_lock = threading.Lock()


def transport_for(key: Hashable, connection: Connection, folder: Path) -> Transport:
    """The transport of this process for a scheduler; a new one when its connection was changed.

    Args:
        key: the scheduler's primary key.
    """
    # A forked process must not read its parent's answers.
    key = (os.getpid(), key)
    with _transports_lock:
        transport = _transports.get(key)
        if transport is None or (transport.connection, transport.folder) != (connection, folder):
            if transport is not None:
                transport.close()
            transport = _transports[key] = Transport(connection, folder)
    return transport
