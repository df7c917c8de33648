"""The runner: one small process per attempt, under which the command runs.

It outlives web, worker and monitor, and speaks with the engine only through the attempt folder (`jobs.local.attempts`).
It adopts everything the command starts, so that nothing is left when the attempt is over, whatever called setsid or
lost its parent. It imports neither Django nor anything else that would make its start slow.
"""

import os
import select
import signal
import sys
import time

from jobs.faultpoints import FaultPoint
from jobs.local.attempts import AttemptFolder, utc_now
from jobs.local.launch import CouldNotStartError, read_command, start_command
from jobs.local.outcomes import describe, outcome_of
from jobs.processes.identity import KILL_PATIENCE, start_ticks
from jobs.processes.prctl import adopt_orphans
from jobs.processes.tree import Tree

RUNNER_CLAIM = FaultPoint("runner.claim")
RUNNER_START = FaultPoint("runner.start")
RUNNER_OUTCOME = FaultPoint("runner.outcome")

# Seconds between two looks at what is wanted where no signal wakes the runner.
LOOK_EVERY = 0.5

# Seconds between two passes over the tree while it is being stopped or ended.
PASS_EVERY = 0.02

# The runner alone knows how the command ended: so long it tries to write that on a disk that is full.
OUTCOME_PATIENCE = 3600.0  # seconds
_OUTCOME_RETRY = 1.0


class Wakeups:
    """Sleep until a signal comes or time is up, without ever missing one that came just before."""

    def __init__(self):
        self.terminated = False
        self._signals, self._written = os.pipe()
        os.set_blocking(self._signals, False)
        os.set_blocking(self._written, False)
        signal.set_wakeup_fd(self._written, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, self._note)
        signal.signal(signal.SIGUSR1, self._note)
        signal.signal(signal.SIGTERM, self._terminate)
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            signal.signal(ignored, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _note(self, number, frame) -> None:
        """Nothing to do: the signal's number in the pipe ends the sleep."""

    def _terminate(self, number, frame) -> None:
        self.terminated = True

    def sleep(self, seconds: float) -> None:
        """Sleep at most so long."""
        ready, _, _ = select.select([self._signals], [], [], max(seconds, 0.0))
        if ready:
            os.read(self._signals, 4096)


class Runner:
    """Takes one attempt from its claim to its outcome.

    Args:
        folder: the attempt's folder, prepared.
    """

    def __init__(self, folder: AttemptFolder):
        self.folder = folder
        self.wakeups = Wakeups()
        self.command = None
        self.pid: int | None = None  # of the command's main process
        self.tree: Tree | None = None
        self.status: int | None = None  # wait status of the main process
        self.childless = False
        self.started: str | None = None
        self.finished: str | None = None
        self.paused = False
        self.freezing = False  # between the first SIGSTOP and the last SIGCONT
        self.active_seconds = 0.0  # time not spent paused
        self.reason: str | None = None  # why the tree is being ended
        self.kill_at = 0.0
        self.give_up_at = 0.0
        self.asking = False  # SIGTERM still goes to whoever is found
        self.gave_up = False
        self.unkillable: list[int] = []

    def run(self) -> None:
        """Do it all; returns at once when the attempt belongs to another runner or was cancelled."""
        with RUNNER_CLAIM:
            if not self.folder.claim():
                return
        try:
            self.command = read_command(self.folder.spec())
            reason = self._wait_for_leave()
            if reason is None:
                self._start()
        except CouldNotStartError as error:
            self._finish("could not start", str(error))
            return
        if reason is not None:
            self._finish(reason, "It was ended before the command was started.")
            return
        self._supervise()
        message = describe(
            self.reason, self.status, self.command.timeout, ended=len(self.tree.asked), left=self.unkillable
        )
        self._finish(self.reason, message)

    def _wait_for_leave(self) -> str | None:
        """Hold the start back while a pause is wanted; returns why the command is not to be started at all, if so."""
        while True:
            wanted = self.folder.wanted()
            if self.wakeups.terminated:
                return "runner terminated"
            if wanted == "stop":
                return "stopped"
            if wanted == "run":
                self.paused = False
                return None
            if not self.paused:
                self.paused = True
                self._tell()
            self.wakeups.sleep(LOOK_EVERY)

    def _start(self) -> None:
        adopts = adopt_orphans()
        # Without this file the command has certainly not been started, so it is written first.
        try:
            self.folder.write_state(self._state())
        except OSError as error:
            raise CouldNotStartError(
                f"The attempt's folder {self.folder.path!r} cannot be written: {error.strerror}. Make room there, or "
                "make it writable for the account that Jobdeck runs under, and resubmit the job."
            ) from error
        with RUNNER_START:
            self.pid = start_command(self.command)
        self.started = utc_now()
        self.tree = Tree(os.getpid(), self.pid, adopts)
        self._tell()

    def _supervise(self) -> None:
        """Return when the command and everything it started is over."""
        before = time.monotonic()
        while True:
            now = time.monotonic()
            if not self.paused:
                self.active_seconds += now - before
            before = now
            self._reap()
            self._decide(now)
            if self.childless and (self.tree.adopts or not self.tree.rows()):
                return
            sleep = self._end_tree(now) if self.reason else self._follow_wishes()
            if self.gave_up:
                return
            self.wakeups.sleep(sleep)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.childless = True
                return
            if pid == 0:
                self.childless = False
                return
            if pid == self.pid:
                self.status = status
                self.finished = utc_now()

    def _decide(self, now: float) -> None:
        """Find out whether the attempt is to be ended; the first reason stands."""
        if self.reason is not None:
            return
        # A machine that shuts down ends the runner and the command at once: then this is why, not the command's signal.
        if self.wakeups.terminated:
            self.reason = "runner terminated"
        elif self.status is not None:
            self.reason = "exited"
        elif self.folder.wanted() == "stop":
            self.reason = "stopped"
        elif self.command.timeout is not None and self.active_seconds >= self.command.timeout:
            self.reason = "timed out"
        else:
            return
        self.asking = True
        self.kill_at = now + self.command.grace
        self.give_up_at = self.kill_at + KILL_PATIENCE

    def _end_tree(self, now: float) -> float:
        """One pass towards the end of everything; returns the seconds until the next."""
        if now < self.kill_at:
            self.asking = self.tree.ask_to_end(newcomers=self.asking)
            return min(PASS_EVERY if self.asking else LOOK_EVERY, self.kill_at - now)
        left = self.tree.kill()
        if now >= self.give_up_at:
            self.gave_up, self.unkillable = True, left
        return PASS_EVERY

    def _follow_wishes(self) -> float:
        """One pass towards running or paused; returns the seconds until the next."""
        wanted = self.folder.wanted()
        if wanted == "pause" and not self.paused:
            self.freezing = True
            if not self.tree.freeze():
                return PASS_EVERY
            self.paused = True
            self._tell()
        elif wanted == "run" and self.freezing:
            if not self.tree.thaw():
                return PASS_EVERY
            self.paused = self.freezing = False
            self._tell()
        if self.paused or self.command.timeout is None:
            return LOOK_EVERY
        return min(LOOK_EVERY, self.command.timeout - self.active_seconds)

    def _state(self) -> dict:
        return {
            "paused": self.paused,
            "started": self.started,
            "command_pid": self.pid,
            "command_start_ticks": None if self.pid is None else start_ticks(self.pid),
        }

    def _tell(self) -> None:
        """Write what the command is doing, and ring."""
        try:
            self.folder.write_state(self._state())
        except OSError as error:  # a full disk must not end a command that runs
            print(f"{utc_now()} the state could not be written: {error}", file=sys.stderr, flush=True)
        self._ring()

    def _ring(self) -> None:
        if self.command is None or self.command.doorbell is None:
            return
        import socket  # only now, so that the command has been started when it is loaded

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.setblocking(False)
            try:
                bell.sendto(os.fsencode(self.folder.path), self.command.doorbell)
            except (OSError, ValueError):
                return  # nobody listens, or too much rings already: the engine looks by itself as well

    def _finish(self, reason: str, message: str) -> None:
        outcome = outcome_of(reason, self.status, self.started, self.finished or utc_now(), message)
        give_up_at = time.monotonic() + OUTCOME_PATIENCE
        with RUNNER_OUTCOME:
            while True:
                try:
                    self.folder.finish(outcome)
                    break
                except FileNotFoundError:
                    raise  # the folder was removed: nobody is left to be told
                except OSError as error:
                    print(f"{utc_now()} the outcome could not be written: {error}", file=sys.stderr, flush=True)
                    if self.wakeups.terminated or time.monotonic() >= give_up_at:
                        raise
                    self.wakeups.sleep(_OUTCOME_RETRY)
        self._ring()


def main() -> None:
    """Run the attempt whose folder is the program's argument."""
    Runner(AttemptFolder(sys.argv[1])).run()
