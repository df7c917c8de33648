"""The way to a pool by SSH: each question is one command on the machine of the schedd, over one connection."""

import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.condor.bindings.failures import Refused, Unavailable
from jobs.condor.bindings.transport import HISTORY, QUERY, RETRIEVE, SUBMIT, TEST
from jobs.condor.ssh import commands
from jobs.condor.ssh.connection import CONNECT, Connection, HostKeyRefused, Login
from jobs.condor.ssh.files import Stopped, pack, unpack
from jobs.engine import Check, EngineRefused, EngineUnavailable

CHECKS = ("Reach", "Host key", "Login", "May submit", "Version", "Free slots")
"""What a test looks at."""


@dataclass(frozen=True)
class SshPool:
    """A pool that is reached by SSH.

    Attributes:
        login: the machine of the schedd.
        schedd_name: which schedd takes the jobs; empty for the machine's own.
        folder: for the files of attempts, from the account's home or absolute.
    """

    login: Login
    schedd_name: str = ""
    folder: str = ".jobdeck"


class SshTransport:
    """Does what `jobs.condor.reach.Reach` promises.

    Args:
        pool: where it goes.
    """

    spools = False

    def __init__(self, pool: SshPool):
        self.pool = pool
        self.connection = Connection(pool.login)
        self._root = ""

    def query(self, constraint: str, projection: Sequence[str], *, deadline: float = QUERY) -> list[dict[str, Any]]:
        out = self._command(commands.query_words(constraint, projection), deadline, refusing=False)
        return self._understood(lambda: commands.read_ads(out))

    def history(
        self, constraint: str, projection: Sequence[str], match: int, *, since: str = "", deadline: float = HISTORY
    ) -> list[dict[str, Any]]:
        words = commands.history_words(constraint, projection, match, since)
        out = self._command(words, deadline, refusing=False)
        return self._understood(lambda: commands.read_ads(out))

    def submit(self, text: str, count: int, sandbox, *, deadline: float = SUBMIT) -> dict[str, int]:
        until = time.monotonic() + deadline
        if sandbox is not None:
            folder = self._folder(sandbox.tag)
            self._send(sandbox.path, folder, deadline)
            text = text.replace(str(sandbox.path), folder)
        given = f"{text}\nqueue {count}\n".encode()
        try:
            out = self._command(commands.submit_words(), max(1.0, until - time.monotonic()), given)
        except EngineRefused:
            if sandbox is not None:
                self.forget([sandbox.tag])
            raise
        return self._understood(lambda: commands.read_submitted(out))

    def retrieve(self, constraint: str, sandbox, *, deadline: float = RETRIEVE) -> None:
        command = commands.in_shell(commands.bringing(f"{self._folder(sandbox.tag)}/out"))

        def bring() -> None:
            said, code = self.connection.receive(command, deadline, lambda read: unpack(read, sandbox.out))
            if code:
                raise commands.why_not("tar", code, said)

        try:
            self._understood(bring)
        except Stopped as error:
            raise EngineUnavailable(f"{self.pool.login}: the outputs were cut off: {error}") from error

    def act(
        self, action: str, constraint: str, reason: str = "by Jobdeck", *, deadline: float = QUERY
    ) -> dict[str, int]:
        """HTCondor's commands do not say to how many it was done."""
        self._command(commands.action_words(action, constraint, reason), deadline)
        return {}

    def forget(self, tags: Sequence[str], *, deadline: float = QUERY) -> set[str]:
        folders = {self._folder(tag): tag for tag in tags}
        if not folders:
            return set()

        def remove() -> set[str]:
            out, err, _ = self.connection.run(commands.in_shell(commands.forgetting(list(folders))), deadline)
            named, code = commands.finished(out)
            if code:
                raise commands.why_not("rm", code, err)
            return {folders[line] for line in named.splitlines() if line in folders}

        return self._understood(remove)

    def test(self, *, deadline: float = TEST) -> list[Check]:
        checks: list[Check] = []
        # Another connection: this one may be resting after a login that failed.
        other = SshTransport(self.pool)
        try:
            for name, look in (
                ("Reach", None),
                ("Host key", other._greet),
                ("Login", other._log_in),
                ("May submit", other._may_submit),
                ("Version", other._version),
                ("Free slots", other._free_slots),
            ):
                if any(check.ok is False for check in checks):
                    checks.append(Check(name, None))
                elif look is not None:
                    checks += _looked(name, look)
        finally:
            other.close()
        return checks

    def close(self) -> None:
        self.connection.close()

    # --- looks

    def _greet(self) -> str:
        began = time.monotonic()
        self.connection.greet().close()
        return f"{self.pool.login.host}:{self.pool.login.port} ({(time.monotonic() - began) * 1000:.0f} ms)"

    def _log_in(self) -> str:
        self.connection.run("exec true", CONNECT)
        return f"as {self.pool.login}"

    def _may_submit(self) -> str:
        return _one_line(self._command(["condor_ping", "WRITE"], CONNECT, named=False))

    def _version(self) -> str:
        text = self._command(["condor_version"], CONNECT, named=False)
        return " ".join(text.split()[1:3])

    def _free_slots(self) -> str:
        words = ["condor_status", "-json", "-attributes", "State,Cpus,TotalSlotCpus,DynamicSlot"]
        slots = self._understood(lambda: commands.read_ads(self._command(words, CONNECT, named=False)))
        if not slots:
            return "there are no slots at the moment; jobs wait until there are"
        cores = sum(one.get("TotalSlotCpus", one["Cpus"]) for one in slots if one.get("DynamicSlot") is not True)
        free = sum(one["Cpus"] for one in slots if one["State"] == "Unclaimed")
        return f"{free} of {cores} cores"

    # --- talking

    def _command(
        self, words: list[str], deadline: float, given: bytes = b"", *, refusing: bool = True, named: bool = True
    ) -> str:
        """What one of HTCondor's commands prints."""
        script = commands.script(words, schedd=self.pool.schedd_name if named else "")

        def ask() -> str:
            out, err, _ = self.connection.run(commands.in_shell(script), deadline, given)
            text, code = commands.finished(out)
            if code and not commands.is_nothing_to_do(f"{text}\n{err}"):
                why = commands.why_not(words[0], code, f"{text}\n{err}")
                # Who may not look knows nothing about any job.
                raise why if refusing else Unavailable(str(why))
            return text

        return self._understood(ask)

    def _understood(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Refused as error:
            raise EngineRefused(str(error)) from error
        except Unavailable as error:
            raise EngineUnavailable(f"{error}") from error

    def _send(self, path, folder: str, deadline: float) -> None:
        command = commands.in_shell(commands.begin_folder(folder))

        def send() -> None:
            said, code = self.connection.send(command, deadline, lambda put: pack(path, put))
            if code and commands.is_full(said):
                raise Unavailable(f"there is no room in {folder} for the input files: {said.strip()[:300]}")
            if code:
                why = commands.why_not("tar", code, said)
                raise Unavailable(f"the input files could not be put into {folder}: {why}")

        self._understood(send)

    def _folder(self, tag: str) -> str:
        if not self._root:
            root = self.pool.folder
            if not root.startswith("/"):
                out, _, _ = self._understood(
                    lambda: self.connection.run(commands.in_shell('printf "%s" "$HOME"'), CONNECT)
                )
                if not out.startswith("/"):
                    raise EngineUnavailable(f"{self.pool.login}: the account has no home folder")
                root = f"{out.rstrip('/')}/{root}"
            self._root = root.rstrip("/")
        return commands.folder_of(self._root, tag)


def _looked(name: str, look: Callable[[], str]) -> list[Check]:
    try:
        found = look()
    except HostKeyRefused as error:
        return [Check("Reach", True, "it answers"), Check("Host key", False, str(error), error.offered)]
    except (Refused, Unavailable, EngineRefused, EngineUnavailable) as error:
        return [Check("Reach" if name == "Host key" else name, False, f"{error} · {_ADVICE[name]}")]
    if name == "Host key":
        return [Check("Reach", True, found), Check("Host key", True, "it is the one that was accepted")]
    return [Check(name, True, found)]


_ADVICE = {
    "Host key": "Are host and port right, does sshd run there, do firewalls let this host through?",
    "Login": "Is the account right, and its public key in authorized_keys there?",
    "May submit": "Is HTCondor in the account's PATH, and may it submit there?",
    "Version": "The machine did not say it.",
    "Free slots": "The collector did not say it.",
}


def _one_line(text: str) -> str:
    return " ".join(text.split())


_transports: dict[tuple[int, Hashable], SshTransport] = {}
_lock = threading.Lock()


def ssh_transport_for(key: Hashable, pool: SshPool) -> SshTransport:
    """The connection of this process for a scheduler; a new one when its facts were changed.

    Args:
        key: the scheduler's primary key.
    """
    # A forked process must not speak over its parent's connection.
    place = (os.getpid(), key)
    with _lock:
        found = _transports.get(place)
        if found is None or found.pool != pool:
            if found is not None:
                found.close()
            found = _transports[place] = SshTransport(pool)
    return found
