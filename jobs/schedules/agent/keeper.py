"""The keeper: forked when the agent begins, before it has threads; forks a supervisor for each execution.

To fork it, small and of one thread, is quick and safe. It ends what a supervisor leaves that was killed, and stays, when the
agent ends, until the last supervisor has.
"""

import gc
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

from jobs.processes.identity import ProcessId, boot_id, this_host
from jobs.processes.prctl import adopt_orphans, call_this_process
from jobs.processes.table import all_rows, rows_below
from jobs.schedules.agent.supervisor import ENDED, ring, supervise

_PASS_EVERY = 0.02
_ID_SIZE = 36


def fork_keeper(runs: Path, bell: Path) -> socket.socket:
    """Start one.

    Returns: what takes ids of executions, whose files stand in `runs`; it is closed at the other end when the keeper dies.
    """
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        mine.close()
        _in_child(lambda: Keeper(its, str(runs), str(bell)).run(), runs)
    its.close()
    return mine


def _in_child(do, runs: Path) -> None:
    code = 1
    try:
        do()
        code = 0
    finally:
        if sys.exception() is not None:
            with (runs.parent / "trouble.log").open("a") as file:
                traceback.print_exc(file=file)
        os._exit(code)


class Keeper:
    """Parent of supervisors.

    Args:
        orders: where ids come from.
        runs, bell: paths of the agent's folder.
    """

    def __init__(self, orders: socket.socket, runs: str, bell: str):
        self._orders, self._runs, self._bell = orders, runs, bell
        self._supervisors: dict[int, str] = {}
        self._strangers = False
        self._is_alone = False
        self._received = b""

    def run(self) -> None:
        """Work until the agent and the last supervisor have ended."""
        os.setsid()
        call_this_process("jobdeck-keeper")
        adopt_orphans()
        woken, wake = os.pipe()
        for handle in (woken, wake):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        gc.collect()
        gc.freeze()
        waits = select.poll()
        waits.register(woken, select.POLLIN)
        waits.register(self._orders, select.POLLIN)
        handles = [woken, wake]
        while not self._is_alone or self._supervisors:
            for handle, _ in waits.poll(_PASS_EVERY * 1000 if self._strangers else None):
                if handle == woken:
                    os.read(woken, 4096)
                elif not self._take_orders(handles):
                    waits.unregister(self._orders)
                    self._leave_alone()
            self._reap()
            if self._strangers:
                self._end_strangers()

    def _take_orders(self, handles: list[int]) -> bool:
        """Start what was ordered; False where the agent has gone."""
        data = self._orders.recv(_ID_SIZE * 100)
        self._received += data
        while len(self._received) >= _ID_SIZE:
            execution, self._received = self._received[:_ID_SIZE].decode("ascii"), self._received[_ID_SIZE:]
            try:
                pid = os.fork()
            except OSError:
                # It has the file and sees that nobody holds it.
                ring(self._bell, ENDED, execution)
                continue
            if pid == 0:
                _in_child(lambda execution=execution: self._become_supervisor(handles, execution), Path(self._runs))
            self._supervisors[pid] = execution
        return bool(data)

    def _become_supervisor(self, handles: list[int], execution: str) -> None:
        signal.set_wakeup_fd(-1)
        self._orders.close()
        for handle in handles:
            os.close(handle)
        os.setsid()
        _be_silent()
        supervise(self._runs, self._bell, execution)

    def _leave_alone(self) -> None:
        """The agent has gone: whoever reads what it wrote must not wait for this process."""
        self._is_alone = True
        self._orders.close()
        _be_silent()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._strangers = False
                return
            if pid == 0:
                return
            execution = self._supervisors.pop(pid, None)
            if execution is not None and status:
                # It was killed: what it had adopted is this process's now.
                self._strangers = True
                ring(self._bell, ENDED, execution)

    def _end_strangers(self) -> None:
        rows = all_rows()
        strangers = {row.pid for row in rows if row.parent == os.getpid() and row.pid not in self._supervisors}
        found = [row for row in rows if row.pid in strangers and not row.is_over] + rows_below(strangers, rows)
        for row in found:
            ProcessId(this_host(), boot_id(), row.pid, row.start_ticks).signal(signal.SIGKILL)
        self._strangers = bool(found)


def _be_silent() -> None:
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for target in (0, 1, 2):
        os.dup2(nothing, target)
    os.close(nothing)
