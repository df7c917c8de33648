"""Processes named so that neither a recycled pid nor a pid of another host is mistaken for the one that is meant."""

# The runner starts with every job, and pathlib would take a fifth of its start.
# ruff: noqa: PTH110, PTH116, PTH123

import errno
import os
import signal
import time
from collections import namedtuple
from functools import cache

from jobs.processes.table import HAS_PROC, all_rows, read_row, rows_below

TAG_VARIABLE = "JOBDECK_TAG"

# How long a killed process may take to go before `end_tagged` gives up: it hangs in the kernel, or is another user's.
KILL_PATIENCE = 10.0  # seconds

_SCAN_PAUSE = 0.02  # seconds between two looks at the process table


class ForeignProcessError(RuntimeError):
    """The process belongs to another host: nothing can be said of it, and nothing done to it, from here."""


class ProcessesLeftError(RuntimeError):
    """Some processes are still there long after they were killed.

    Attributes:
        pids: the processes that are left.
    """

    def __init__(self, tag: str, pids: list[int]):
        super().__init__(f"processes of attempt {tag} do not end although they were killed: pids {pids}")
        self.pids = pids


def this_host() -> str:
    """The name under which this machine (or container) signs its claims."""
    return os.uname().nodename


@cache
def boot_id() -> str:
    """What names this run of the machine's kernel; another one after every restart."""
    if os.path.exists("/proc/sys/kernel/random/boot_id"):
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    import subprocess  # only where there is no /proc

    answer = subprocess.run(["sysctl", "-n", "kern.bootsessionuuid"], stdout=subprocess.PIPE, text=True, check=True)
    return answer.stdout.strip()


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since the machine started; None when there is no such process."""
    row = read_row(pid)
    return None if row is None else row.start_ticks


class ProcessId(namedtuple("ProcessId", "host boot_id pid start_ticks")):
    """One process and no other, wherever and whenever it runs; immutable, equal by value.

    Fields: host (str), boot_id (str), pid (int), start_ticks (int, clock ticks since the machine started).
    """

    # A named tuple rather than a dataclass: importing `dataclasses` would take a third of the runner's start.
    __slots__ = ()

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Name a process of this machine.

        Raises:
            ProcessLookupError: there is no process with this pid.
        """
        ticks = start_ticks(pid)
        if ticks is None:
            raise ProcessLookupError(errno.ESRCH, f"there is no process {pid} on {this_host()}")
        return cls(this_host(), boot_id(), pid, ticks)

    def is_alive(self) -> bool:
        """Whether it still runs: False when it has ended (a zombie has), or its pid or its machine started anew.

        Raises:
            ForeignProcessError: it belongs to another host; from here nobody can tell.
        """
        if self.host != this_host():
            raise ForeignProcessError(
                f"process {self.pid} runs on host {self.host}; {this_host()} can neither see nor signal it"
            )
        if self.boot_id != boot_id():
            return False
        row = read_row(self.pid)
        return row is not None and row.start_ticks == self.start_ticks and not row.is_over

    def signal(self, signal_number: int) -> bool:
        """Signal this very process, never a later one with its pid.

        Returns: whether it was signalled; False when it has ended or belongs to a user whom this one may not signal.

        Raises:
            ForeignProcessError: it belongs to another host.
        """
        if not self.is_alive():
            return False
        handle = _open_pidfd(self.pid)
        try:
            if handle is None:
                os.kill(self.pid, signal_number)
                return True
            # The handle is of whoever has the pid now: once more, then it cannot change any more.
            if not self.is_alive():
                return False
            signal.pidfd_send_signal(handle, signal_number)
            return True
        except (ProcessLookupError, PermissionError):
            return False
        finally:
            if handle is not None:
                os.close(handle)


def _open_pidfd(pid: int) -> int | None:
    """A handle of the process, or None where there are no such handles or the process has gone."""
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        # Gone meanwhile, a kernel before 5.3, or a sandbox that forbids the call: the plain kill finds out.
        if error.errno in (errno.ESRCH, errno.EINVAL, errno.ENOSYS, errno.EPERM):
            return None
        raise


def descendants(pid: int) -> list[ProcessId]:
    """The living processes below one, parents before their children, at this instant.

    What lost its parent counts as long as the one that adopted it is below `pid`.
    """
    return [_process_id(row) for row in rows_below({pid}, all_rows())]


def tagged_processes(tag: str) -> list[ProcessId]:
    """This user's (root: everybody's) living processes that were started with JOBDECK_TAG=<tag>, at this instant.

    A process that was given another environment, or wiped its own, is not found; nor is any where there is no /proc.
    """
    return [_process_id(row) for row in _tagged_rows(tag, all_rows())]


def end_tagged(tag: str, grace: float = 0.0) -> int:
    """End what is left of an attempt whose runner has died: the tagged processes and everything below them.

    Args:
        tag: the attempt's tag.
        grace: seconds to end by themselves after SIGTERM; 0 kills them at once.

    Returns: how many processes were ended; none of them is left.

    Raises:
        ProcessesLeftError: some are still there `KILL_PATIENCE` seconds after they were killed.
    """
    ended: set[ProcessId] = set()
    asked: set[ProcessId] = set()
    kill_at = time.monotonic() + grace
    give_up_at = kill_at + KILL_PATIENCE
    empty_looks = 0
    while True:
        left = [process for process in _with_descendants(tag) if process.pid != os.getpid()]
        # Between a process's exec and its first instruction its environment reads as empty, so one look is not enough.
        empty_looks = 0 if left else empty_looks + 1
        if empty_looks == 2:
            return len(ended)
        now = time.monotonic()
        if now >= give_up_at:
            raise ProcessesLeftError(tag, [process.pid for process in left])
        ended.update(left)
        if now < kill_at:
            for process in left:
                if process not in asked and process.signal(signal.SIGTERM):
                    process.signal(signal.SIGCONT)
            asked.update(left)
        else:
            for process in left:
                process.signal(signal.SIGKILL)
        time.sleep(_SCAN_PAUSE)


def _with_descendants(tag: str) -> list[ProcessId]:
    rows = all_rows()
    tagged = _tagged_rows(tag, rows)
    pids = {row.pid for row in tagged}
    return [_process_id(row) for row in (*tagged, *rows_below(pids, rows))]


def _tagged_rows(tag: str, rows: list) -> list:
    if not HAS_PROC:
        return []
    wanted = f"{TAG_VARIABLE}={tag}".encode()
    return [row for row in rows if not row.is_over and wanted in _environment(row.pid)]


def _environment(pid: int) -> list[bytes]:
    """The environment that a process was started with; empty for one that has gone, and for another user's unless for root."""
    try:
        # An agent that root has started runs commands as somebody else.
        if os.geteuid() not in (0, os.stat(f"/proc/{pid}").st_uid):
            return []
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def _process_id(row) -> ProcessId:
    return ProcessId(this_host(), boot_id(), row.pid, row.start_ticks)
