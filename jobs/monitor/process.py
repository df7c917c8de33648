"""The monitor process: a thread for each scheduler that asks and applies, and the sweep."""

import logging
import threading
import time

from django.db import DatabaseError, close_old_connections, connection

from jobs.conf import conf
from jobs.heartbeat import HeartbeatThread
from jobs.identity import HOST
from jobs.models import Scheduler
from jobs.monitor.leadership import lead, renew, resign
from jobs.monitor.polling import engines, is_due, poll_once
from jobs.monitor.sweep import Sweep, forget_dead_heartbeats
from jobs.types import plugins

log = logging.getLogger(__name__)

LONGEST_WAIT = 0.25
"""Seconds that a scheduler's thread sleeps at most, so that a look that somebody asked for comes soon."""
STUCK_AFTER = 30.0
"""A sweep that has not come round for so many seconds is no sign of life."""


class SchedulerThread(threading.Thread):
    """Watches one scheduler in its own time: a slow engine delays no other."""

    def __init__(self, scheduler: Scheduler, engine, stopping: threading.Event):
        super().__init__(name=f"scheduler {scheduler.name}", daemon=True)
        self.scheduler_id = scheduler.pk
        self.engine = engine
        self.stopping = stopping

    def run(self):
        rang = False
        while not self.stopping.is_set():
            scheduler, led = None, False
            try:
                close_old_connections()
                scheduler = Scheduler.objects.filter(pk=self.scheduler_id).first()
                if scheduler is None:
                    break
                led = watch(scheduler, self.engine, at_once=rang)
            except DatabaseError as error:
                log.warning("%s: %s", self.name, error)
                connection.close()
                self.stopping.wait(1)
            except Exception:  # an engine's bug must not end the watch over its jobs
                log.exception("%s: unexpected", self.name)
                self.stopping.wait(1)
            # Only who leads listens for the engine's hints; two would take them from each other.
            rang = self.engine.wait(scheduler, LONGEST_WAIT) if led else self.stopping.wait(LONGEST_WAIT)
        connection.close()


def watch(scheduler: Scheduler, engine, *, at_once: bool = False) -> bool:
    """One round: keep the lease, ask if it is time or the engine hinted at news, let it do what it does by itself.

    Returns:
        Whether this process watches the scheduler.
    """
    if not lead(scheduler.pk):
        return False
    if at_once or is_due(scheduler):
        poll_once(scheduler, engine)
    engine.tick(scheduler)
    return True


def _harmless(what: str, call) -> bool:
    """Whether the call went well; the bug of one engine or plugin must not end the watch over all the others."""
    try:
        call()
    except DatabaseError:
        raise
    except Exception:
        log.exception("%s: unexpected", what)
        return False
    return True


class Monitor:
    """Runs until `stop()`: sweep, scheduler threads, services of plugins, signs of life."""

    def __init__(self):
        self.stopping = threading.Event()
        self.sweep = Sweep()
        self.threads: dict[int, SchedulerThread] = {}
        self.swept = time.monotonic()
        self.next_service: dict[tuple[str, str], float] = {}
        self.prepared: set[str] = set()
        self.next_renewal = 0.0

    def run(self) -> None:
        """Watch until `stop()` is called."""
        heartbeat = HeartbeatThread("monitor", lambda: time.monotonic() - self.swept < STUCK_AFTER)
        heartbeat.start()
        try:
            while not self.stopping.is_set():
                self._round()
                self.stopping.wait(conf.SWEEP_INTERVAL)
        finally:
            self.stopping.set()
            for thread in self.threads.values():
                thread.join(timeout=5)
            resign()
            heartbeat.stop()

    def stop(self) -> None:
        """Have `run()` return soon."""
        self.stopping.set()

    def _round(self) -> None:
        try:
            close_old_connections()
            self._renew_leases()
            self._start_threads()
            self.sweep.once()
            self._run_services()
            self.swept = time.monotonic()
        except DatabaseError as error:
            log.warning("sweep: %s", error)
            connection.close()

    def _renew_leases(self) -> None:
        if time.monotonic() >= self.next_renewal:
            self.next_renewal = time.monotonic() + conf.LEASE / 3
            renew()

    def _start_threads(self) -> None:
        known = engines()
        for name in known.keys() - self.prepared:
            if _harmless(f"engine {name}: prepare", known[name].prepare):
                self.prepared.add(name)
        for scheduler in Scheduler.objects.filter(type__in=known, host__in=["", HOST]):
            thread = self.threads.get(scheduler.pk)
            if thread is None or not thread.is_alive():
                thread = SchedulerThread(scheduler, known[scheduler.type], self.stopping)
                self.threads[scheduler.pk] = thread
                thread.start()

    def _run_services(self) -> None:
        now = time.monotonic()
        for plugin in plugins():
            for service in plugin.services:
                key = (plugin.name, service.name)
                if now >= self.next_service.get(key, 0):
                    self.next_service[key] = now + service.interval
                    _harmless(f"service {service.name} of {plugin.name}", service.run)
        if now >= self.next_service.get(("jobs", "heartbeats"), 0):
            self.next_service["jobs", "heartbeats"] = now + 3600
            forget_dead_heartbeats()
