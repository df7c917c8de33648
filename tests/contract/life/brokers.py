"""The brokers over which workers are woken, each with a queue that belongs to one run of the tests."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

NUMBER = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0)
"""Which of the parallel test processes this is."""

URLS = {
    "embedded": "filesystem://",
    "redis": f"redis://127.0.0.1:6379/{1 + NUMBER % 7}",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:5672//",
}


@dataclass
class Broker:
    """One broker of `URLS`, and a queue at it that nobody else uses."""

    name: str
    queue: str = field(default_factory=lambda: f"jobdeck-contract-{uuid4().hex[:12]}")

    @property
    def url(self) -> str:
        return URLS[self.name]

    def connection(self) -> Connection:
        """A connection as workers and monitors have it."""
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS if self.name == "embedded" else {}
        return Connection(self.url, connect_timeout=2, transport_options=options)

    def trouble(self) -> str:
        """Why it cannot be used on this machine; empty if it can."""
        with self.connection() as connection:
            try:
                connection.ensure_connection(max_retries=1, timeout=3)
            except OperationalError as error:
                return f"{self.name} does not answer at {self.url} ({error}) · 'make services' brings it"
        return ""

    def lose_messages(self, queues: tuple[str, ...] = ("",)) -> int:
        """Empty queues, as a broker does that loses its disk; how many messages are lost.

        Args:
            queues: what their names have behind the name of the site's own.
        """
        with self.connection() as connection, connection.channel() as channel:
            return sum(Queue(self.queue + queue, channel=channel).purge() for queue in queues)

    def remove(self, queues: tuple[str, ...] = ("",)) -> None:
        """Leave nothing of this run at the broker."""
        for queue in {"", *queues}:
            self._remove(self.queue + queue)

    def _remove(self, queue: str) -> None:
        with self.connection() as connection, connection.channel() as channel:
            Queue(queue, channel=channel).delete()
            if self.name == "rabbitmq":
                channel.exchange_delete(queue)
            elif self.name == "redis":
                channel.client.delete(*channel.client.keys(f"*{queue}*"), queue)
            else:
                Path(channel.control_folder, f"{queue}.exchange").unlink(missing_ok=True)
