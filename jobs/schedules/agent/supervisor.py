"""The supervisor: one small process for each execution, under which the command runs.

It outlives the agent, and tells it how the command ended by the files of `runs`. It adopts whatever the command starts, so
that nothing is left when the execution is over, whatever called setsid, lost its parent or cleared its environment.
"""

import contextlib
import os
import select
import signal
import time

from jobs.faultpoints import FaultPoint
from jobs.processes.identity import KILL_PATIENCE, TAG_VARIABLE
from jobs.processes.prctl import adopt_orphans, call_this_process
from jobs.processes.tree import Tree
from jobs.schedules.agent.clock import steady
from jobs.schedules.agent.launch import Account, Command, NotStartedError, start
from jobs.schedules.agent.output import Kept
from jobs.schedules.agent.runs import RunFile

START = FaultPoint("agent.start")
OUTCOME = FaultPoint("agent.outcome")

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
STOP_SIGNAL = signal.SIGUSR1
"""What an agent sends to a supervisor whose command somebody wants to end."""
STARTED, ENDED = "started", "ended"
"""What the bell says."""

_PASS_EVERY = 0.02
_LOOK_EVERY = 0.5
_PIECE = 1 << 16
_PIECES = 16
"""Read at a time from one stream, before the other one and the time are looked at."""
_OUTCOME_PATIENCE = 3600.0
"""Seconds for which a supervisor, which alone knows how the command ended, tries to write that to a full disk."""


def ring(bell: str, what: str, execution: str) -> None:
    """Wake the agent, if there is one; it looks by itself as well, if seldom."""
    try:
        handle = os.open(bell, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(handle, f"{what} {execution}\n".encode())
    except OSError:
        return  # so much rings already that it is awake
    finally:
        os.close(handle)


def supervise(folder: str, bell: str, execution: str) -> None:
    """Take one execution from its claim to its outcome; nothing where it is another one's, or was called off."""
    run = RunFile(folder, execution)
    # An agent that just looks whether this has begun must not have it never begin.
    if not run.lock(waits=True):
        return
    what = run.claim()
    if what is None:
        return
    call_this_process("jobdeck-run")
    Supervisor(run, what, bell, execution).run()
    ring(bell, ENDED, execution)


class Supervisor:
    """Runs one command.

    Args:
        run: its files, locked and claimed.
        what: to run, as `commands.description` makes it.
        bell: path of the agent's bell.
        execution: its id.
    """

    def __init__(self, run: RunFile, what: dict, bell: str, execution: str):
        self._run, self._what, self._bell, self._execution = run, what, bell, execution
        self._signals: set[int] = set()
        self._woken, self._wake = os.pipe()
        self._streams: dict[int, Kept] = {}
        self._pid = 0
        self._status: int | None = None
        self._childless = False
        self._tree: Tree | None = None
        self._completed: int | None = None
        self._ending = ""
        """Why all is being ended."""
        self._asking = True
        self._kill_at = self._give_up_at = 0.0
        self._left: list[int] = []

    def _now(self) -> int:
        return steady() + self._what["offset"]

    def run(self) -> None:
        """Do it all."""
        self._listen_to_signals()
        started = self._now()
        kept = [Kept(self._what["output_limit"]) for _ in range(2)]
        reason = ""
        try:
            with START:
                self._start(kept)
        except NotStartedError as error:
            reason = f"could not be started: {error}"
        else:
            self._run.note_start(started)
            ring(self._bell, STARTED, self._execution)
            self._follow()
            self._drain()
            reason = self._reason()
        with OUTCOME:
            self._finish(
                {
                    "started": started,
                    "completed": self._completed or self._now(),
                    "exit_code": self._exit_code(),
                    "reason": reason,
                    "stdout": kept[0].text(),
                    "stderr": kept[1].text(),
                    "stdout_size": kept[0].size,
                    "stderr_size": kept[1].size,
                }
            )

    def _listen_to_signals(self) -> None:
        for handle in (self._woken, self._wake):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, STOP_SIGNAL):
            signal.signal(number, lambda number, frame: self._signals.add(number))
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _start(self, kept: list[Kept]) -> None:
        what = self._what
        account = Account(**what["account"]) if what["account"] else None
        given = {name: value for name, value in os.environ.items() if _is_passed_on(name, account is not None)}
        command = Command(
            what["program"],
            what["argv"],
            what["folder"],
            given | what["environment"] | {TAG_VARIABLE: what["tag"]},
            account,
        )
        adopts = adopt_orphans()
        ends = [os.pipe() for _ in kept]
        try:
            self._pid = start(command, *(written for _, written in ends))
        except NotStartedError:
            for read, _ in ends:
                os.close(read)
            raise
        for (read, _), one in zip(ends, kept, strict=True):
            os.set_blocking(read, False)
            self._streams[read] = one
        self._tree = Tree(os.getpid(), self._pid, adopts)

    def _follow(self) -> None:
        """Return when the command and all that it started is over."""
        timeout = self._what["timeout"]
        deadline = None if timeout is None else time.monotonic() + timeout
        waits = select.poll()
        for handle in (self._woken, *self._streams):
            waits.register(handle, select.POLLIN)
        while True:
            self._reap()
            now = time.monotonic()
            self._decide(now, deadline)
            if self._childless and (self._tree.adopts or not self._tree.rows()):
                return
            pause = self._end_tree(now) if self._ending else None
            if self._left:
                return
            if pause is None and deadline is not None:
                pause = deadline - now
            ready = waits.poll(None if pause is None else max(pause, 0.0) * 1000 + 1)
            for handle, _ in ready:
                if handle == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                elif self._read(handle):
                    waits.unregister(handle)
                    os.close(handle)
                    del self._streams[handle]

    def _read(self, handle: int) -> bool:
        """Take some of what a stream has; whether it has ended."""
        kept = self._streams[handle]
        for _ in range(_PIECES):
            try:
                data = os.read(handle, _PIECE)
            except BlockingIOError:
                return False
            if not data:
                return True
            kept.add(data)
        return False

    def _drain(self) -> None:
        # What is in the pipes still; who holds them now, if anybody, is none of the command's and is not waited for.
        for handle in self._streams:
            self._read(handle)
            os.close(handle)
        self._streams = {}

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._childless = True
                return
            if pid == 0:
                self._childless = False
                return
            if pid == self._pid:
                self._status = status
                self._completed = self._now()

    def _decide(self, now: float, deadline: float | None) -> None:
        """Find out whether all is to be ended; the first reason stands."""
        if self._ending:
            return
        if self._status is not None:
            self._ending = "over"
        elif STOP_SIGNAL in self._signals:
            self._ending = "stopped"
        elif signal.SIGTERM in self._signals:
            self._ending = "terminated"
        elif deadline is not None and now >= deadline:
            self._ending = "too long"
        else:
            return
        self._kill_at = now + GRACE
        self._give_up_at = self._kill_at + KILL_PATIENCE

    def _end_tree(self, now: float) -> float:
        """One pass towards the end of everything; seconds until the next."""
        if now < self._kill_at:
            self._asking = self._tree.ask_to_end(newcomers=self._asking)
            return min(_PASS_EVERY if self._asking else _LOOK_EVERY, self._kill_at - now)
        left = self._tree.kill()
        if now >= self._give_up_at:
            self._left = left
        return _PASS_EVERY

    def _exit_code(self) -> int | None:
        if self._ending != "over" or self._status is None or not os.WIFEXITED(self._status):
            return None
        return os.WEXITSTATUS(self._status)

    def _reason(self) -> str:
        left = f"; these processes do not end although they were killed: {self._left}" if self._left else ""
        if self._ending == "over":
            if self._status is not None and os.WIFSIGNALED(self._status):
                return f"ended by signal {_name(os.WTERMSIG(self._status))}{left}"
            asked = len(self._tree.asked)
            return f"processes that it left behind were ended: {asked}{left}" if asked else left.removeprefix("; ")
        return {
            "stopped": "stopped",
            "terminated": "ended with its supervisor, which was sent SIGTERM, as when a host shuts down",
            "too long": f"took longer than its timeout of {self._what['timeout']:g} s, and was ended",
        }[self._ending] + left

    def _finish(self, outcome: dict) -> None:
        give_up_at = time.monotonic() + _OUTCOME_PATIENCE
        while True:
            try:
                self._run.finish(outcome)
                return
            except OSError as error:
                if outcome["stdout"] or outcome["stderr"]:
                    lost = f"its output was thrown away: the agent's disk could not take it ({error.strerror})"
                    outcome |= {
                        "stdout": "",
                        "stderr": "",
                        "reason": "; ".join(filter(None, [outcome["reason"], lost])),
                    }
                    continue
                if signal.SIGTERM in self._signals or time.monotonic() >= give_up_at:
                    raise
                time.sleep(1)


def _is_passed_on(name: str, to_somebody_else: bool) -> bool:
    """Whether a command gets a variable of the agent; root's are none of another account's business."""
    if to_somebody_else:
        return name in ("PATH", "LANG", "LANGUAGE", "TZ") or name.startswith("LC_")
    return not name.startswith("JOBDECK_")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
