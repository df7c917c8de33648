"""Signs of life of a worker or monitor process."""

import logging
import os
import threading

from django.db import DatabaseError, connection

from jobs import clock
from jobs.conf import conf
from jobs.identity import HOST, holder
from jobs.models import Heartbeat

log = logging.getLogger(__name__)


class HeartbeatThread(threading.Thread):
    """Writes this process's row every `JOBS["HEARTBEAT_INTERVAL"]` seconds until `stop()`, which removes it.

    Args:
        kind: 'worker' or 'monitor'.
        healthy: says whether the process does its work; while it does not, nothing is written.
    """

    def __init__(self, kind: str, healthy=lambda: True):
        super().__init__(name="heartbeat", daemon=True)
        self.kind = kind
        self.healthy = healthy
        self.stopping = threading.Event()

    def run(self):
        started = clock.now()
        while not self.stopping.is_set():
            try:
                if self.healthy():
                    Heartbeat.objects.update_or_create(
                        holder=holder(),
                        defaults={"kind": self.kind, "time": clock.now()},
                        create_defaults={
                            "kind": self.kind,
                            "time": clock.now(),
                            "host": HOST,
                            "pid": os.getpid(),
                            "started": started,
                        },
                    )
            except DatabaseError as error:
                log.warning("no sign of life could be written: %s", error)
                connection.close()
            self.stopping.wait(conf.HEARTBEAT_INTERVAL)
        Heartbeat.objects.filter(holder=holder()).delete()
        connection.close()

    def stop(self) -> None:
        """End, and take the row away: this process is not dead, it has left."""
        self.stopping.set()
        self.join(timeout=15)  # SQLite may be busy for so long


def alive_hosts(kind: str) -> list[str]:
    """The hosts that have a living process of that kind."""
    return sorted(set(Heartbeat.objects.alive().filter(kind=kind).values_list("host", flat=True)))
