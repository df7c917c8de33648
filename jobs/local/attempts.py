"""The attempt folder: all that the engine and the runner of one attempt tell each other, as small files.

    spec.json      engine → runner   what to run
    claim.json     runner            who owns the attempt; exactly one process ever gets it, or the engine cancels it
    control.json   engine → runner   what is wanted: run, pause, stop
    state.json     runner → engine   what the command is doing now
    outcome.json   runner → engine   how it ended, written once
    runner.log     runner            empty, but for what the runner says when it fails itself

Every file is written under another name and then put in place whole, so a reader sees the old one or the new one. How
far an attempt got can be told at any moment, whoever was killed:

    no claim                     nothing ran and nothing will, unless a runner is started
    claim, cancelled             nothing ran and nothing will
    claim, owner alive           the runner is at work
    claim, owner dead, no state  the command was never started
    claim, owner dead, state     the command was started or about to be; what it came to, nobody knows
    outcome                      this is how it ended, and nothing of it is left
"""

# The runner starts with every job, and pathlib would take a fifth of its start.
# ruff: noqa: PTH100, PTH101, PTH103, PTH105, PTH108, PTH110, PTH118, PTH120, PTH123

import json
import os
import signal
import sys
import time

from jobs.processes.identity import ForeignProcessError, ProcessId

WANTED = ("run", "pause", "stop")

# What a runner needs of the environment it is started in. The command's own environment stands in the spec.
_RUNNER_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "JOBDECK_FAULTS")

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class AttemptFolder:
    """One attempt's folder. Building it touches nothing; the engine makes the folder with `prepare`.

    Args:
        path: the folder, absolute.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)

    def file(self, name: str) -> str:
        """The path of one of the folder's files."""
        return os.path.join(self.path, name)

    # What the engine writes

    def prepare(self, spec: dict) -> None:
        """Make the folder, for this user only, and write what is to run. Harmless when repeated.

        Once a runner has the attempt, the spec stays as it is.

        Args:
            spec: `tag`; `argv` (list of str) or `shell` (one command line for /bin/sh); `cwd`; `environment` (dict,
                complete); `stdout` and `stderr` (paths, appended to); `timeout` (seconds or None); `grace` (seconds
                from SIGTERM to SIGKILL); `doorbell` (path of a unix datagram socket, or None).
        """
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        os.chmod(self.path, 0o700)
        if not self.claimed:
            self._write("spec.json", spec)

    def cancel(self) -> bool:
        """Take the attempt so that no runner ever can.

        Returns: True when it is cancelled, now or since before; False when a runner has it (then it is to be stopped).
        """
        return self._link_claim({"cancelled": True}) or self.cancelled

    def want(self, what: str) -> bool:
        """Write what the runner is to do, and wake it.

        Args:
            what: `run`, `pause` or `stop`.

        Returns: whether a living runner was woken. If not, one that is starting, or runs on another host, still sees
            what is wanted by itself within half a second.

        Raises:
            ValueError: nobody can want that.
        """
        if what not in WANTED:
            raise ValueError(f"an attempt can be wanted to {', '.join(WANTED)}; not to {what!r}")
        self._write("control.json", {"want": what})
        owner = self.owner()
        if owner is None:
            return False
        try:
            return owner.signal(signal.SIGUSR1)
        except ForeignProcessError:
            return False

    # What the runner writes

    def claim(self) -> bool:
        """Make this process the attempt's owner, for good.

        Returns: False when another process has it, or it was cancelled.
        """
        owner = ProcessId.of(os.getpid())
        return self._link_claim({**owner._asdict(), "claimed_at": utc_now()})

    def write_state(self, state: dict) -> None:
        """Say what the command is doing now; see `state`."""
        self._write("state.json", state)

    def finish(self, outcome: dict) -> None:
        """Write how the attempt ended so that it survives a power cut; see `outcome`."""
        self._write("outcome.json", outcome, durable=True)

    # What both read

    def spec(self) -> dict | None:
        """What is to run, as it was given to `prepare`; None when it is missing or damaged."""
        return self._read("spec.json")

    @property
    def claimed(self) -> bool:
        """Whether somebody has the attempt: a runner, dead or alive, or the engine by `cancel`."""
        return os.path.exists(self.file("claim.json"))

    @property
    def cancelled(self) -> bool:
        """Whether the engine took the attempt before a runner did."""
        return (self._read("claim.json") or {}).get("cancelled") is True

    def owner(self) -> ProcessId | None:
        """The runner that has the attempt, dead or alive; None when none has."""
        claim = self._read("claim.json") or {}
        try:
            return ProcessId(claim["host"], claim["boot_id"], int(claim["pid"]), int(claim["start_ticks"]))
        except (KeyError, TypeError, ValueError):
            return None

    def wanted(self) -> str:
        """What the engine wants of the runner; `run` unless it said otherwise."""
        want = (self._read("control.json") or {}).get("want")
        return want if want in WANTED else "run"

    def state(self) -> dict | None:
        """What the command is doing: `paused` (bool), `started` (ISO 8601, UTC), `command_pid`, `command_start_ticks`.

        The last three are None just before the start, and while a pause that came before it holds it back. None before
        all that: the command has certainly not been started.
        """
        return self._read("state.json")

    def outcome(self) -> dict | None:
        """How the attempt ended, or None while it has not.

        Keys: `reason` (`exited`, `stopped`, `timed out`, `could not start` or `runner terminated`), `exit_code` and
        `signal` (int or None, of the command's main process), `started` (None if it never was) and `finished` (ISO
        8601, UTC), `cpu_seconds` (user and system, everything it started), `max_rss_bytes` (of its largest process;
        never below what the runner took when it started it, about 10 MB), `message` (one or more sentences for people).
        """
        return self._read("outcome.json")

    # How

    def _read(self, name: str) -> dict | None:
        try:
            with open(self.file(name), "rb") as file:
                content = json.loads(file.read())
        except (OSError, ValueError):  # missing, unreadable or damaged: as if it were not there
            return None
        return content if isinstance(content, dict) else None

    def _write_aside(self, name: str, content: dict, durable: bool) -> str:
        aside = self.file(f".{name}.{os.getpid()}.{os.urandom(6).hex()}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(json.dumps(content).encode("ascii"))
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
        except BaseException:
            os.unlink(aside)
            raise
        return aside

    def _write(self, name: str, content: dict, durable: bool = False) -> None:
        aside = self._write_aside(name, content, durable)
        try:
            os.replace(aside, self.file(name))
        except OSError:
            os.unlink(aside)
            raise
        if durable:
            self._sync_folder()

    def _link_claim(self, claim: dict) -> bool:
        """Put the claim in place unless there is one; a link, unlike a rename, never replaces what is there."""
        aside = self._write_aside("claim.json", claim, durable=True)
        try:
            os.link(aside, self.file("claim.json"))
        except FileExistsError:
            return False
        finally:
            os.unlink(aside)
        # Were the claim forgotten in a power cut, a second runner would start the command once more.
        self._sync_folder()
        return True

    def _sync_folder(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def utc_now() -> str:
    """The time as ISO 8601 in UTC, to the microsecond."""
    seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{microseconds:06d}+00:00"


def runner_argv(folder: str | os.PathLike) -> list[str]:
    """The command line of an attempt's runner.

    The interpreter starts without site-packages and without looking at its environment: quick, and the same everywhere.
    """
    # The root comes last on the path: it may be site-packages, where nothing shall hide a standard module.
    program = f"import sys; sys.path.append({_ROOT!r}); from jobs.local.runner import main; main()"
    return [sys.executable, "-I", "-S", "-c", program, os.path.abspath(folder)]


def start_runner(folder: str | os.PathLike):
    """Start the runner of a prepared attempt, detached: it lives on when this process ends.

    Starting a second one for an attempt is harmless. The caller keeps the answer and polls it now and then, so that no
    zombie stays.

    Returns: the `subprocess.Popen` of the runner.

    Raises:
        OSError: the folder is not there, or the machine can start no process.
    """
    import subprocess  # not in the runner itself, which reads this module too

    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    log = os.open(os.path.join(folder, "runner.log"), flags, 0o600)
    try:
        return subprocess.Popen(
            runner_argv(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={name: os.environ[name] for name in _RUNNER_ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )
    finally:
        os.close(log)
