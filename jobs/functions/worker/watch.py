"""A worker's watch over the calls that it runs: signs of life, leases, stops, time limits, processes that died."""

import logging
import os
import signal
import threading
import time
from datetime import timedelta

import psutil
from django.db import DatabaseError, connection

from jobs import clock
from jobs.conf import conf
from jobs.functions import calls
from jobs.functions.models import CallState, FunctionCall, FunctionWorker
from jobs.functions.registry import functions
from jobs.functions.worker.calling import here
from jobs.identity import HOST
from jobs.status import Status

log = logging.getLogger(__name__)

STEP = 0.5
"""Seconds between two looks at what runs here."""
THREAD_GRACE = 30.0
"""Seconds after its time limit that a function in a thread has to ask whether it should stop."""
RENEWALS = 6
"""Times that a lease is renewed in the time for which it holds."""
DEAF_AFTER = 15.0
"""Seconds for which a worker with nothing to do has not heard of calls that wait for it; then it ends, to be started anew.
Celery's Redis consumer has been seen not to come back after Redis was away (celery/celery 8030, 8990, 10205)."""
LEAVE_WITHIN = 10.0
"""Seconds in which it ends by itself."""


class Watch(threading.Thread):
    """Watches until `stop()`. Runs in the worker's main process, not in those that run functions, which it may have to end.

    Args:
        name: of the worker, for people.
        queues: that it takes calls from.
        concurrency: calls at once.
    """

    def __init__(self, name: str, queues: list[str], concurrency: int):
        super().__init__(name="watch", daemon=True)
        self.worker_name = name
        self.queues = queues
        self.concurrency = concurrency
        self.leaving = False
        self._stopping = threading.Event()
        self._forking = threading.Lock()
        self._looked = self._renewed = now_here()
        self._fenced = 0.0
        self._runs = False
        self._unheard_since: float | None = None
        # A process that is forked while a connection is open here would close it under us when it clears up.
        os.register_at_fork(
            before=self._forking.acquire,
            after_in_parent=self._forking.release,
            after_in_child=self._forking.release,
        )

    def run(self):
        self._since, self._looked = clock.now(), now_here()
        next_sign = 0.0
        threading.Thread(target=self._keep_the_fence, name="fence", daemon=True).start()
        while not self._stopping.is_set():
            with self._forking:
                try:
                    if time.monotonic() >= next_sign:
                        self._give_sign()
                        next_sign = time.monotonic() + conf.HEARTBEAT_INTERVAL
                    self.look()
                    self._listen(time.monotonic())
                except DatabaseError as error:
                    log.warning("the database does not answer: %s", error)
                except Exception:  # whatever it is, nobody else renews the leases
                    log.exception("watching over functions: unexpected")
                finally:
                    connection.close()
            self._stopping.wait(STEP)
        with self._forking:
            FunctionWorker.objects.filter(holder=here.worker).delete()
            connection.close()

    def stop(self) -> None:
        """End, and take the row away: this worker is not dead, it has left."""
        self._stopping.set()
        self.join(timeout=15)

    def _give_sign(self) -> None:
        changing = {"time": clock.now(), "leaving": self.leaving}
        if not FunctionWorker.objects.filter(holder=here.worker).update(**changing):
            FunctionWorker.objects.create(
                holder=here.worker,
                name=self.worker_name,
                host=HOST,
                pid=os.getpid(),
                queues=self.queues,
                routes=[function.route for function in functions()],
                pool="prefork" if here.in_processes else "threads",
                concurrency=self.concurrency,
                started=self._since,
                **changing,
            )

    def look(self) -> None:
        """One look at all calls that run here."""
        before = now_here()
        if self._is_blind(before):
            # This process stood still, with its machine perhaps: what runs here may have been given to others.
            self._end_all(before)
        mine = FunctionCall.objects.filter(state=CallState.RUNNING, worker=here.worker)
        running = list(mine.select_related("job"))
        now = clock.now()
        if running and before - self._renewed >= conf.FUNCTION_LEASE / RENEWALS:
            mine.update(lease_expires=now + timedelta(seconds=conf.FUNCTION_LEASE))
            self._renewed = before
        self._looked, self._runs = before, bool(running)
        for call in running:
            if not here.in_processes:
                self._look_at_thread(call, now)
            elif not _is_ours(call.pid):
                calls.died(call, f"Its process on worker {self.worker_name}")
            elif call.stop_wanted:
                _end_process(call, Status.ABORTED, calls.STOPPED)
            elif call.deadline and now > call.deadline:
                _end_process(call, Status.ERROR, calls.too_long(call))

    def _listen(self, now: float) -> None:
        """End a worker that does not hear its broker any more."""
        waiting = FunctionCall.objects.filter(
            state=CallState.QUEUED,
            queue__in=self.queues,
            route__in=[function.route for function in functions()],
            due__lt=clock.now() - timedelta(seconds=DEAF_AFTER),
        )
        if self._runs or (self.leaving and self._unheard_since is None) or not waiting.exists():
            self._unheard_since = None
            return
        self._unheard_since = self._unheard_since or now
        unheard = now - self._unheard_since
        if unheard < DEAF_AFTER:
            return
        if not self.leaving:
            log.error(
                "functions wait, and this worker has not heard of them for %g s; it ends, to be started anew", unheard
            )
            os.kill(os.getpid(), signal.SIGTERM)
        elif unheard > DEAF_AFTER + LEAVE_WITHIN:
            os._exit(1)

    def _look_at_thread(self, call: FunctionCall, now) -> None:
        late = call.deadline and now > call.deadline
        if (job := here.going_on.get(call.pk)) is not None and (call.stop_wanted or late):
            job.ask_to_stop(late=not call.stop_wanted)
        if late and now > call.deadline + timedelta(seconds=THREAD_GRACE):
            message = (
                f"{calls.too_long(call)} It runs in a thread, which cannot be ended, and did not ask whether to stop."
            )
            calls.end(call, Status.ERROR, message)

    def _keep_the_fence(self) -> None:
        """End what runs here before its leases lapse: others will run it then.

        In a thread of its own, because a database may also take a question and never answer.
        """
        while not self._stopping.wait(STEP):
            if self._is_blind(now := now_here()):
                self._end_all(now)

    def _is_blind(self, now: float) -> bool:
        """Whether leases that hold here may lapse before they are renewed, and nothing was done about that yet."""
        # A lease that was not renewed at the last look had a sixth of its time behind it at most.
        return now - self._looked >= conf.FUNCTION_LEASE * (RENEWALS - 2) / RENEWALS and self._fenced != self._looked

    def _end_all(self, now: float) -> None:
        unseen, self._fenced = now - self._looked, self._looked
        log.error("no look at the database for %.0f s: what runs here is ended before others take it over", unseen)
        if not here.in_processes and here.going_on:
            os._exit(1)
        # Each, because what was taken since the last look is not known here; an idle one is soon replaced.
        for process in psutil.Process().children() if here.in_processes else ():
            _kill_tree(process.pid)


def now_here() -> float:
    """Seconds on a clock that also counts while the machine is suspended, where the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _is_ours(pid: int) -> bool:
    """Whether the process is a living child of this one."""
    try:
        process = psutil.Process(pid)
        return process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_process(call: FunctionCall, outcome: str, message: str) -> None:
    """End the process that runs a call with all that it started; another takes its place."""
    # First it may not write its end any more: a process that got so far waits (see `calling`), and takes no other call.
    if not calls.take_over(call):
        return
    _kill_tree(call.pid)
    log.info("%s: its process %s was ended", call.tag, call.pid)
    calls.end(call, outcome, message)


def _kill_tree(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        below = process.children(recursive=True)
        process.kill()
    except psutil.NoSuchProcess:
        return
    for one in below:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(below, timeout=5)
