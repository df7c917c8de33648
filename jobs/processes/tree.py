"""The tree of processes under a runner, signalled as a whole.

A pass looks at the process table once and signals what it found. What forks while a pass is under way is found by the
next one, so every operation is repeated until a pass finds nothing new.
"""

import os
import signal

from jobs.processes.identity import ProcessId, boot_id, this_host
from jobs.processes.table import ProcessRow, all_rows, rows_below

# Passes after which a tree counts as stopped that has nothing left but sleepers in the kernel, and as continued that
# has processes which stop themselves again and again.
_PATIENT_PASSES = 10


class Tree:
    """Everything that a command started and that is still there.

    Args:
        runner: pid of the runner, which adopts what lost its parent.
        group: process group of the command.
        adopts: whether the runner really adopts (it is a subreaper). If not, what left its parent is looked for in the
            command's process group, and what left that too is not found.
    """

    def __init__(self, runner: int, group: int, adopts: bool):
        self.runner = runner
        self.group = group
        self.adopts = adopts
        self.asked: set[tuple[int, int]] = set()  # pid and start of whom was sent SIGTERM
        self._passes_with_sleepers = 0
        self._thawing_passes = 0

    def rows(self) -> list[ProcessRow]:
        """The living processes of the tree, parents first."""
        table = all_rows()
        below = rows_below({self.runner}, table)
        if self.adopts:
            return below
        known = {row.pid for row in below}
        strays = [row for row in table if row.group == self.group and row.pid not in known and not row.is_over]
        return below + strays

    def ask_to_end(self, newcomers: bool = True) -> bool:
        """Send SIGTERM to whoever had none yet, and wake the stopped so that they can take it.

        Args:
            newcomers: whether to look for whoever had none; if not, the stopped are woken only.

        Returns: whether somebody new was found; when not, whoever starts now is part of somebody's tidying up.
        """
        found_new = False
        for row in self.rows():
            is_new = newcomers and (row.pid, row.start_ticks) not in self.asked
            if is_new:
                self.asked.add((row.pid, row.start_ticks))
                found_new = True
                _send(row, signal.SIGTERM)
            # Also revokes a SIGSTOP that is under way.
            if is_new or row.is_stopped:
                _send(row, signal.SIGCONT)
        return found_new

    def kill(self) -> list[int]:
        """Send SIGKILL to all, and to their process groups at once, which also reaches what forks and goes on forking.

        Returns: the pids found by this pass.
        """
        rows = self.rows()
        self._send_to_groups(rows, signal.SIGKILL)
        for row in rows:
            _send(row, signal.SIGKILL)
        return [row.pid for row in rows]

    def freeze(self) -> bool:
        """Stop all, parents first so that none of them sees a stopped child.

        Returns: whether nothing of the tree was running any more when this pass began.
        """
        moving = [row for row in self.rows() if not row.is_stopped and row.state != "Z"]
        for row in moving:
            _send(row, signal.SIGSTOP)
        self._send_to_groups(moving, signal.SIGSTOP)
        # A parent in vfork waits in the kernel (D) for its child, which is stopped: it will not change state, and not
        # run either, because its own SIGSTOP waits for it.
        only_sleepers = all(row.state == "D" for row in moving)
        self._passes_with_sleepers = self._passes_with_sleepers + 1 if moving and only_sleepers else 0
        return not moving or self._passes_with_sleepers >= _PATIENT_PASSES

    def thaw(self) -> bool:
        """Continue all, parents last so that none of them sees a stopped child.

        Returns: whether nothing of the tree was stopped when this pass began.
        """
        rows = self.rows()
        for row in reversed(rows):
            _send(row, signal.SIGCONT)
        self._thawing_passes += 1
        if any(row.is_stopped for row in rows) and self._thawing_passes < _PATIENT_PASSES:
            return False
        self._thawing_passes = 0
        return True

    def _send_to_groups(self, rows: list[ProcessRow], signal_number: int) -> None:
        # The command leads a session of its own, so the groups of its tree hold nobody else.
        for group in {row.group for row in rows} - {os.getpgrp(), 0}:
            try:
                os.killpg(group, signal_number)
            except (ProcessLookupError, PermissionError):
                continue


def _send(row: ProcessRow, signal_number: int) -> None:
    ProcessId(this_host(), boot_id(), row.pid, row.start_ticks).signal(signal_number)
