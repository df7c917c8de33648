"""What runs on this machine: one row per process, from /proc or, where there is none, from `ps`.

A row is a look at one instant. Who signals a process goes through `jobs.processes.identity.ProcessId`, which checks that
the pid still is the process that was seen.
"""

# The runner starts with every job, and pathlib would take a fifth of its start.
# ruff: noqa: PTH110, PTH123, PTH208

import os
import time
from collections import namedtuple

HAS_PROC = os.path.exists("/proc/self/stat")

_PS_COLUMNS = "pid=,ppid=,pgid=,stat=,lstart="


class ProcessRow(namedtuple("ProcessRow", "pid parent group state threads start_ticks")):
    """One process at one instant.

    Fields: pid; parent: the parent's pid; group: process group; state: one letter as in proc(5), `T` is stopped;
    threads: how many threads it has; start_ticks: when it started, in clock ticks since the machine started (from
    `ps`: in seconds since 1970), to tell it from a later process with the same pid.
    """

    __slots__ = ()

    @property
    def is_over(self) -> bool:
        """Nothing of it runs any more; its parent only has not asked for its exit status."""
        # A process whose first thread has ended looks like a zombie while its other threads work on.
        return self.state in "ZX" and self.threads <= 1

    @property
    def is_stopped(self) -> bool:
        """It was stopped by a signal, or by a debugger."""
        return self.state in "Tt"


def parse_stat(stat: bytes) -> ProcessRow:
    """Read one /proc/<pid>/stat; the program's name in it may hold blanks and brackets."""
    after_name = stat[stat.rindex(b")") + 2 :].split()
    return ProcessRow(
        pid=int(stat[: stat.index(b" ")]),
        parent=int(after_name[1]),
        group=int(after_name[2]),
        state=after_name[0].decode("ascii"),
        threads=int(after_name[17]),
        start_ticks=int(after_name[19]),
    )


def parse_ps(line: str) -> ProcessRow:
    """Read one line of `ps -o pid=,ppid=,pgid=,stat=,lstart=` as printed in the C locale."""
    pid, parent, group, stat, *started = line.split()
    start = time.mktime(time.strptime(" ".join(started), "%a %b %d %H:%M:%S %Y"))
    return ProcessRow(int(pid), int(parent), int(group), stat[0], 1, int(start))


def rows_from_ps() -> list[ProcessRow]:
    """Every process as `ps` shows it; times are whole seconds and threads are not told."""
    import subprocess  # only where there is no /proc

    answer = subprocess.run(
        ["ps", "-axo", _PS_COLUMNS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
        text=True,
        check=True,
    )
    return [parse_ps(line) for line in answer.stdout.splitlines() if line.strip()]


def read_row(pid: int) -> ProcessRow | None:
    """One process, or None when there is none with this pid."""
    if not HAS_PROC:
        return next((row for row in rows_from_ps() if row.pid == pid), None)
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as stat:
            return parse_stat(stat.read(4096))
    except (FileNotFoundError, ProcessLookupError):
        return None


def all_rows() -> list[ProcessRow]:
    """Every process of this machine that this user may see."""
    if not HAS_PROC:
        return rows_from_ps()
    rows = (read_row(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [row for row in rows if row is not None]


def rows_below(roots: set[int], rows: list[ProcessRow]) -> list[ProcessRow]:
    """The descendants of some processes, parents before their children, without the roots and without ended ones."""
    children: dict[int, list[ProcessRow]] = {}
    for row in rows:
        children.setdefault(row.parent, []).append(row)
    found, seen, parents = [], set(roots), list(roots)
    for parent in parents:
        for child in children.get(parent, ()):
            if child.pid not in seen:
                seen.add(child.pid)
                found.append(child)
                parents.append(child.pid)
    return [row for row in found if not row.is_over]
